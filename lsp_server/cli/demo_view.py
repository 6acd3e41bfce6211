"""The demo in a terminal. Knows how figures look; computes none but sums."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from context import Plan
from lsp_server.cli.demo_run import Attempt, Comparison, Start, Verdict
from lsp_server.cli.demo_sites import Cut
from lsp_server.cli.demo_typing import Answered, Typing
from lsp_server.cli.terminal import CURSOR, GHOST, files_table

MARKS = {
    Verdict.EXACT: ("✓", "bold green"),
    Verdict.RIGHT_NAME: ("≈", "yellow"),
    Verdict.DIFFERENT: ("✗", "red"),
    Verdict.NOTHING: ("·", "dim"),
}
LEGEND = "✓ what the author wrote  ≈ the author's first name  ✗ another  · nothing offered"
WAYS = ("without context", "with context")
LINES_BEFORE = 3


class DemoView:
    """Prints the demo piece by piece, as it is computed."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def intro(self, main: Path) -> None:
        """What is going to be shown."""
        files = sorted(main.parent.glob("*.py"), key=lambda file: (file == main, file.name))
        names = ", ".join(
            f"{file.name} ({len(file.read_text('utf-8').splitlines())} lines)" for file in files
        )
        self._rule("ghostfill demo")
        self._print(
            f"Three files of a small project: {names}. You are writing main.py; at each place below, what "
            "the author wrote behind the cursor has been cut away. The model is asked twice: without "
            "and with text of the other files."
        )

    def engine(self, start: Start) -> None:
        """The model, and how long it took to be there."""
        info = start.info
        came = "started and loaded" if start.was_loaded_now else "found ready"
        self._print(
            f"Engine: {info.model} model on {info.device} in {info.dtype}, {came} in {start.seconds:.1f} s. "
            f"Files indexed in {start.index_ms:.0f} ms."
        )

    def context(self, plan: Plan) -> None:
        """The files chosen for the first site, and what the marks below mean."""
        self._console.print()
        self._console.print(Padding(files_table(plan), (0, 0, 0, 2), expand=False))
        self._print(LEGEND)

    def site(self, number: int, of: int, comparison: Comparison) -> None:
        """One place: the code, both ghost texts, the author's."""
        cut = comparison.cut
        self._console.print()
        self._rule(f"{number} of {of} · main.py, line {cut.line}")
        code = Text(cut.lines_before(LINES_BEFORE), no_wrap=True, overflow="ellipsis")
        code.append(CURSOR, style="bold reverse" if self._console.is_terminal else "")
        self._console.print(Padding(code, (0, 0, 1, 2), expand=False))
        table = Table(box=None, padding=(0, 2, 0, 0), expand=True, pad_edge=False, header_style="dim")
        table.add_column(no_wrap=True)
        table.add_column(ratio=1, overflow="fold")
        for title in ("", "ms", "prefilled", "reused"):
            table.add_column(title, justify="right", no_wrap=True)
        for way, attempt in zip(WAYS, (comparison.without_context, comparison.with_context), strict=True):
            ghost = Text(_dedented(attempt.worked.text, cut), style=GHOST)
            table.add_row(way, ghost, Text(*MARKS[attempt.verdict]), *_cost(attempt))
        table.add_row(Text("author", style="dim"), Text(_dedented(cut.author, cut)))
        self._console.print(Padding(table, (0, 0, 0, 2)))

    def summary(self, comparisons: list[Comparison]) -> None:
        """How often each way was right, and what it cost."""
        self._console.print()
        self._rule("sum")
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
        table.add_column(no_wrap=True)
        for title in ("✓", "✓ or ≈", "first", "then, median", "prefilled", "reused"):
            table.add_column(title, justify="right", no_wrap=True)
        for way, attempts in zip(
            WAYS,
            ([each.without_context for each in comparisons], [each.with_context for each in comparisons]),
            strict=True,
        ):
            table.add_row(way, *_sums(attempts))
        self._console.print(Padding(table, (0, 0, 0, 2), expand=False))
        timings = comparisons[0].with_context.worked.completion.timings
        self._print(
            f"The very first request found {timings.reused_tokens:,} of its {timings.prompt_tokens:,} tokens "
            f"in the engine's cache and had to prefill {timings.prefilled_tokens:,}."
        )
        self._console.print()

    def typing(self, typing: Typing) -> None:
        """The simulated typist."""
        self._rule("typing")
        typed = "".join(key.char for key in typing.keys)
        self._print(
            f"{len(typing.keys)} keys, asked after each, whether or not an editor would show it: {typed}"
        )
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(justify="right", min_width=len("< 0.1 ms"))
        table.add_column()
        for label, value in _typing_rows(typing):
            table.add_row(value, label)
        self._console.print(Padding(table, (0, 0, 1, 2)))

    def _rule(self, title: str) -> None:
        characters = "─" if self._console.encoding.startswith("utf") else "-"
        self._console.print(Rule(Text(title, style="bold"), align="left", characters=characters, style="dim"))

    def _print(self, text: str) -> None:
        self._console.print(Padding(Text(text), (0, 0, 0, 2), expand=False))


def _dedented(text: str, cut: Cut) -> str:
    """Text for the hole, its later lines moved left as far as the cursor's line is indented."""
    line = cut.lines_before(1)
    return text.replace("\n" + line[: len(line) - len(line.lstrip())], "\n")


def _cost(attempt: Attempt) -> tuple[str, str, str]:
    """Milliseconds, tokens prefilled, tokens reused."""
    timings = attempt.worked.completion.timings
    return f"{attempt.worked.total_ms:.0f}", f"{timings.prefilled_tokens}", f"{timings.reused_tokens}"


def _sums(attempts: list[Attempt]) -> list[str]:
    """Of at least two."""
    verdicts = [attempt.verdict for attempt in attempts]
    timings = [attempt.worked.completion.timings for attempt in attempts]
    prefilled = sum(each.prefilled_tokens for each in timings)
    reused = sum(each.reused_tokens for each in timings)
    first, *others = [attempt.worked.total_ms for attempt in attempts]
    num_right_names = sum(verdict in (Verdict.EXACT, Verdict.RIGHT_NAME) for verdict in verdicts)
    return [
        f"{verdicts.count(Verdict.EXACT)} of {len(verdicts)}",
        f"{num_right_names} of {len(verdicts)}",
        f"{first:.0f} ms",
        f"{median(others):.0f} ms",
        f"{prefilled:,}",
        f"{reused:,}",
    ]


def _typing_rows(typing: Typing) -> list[tuple[str, str]]:
    """Labels and values."""
    rows = [
        ("keys followed the ghost text and needed no engine", str(typing.count(Answered.TYPED_THROUGH))),
        ("keys needed what was computed for an earlier one", str(typing.count(Answered.KNOWN))),
        ("keys were answered by the engine", str(typing.count(Answered.ENGINE))),
        ("keys got no answer, as inside a word", str(typing.count(Answered.NOBODY))),
    ]
    for label, answered in (("all keys", None), ("keys that the engine answered", Answered.ENGINE)):
        ms = typing.median_ms(answered)
        if ms is not None:
            rows.append((f"median of {label}", f"{ms:.1f} ms" if ms >= 0.1 else "< 0.1 ms"))
    per_key = typing.prefilled_per_key
    if per_key:
        rows.append(("prefilled for each of those, in tokens", ", ".join(map(str, per_key))))
    return rows
