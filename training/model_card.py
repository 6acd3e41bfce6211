"""The built-in model's card, filled in: what the model is, what it scores, how it came to be, and of what.

    python -m training.model_card MODEL --figures FILE --export FILE --run RUN ... --notes FILE

Every number is read from a file that a command wrote; the words are in model_card.md beside this module.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from string import Template
from typing import Any

from engine.errors import ModelError
from engine.model_folder import read_json
from training.network import Shape

HERE = Path(__file__).parent
_BEFORE = "_before"
_FORMS = ("bf16", "int8")
_SETTINGS = {
    "muon": "Muon",
    "adamw": "AdamW",
    "weight_decay": "weight decay",
    "step_tokens": "tokens a step",
    "decay": "share of the run in which rates fall",
    "prefix": "loss weight of prefixes",
    "middle": "of middles",
    "told": "of names that only the context tells",
    "plain": "of plain text",
}


def main(argv: list[str] | None = None) -> int:
    """The command; its exit status."""
    settings = _parser().parse_args(argv)
    try:
        card = fill(settings.model, settings.figures, settings.export, settings.run, settings.notes)
        (settings.model / "MODEL_CARD.md").write_text(card, encoding="utf-8")
    except (ValueError, KeyError, ModelError, OSError) as error:
        print(f"training.model_card: {error}", file=sys.stderr)
        return 1
    return 0


def fill(
    model: Path, figures: Path | None, exported: Path | None, runs: Iterable[Path], notes: Path | None
) -> str:
    """The card of an exported model folder; raises ModelError or OSError for a file that is not there."""
    return Template((HERE / "model_card.md").read_text(encoding="utf-8")).substitute(
        _model(model),
        figures="\n".join(_table(_compared(_figures_of(figures), _BEFORE), "before", "now")),
        rounding="\n".join(_table(_forms(_figures_of(exported)), *_FORMS)),
        runs="\n".join(f"- {_run(run)}" for run in runs),
        notes=notes.read_text(encoding="utf-8").strip() if notes else "",
        sources="\n".join(_sources(HERE / "sources.tsv")),
        held_out=", ".join(sorted({row["name"] for row in _rows(HERE / "held_out.tsv")})),
    )


def _model(folder: Path) -> dict[str, str]:
    shape = Shape.read(read_json(folder / "config.json"))
    parameters = sum(_product(size) for size in shape.sizes().values())
    size = (folder / "model.safetensors").stat().st_size
    tokens = read_json(folder / "tokenizer.json")["added_tokens"]
    return {
        "parameters": f"{parameters / 1e6:.1f}M",
        "megabytes": f"{size / 1e6:.1f}",
        "layers": str(shape.layers),
        "hidden": str(shape.hidden),
        "inner": f"{shape.inner:,}",
        "heads": str(shape.heads),
        "kv_heads": str(shape.kv_heads),
        "head_size": str(shape.head_size),
        "theta": f"{shape.theta:,.0f}",
        "epsilon": f"{shape.epsilon:g}",
        "vocabulary": f"{shape.vocabulary:,}",
        "cache": f"{2 * 2 * shape.layers * shape.kv_heads * shape.head_size / 1024:g}",
        "special_tokens": ", ".join(f"`{_escaped(token['content'])}` {token['id']}" for token in tokens),
    }


def _compared(figures: Mapping[str, Any], suffix: str) -> Iterator[tuple[str, Any, Any]]:
    """Name, before, now, of every plain number."""
    for name, value in figures.items():
        if isinstance(value, int | float) and not name.endswith(suffix):
            yield name, figures.get(name + suffix), value


def _forms(figures: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    one, other = (f"_{form}" for form in _FORMS)
    for name, value in figures.items():
        if name.endswith(one):
            plain = name.removesuffix(one)
            yield plain.replace("_", " "), value, figures.get(plain + other)
    if "largest_relative_error" in figures:
        yield "largest relative error of a matrix", None, figures["largest_relative_error"]


def _table(rows: Iterable[tuple[str, Any, Any]], one: str, other: str) -> Iterator[str]:
    yield f"| | {one} | {other} |"
    yield "| --- | --- | --- |"
    for name, first, second in rows:
        yield f"| {name} | {_number(first)} | {_number(second)} |"


def _run(folder: Path) -> str:
    """One run in a sentence: what it read, how long, and how it was set."""
    settings = read_json(folder / "settings.json")
    last = _rows(folder / "loss.tsv")[-1]
    data = [*settings["data"], *(f"{source} from {start} on" for start, source in settings["later"])]
    names = ", ".join(Path(source).name for source in data)
    start = "random weights" if settings["random"] else Path(settings["model"]).name
    chosen = ", ".join(f"{label} {settings[name]:g}" for name, label in _SETTINGS.items())
    millions, minutes = float(last["tokens"]) / 1e6, float(last["seconds"]) / 60
    length = f"{last['step']} steps, {millions:.1f} million tokens, {minutes:.0f} minutes"
    return f"{folder.name}: from {start} on {names}; {length}; {chosen}."


def _sources(table: Path) -> Iterator[str]:
    rows = _rows(table)
    languages = Counter(row["language"] for row in rows)
    yield (
        f"`training/sources.tsv` pins {len(rows)} packages of PyPI, npm and Debian with version and licence, "
        "permissive licences only; `python -m training.corpus` builds the corpus of them."
    )
    yield ""
    yield "| language | packages |"
    yield "| --- | --- |"
    for language, num in languages.most_common():
        yield f"| {language} | {num} |"


def _figures_of(file: Path | None) -> dict[str, Any]:
    figures: dict[str, Any] = read_json(file)["figures"] if file else {}
    return figures


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def _number(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def _escaped(text: str) -> str:
    return text.replace("|", r"\|")


def _product(size: tuple[int, ...]) -> int:
    return size[0] if len(size) == 1 else size[0] * size[1]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="training.model_card", description="Fill a model's card.")
    add = parser.add_argument
    add("model", type=Path, help="the exported folder; its MODEL_CARD.md is written")
    add("--figures", type=Path, metavar="FILE", help="the result of benchmarks.builtin_model")
    add("--export", type=Path, metavar="FILE", help="the report of training.export")
    add(
        "--run",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a run that led here (also several)",
    )
    add("--notes", type=Path, metavar="FILE", help="what was tried, as Markdown")
    return parser


if __name__ == "__main__":
    sys.exit(main())
