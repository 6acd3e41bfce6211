"""Reports on requests for a small document, laid out as for an engine and sent to none."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from context.imports_around import ImportsAround
from engine.anchor import Anchor
from engine.api import Segment
from engine.backends.base import EngineInfo
from engine.fake import builtin_info
from engine.fim import FORMATS, PLAIN, parse_format, plain_format
from engine.layout import Layout
from lsp_server.context_explained import build_report
from lsp_server.context_report import ContextReport
from lsp_server.hole import Hole
from lsp_server.request import budget_for, build_request
from lsp_server.settings import ContextSettings, Settings

TEXT = "import math\n\n\ndef area(radius):\n    return math.\n\n\nprint(area(2))\n"
HOLE = Hole(TEXT, TEXT.index("math.\n") + len("math."))
FIM_FORMATS = ["builtin", "deepseek-coder", "deepseek-coder:psm"]


def info_of(name: str) -> EngineInfo:
    """As the setting `engine.fimFormat` names it; the tokenizer is the built-in model's."""
    info, (row, order) = builtin_info(), parse_format(name)
    fim = plain_format("<｜begin▁of▁sentence｜>", 4096) if row == PLAIN else FORMATS[row]
    layout = Layout(info.tokenizer, fim, order)
    return replace(info, layout=layout, refusal="left to right only" if row == PLAIN else "")


def segment(path: str, num_lines: int = 3, kind: str = "definition") -> Segment:
    text = f"def of_{path.replace('/', '_').replace('.', '_')}():\n" + "    pass\n" * num_lines
    return Segment(path, text, kind, f"defines {path}", builtin_info().tokenizer.count(text))


def plan_of(*segments: Segment, num_frozen: int = 0, **more: Any) -> Any:
    values = {"segments": segments, "num_frozen": num_frozen, "is_complete": True, "considered": ()}
    return SimpleNamespace(**(values | more))


def reported(
    plan: Any,
    *,
    info: EngineInfo | None = None,
    hole: Hole = HOLE,
    path: str = "pkg/main.py",
    budget_tokens: int = 2000,
    cached_tokens: int | None = None,
    anchor: Anchor | None = None,
) -> ContextReport:
    info = info or builtin_info()
    settings = Settings(context=ContextSettings(budget_tokens=budget_tokens))
    prompt = build_request(settings, info, hole, path, plan, anchor=anchor).prompt
    return build_report(
        root="/work",
        path=path,
        hole=hole,
        plan=plan,
        prompt=prompt,
        info=info,
        budget=budget_for(settings, info),
        cached_tokens=cached_tokens,
        imports=ImportsAround(),
    )
