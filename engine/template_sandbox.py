"""A model's chat template as a function of its variables, run where it reaches nothing else.

Gives templates what transformers gives them. Knows no marks, tokens or models; jinja2 comes with the extra
`local` and is imported on first use.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine.errors import MissingExtraError, ModelError

if TYPE_CHECKING:
    from jinja2 import Environment

MAX_TEMPLATE_CHARS = 500_000
MAX_LOOP_STEPS = 10_000
"""Of all ranges of one rendering together; real templates count messages."""
MAX_ADDED_CHARS = 1_000_000
"""A template writes so much beyond what it was given."""
MAX_PIECES = 200_000
_MAX_REPEATED_CHARS = 10_000

_FAILURES = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    NameError,
    RuntimeError,  # RecursionError is one, and jinja2's TemplateError is not
    SyntaxError,
    TypeError,
    ValueError,
)
"""What a template's expressions, or Python where it compiles one, can raise beside jinja2's own error."""

Render = Callable[[Mapping[str, Any], int], str]
"""Of the variables, and how many characters they bring."""


def compile_template(source: str, name: str) -> Render:
    """The template as a function; both raise ModelError for a template that does not work."""
    try:
        from jinja2 import TemplateError
    except ImportError as error:
        raise MissingExtraError("jinja2") from error
    if len(source) > MAX_TEMPLATE_CHARS:
        raise ModelError(f"The chat template of {name} is too long ({len(source):,} characters). {_ADVICE}")
    try:
        template = _environment().from_string(source)
    except (TemplateError, *_FAILURES) as error:
        raise ModelError(f"The chat template of {name} cannot be read ({_said(error)}). {_ADVICE}") from error

    def render(variables: Mapping[str, Any], num_chars: int) -> str:
        pieces: list[str] = []
        left = num_chars + MAX_ADDED_CHARS
        try:
            for piece in template.generate(variables, range=_limited_range()):
                pieces.append(piece)
                left -= len(piece)
                if left < 0 or len(pieces) > MAX_PIECES:
                    raise TemplateError("it writes without end")
        except (TemplateError, *_FAILURES) as error:
            raise ModelError(f"The chat template of {name} refuses: {_said(error)}") from error
        return "".join(pieces)

    return render


_ADVICE = "Download the model again, or name another one in the setting 'chat.model'."


def _said(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return text if len(text) <= 300 else text[:300] + "…"


def _limited_range() -> Callable[..., range]:
    """`range` for one rendering: all its ranges share the steps."""
    from jinja2 import TemplateRuntimeError

    left = MAX_LOOP_STEPS

    def limited(*bounds: int) -> range:
        nonlocal left
        numbers = range(*bounds)
        left -= len(numbers)
        if left < 0:
            raise TemplateRuntimeError(f"it loops more than {MAX_LOOP_STEPS:,} times")
        return numbers

    return limited


def _environment() -> Environment:
    from jinja2 import TemplateError, TemplateRuntimeError, nodes
    from jinja2.ext import Extension, loopcontrols
    from jinja2.parser import Parser
    from jinja2.runtime import Context
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Sandbox(ImmutableSandboxedEnvironment):
        intercepted_binops = frozenset({"*", "**"})

        def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
            if operator == "**" or _repeats(left, right) or _repeats(right, left):
                raise TemplateRuntimeError(f"its '{operator}' is too large")
            return super().call_binop(context, operator, left, right)

    class Generation(Extension):
        """`{% generation %}` tells trainers what to learn; here only its body counts."""

        tags = {"generation"}  # noqa: RUF012 - so declared by jinja2

        def parse(self, parser: Parser) -> list[nodes.Node]:
            next(parser.stream)
            return parser.parse_statements(("name:endgeneration",), drop_needle=True)

    def raise_exception(message: str) -> None:
        raise TemplateError(message)

    environment = Sandbox(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    environment.filters["tojson"] = _to_json
    environment.globals |= {"raise_exception": raise_exception, "strftime_now": _strftime_now}
    del environment.globals["lipsum"]  # text of any length
    return environment


def _repeats(text: Any, times: Any) -> bool:
    """Whether `text * times` would be something long."""
    is_repetition = isinstance(text, str | list | tuple) and isinstance(times, int)
    return is_repetition and len(text) * times > _MAX_REPEATED_CHARS


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """Plain JSON; jinja2's own filter writes it for HTML."""
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def _strftime_now(form: str) -> str:
    return datetime.now().astimezone().strftime(form)
