"""A `ContextReport` as one HTML page: no script, nothing loaded, light and dark, fit to print. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from lsp_server.context_report import ContextReport, Row, Section
from lsp_server.folder_shares import FolderShare
from lsp_server.import_picture import HEADINGS, import_picture
from lsp_server.markup import attributes, esc, esc_path, tag

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
MAX_FOLDERS = 6
MAX_LEFT_OUT = 100

WHAT = {
    Section.FROZEN: "context for the whole file",
    Section.NEAR: "context for the cursor's place",
    Section.SIMILAR: "similar text",
    Section.PREFIX: "this file before the cursor",
    Section.SUFFIX: "this file after the cursor",
    Section.MARKS: "marks and the file's name",
    Section.ANSWER: "kept for the answer",
    Section.UNUSED: "unused",
}


def context_page(report: ContextReport) -> str:
    """The whole page."""
    title = f"{report.file}:{report.line}:{report.column}"
    style = Path(__file__).with_name("context_page.css").read_text(encoding="utf-8")
    head = "".join(
        (
            '<meta charset="utf-8">',
            f"<meta{attributes(http_equiv='Content-Security-Policy', content=POLICY)}>",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            tag("title", f"Context of {esc(title)}"),
            tag("style", style),
        )
    )
    body = "\n".join((_top(report, title), *(markup for markup in _sections(report) if markup)))
    html = tag("head", head) + "\n" + tag("body", tag("main", f"\n{body}\n"))
    return f"<!doctype html>\n{tag('html', html, lang='en')}\n"


def _sections(report: ContextReport) -> Iterable[str]:
    yield _budget(report)
    yield _folders(report)
    yield _prompt(report)
    yield _left_out(report)
    yield _imports(report)


def _top(report: ContextReport, title: str) -> str:
    engine = "running" if report.is_engine_running else "not running"
    where = f"in {esc_path(report.root)} · {esc(report.model)} on {esc(report.device)}"
    links = {
        "budget": "Token budget",
        "folders": "Where it comes from" if report.folders else "",
        "prompt": "The prompt in order",
        "left-out": "Left out" if report.left_out else "",
        "imports": "Imports",
    }
    items = "".join(tag("li", tag("a", text, href=f"#{name}")) for name, text in links.items() if text)
    notes = "".join(tag("p", esc(note), class_="note", role="note") for note in report.notes)
    return (
        tag(
            "header",
            tag("h1", tag("bdi", esc(title))) + tag("p", f"{where}, engine {engine}", class_="muted"),
        )
        + _tiles(report)
        + notes
        + tag("nav", tag("ul", items), aria_label="On this page")
    )


def _tiles(report: ContextReport) -> str:
    sent = [row for row in report.segments if row.is_sent]
    files = len({row.path for row in sent})
    cached = "unknown" if report.cached_tokens is None else f"{report.cached_tokens:,}"
    tiles = (
        ("prompt", f"{report.prompt_tokens:,}", f"of {report.limit_tokens:,} tokens, answer included"),
        ("from other files", f"{report.context_tokens:,}", f"of {report.context_limit_tokens:,} tokens"),
        ("files", f"{files:,}", f"in {_number(len(sent), 'segment')}, {len(report.left_out):,} left out"),
        ("already in the engine", cached, "leading tokens, not to be read again"),
    )
    return tag(
        "dl",
        "".join(
            tag("div", tag("dt", esc(name)) + tag("dd", f"{esc(value)}{tag('small', esc(more))}"))
            for name, value, more in tiles
        ),
        class_="tiles",
    )


def _budget(report: ContextReport) -> str:
    shares = [share for share in report.shares if share.num_tokens]
    rows = [
        (str(share.section), WHAT[share.section], share.num_tokens, share.num_tokens / report.limit_tokens)
        for share in shares
    ]
    about = (
        f"One request may take {report.limit_tokens:,} tokens, {report.context_limit_tokens:,} of them "
        "for text of other files."
    )
    return _section("budget", "Token budget", about, _bar(rows) + _shares_table("part", rows))


def _folders(report: ContextReport) -> str:
    if not report.folders:
        return ""
    shown = list(report.folders[:MAX_FOLDERS])
    own, other = iter((1, 2)), iter((1, 2, 3, 4, 5))
    rows = [
        (_folder_class(folder, own, other), folder.folder, folder.num_tokens, folder.share)
        for folder in shown
    ]
    if rest := report.folders[MAX_FOLDERS:]:
        tokens = sum(folder.num_tokens for folder in rest)
        share = sum(folder.share for folder in rest)
        rows.append(("unused", f"{len(rest):,} more folders", tokens, share))
    about = "Folders that the text of other files was taken from."
    return _section(
        "folders", "Where the tokens come from", about, _bar(rows) + _shares_table("folder", rows, "path")
    )


def _folder_class(folder: FolderShare, own: Iterator[int], other: Iterator[int]) -> str:
    if folder.is_vendored:
        return "vendored"
    return f"own{next(own, 2)}" if folder.is_own else f"other{next(other, 5)}"


def _bar(rows: Iterable[tuple[str, str, int, float]]) -> str:
    """Proportional pieces; the table below it says the same in words."""
    pieces = "".join(
        tag("span", "", class_=name, style=f"flex-grow:{tokens}", title=f"{label}: {tokens:,}")
        for name, label, tokens, _ in rows
    )
    return tag("div", pieces, class_="bar", aria_hidden="true")


def _shares_table(what: str, rows: Iterable[tuple[str, str, int, float]], label_class: str = "") -> str:
    lines = "".join(
        tag(
            "tr",
            tag(
                "th",
                f'<span class="swatch {esc(name)}"></span>' + tag("bdi", esc(label), class_=label_class),
                scope="row",
            )
            + tag("td", f"{tokens:,}", class_="number")
            + tag("td", f"{share:.1%}", class_="number"),
        )
        for name, label, tokens, share in rows
    )
    head = _head((what, ""), ("tokens", "number"), ("share", "number"))
    return tag("table", head + tag("tbody", lines), class_="plain fit")


def _prompt(report: ContextReport) -> str:
    head = _head(
        ("#", "number"), ("file", ""), ("kind", ""), ("reason", ""), ("tokens", "number"), ("cached", "")
    )
    largest = max((row.num_tokens for row in report.rows), default=1)
    bodies = "".join(_row(number, row, largest) for number, row in enumerate(report.rows, 1))
    about = "Every piece as the model reads it, from first to last; open one to see its text."
    table = tag("table", head + bodies, class_="prompt")
    return _section(
        "prompt", "The prompt in order", about, _scroll(table, "The prompt in order"), class_="long"
    )


def _row(number: int, row: Row, largest: int) -> str:
    swatch = f'<span class="swatch {row.section}" title="{esc(WHAT[row.section])}"></span>'
    path = esc_path(row.path)
    cached = tag("span", str(row.cached) if row.is_sent else "not sent", class_=f"badge {row.cached}")
    cells = (
        tag("td", f"{number}", class_="number muted")
        + tag("td", tag("span", swatch + path, class_="name"))
        + tag("td", esc(row.kind.replace("_", " ")))
        + tag("td", esc(row.reason))
        + tag("td", f"{row.num_tokens:,}{_meter(row.num_tokens / largest)}", class_="number")
        + tag("td", cached)
    )
    lines = row.text.rstrip("\n").count("\n") + 1
    summary = tag("summary", f"{_number(lines, 'line')}{_of(row)}")
    text = tag("pre", tag("code", esc(row.text)), tabindex=0)
    more = tag("td", "") + tag("td", tag("details", summary + text), colspan=5)
    name = "unsent" if not row.is_sent else "sent"
    return tag("tbody", tag("tr", cells) + tag("tr", more, class_="text"), class_=name)


def _meter(share: float) -> str:
    return f'<span class="meter" style="width:{max(2, 64 * share):.0f}px"></span>'


def _of(row: Row) -> str:
    """Which row a summary belongs to, for those who hear it without its line."""
    return f'<span class="muted"> · {esc(WHAT[row.section])}</span>'


def _left_out(report: ContextReport) -> str:
    if not report.left_out:
        return ""
    rows = "".join(
        tag(
            "tr",
            tag("th", esc_path(file.path), scope="row")
            + tag("td", esc(file.reason))
            + tag("td", f"about {file.num_tokens:,}", class_="number"),
        )
        for file in report.left_out[:MAX_LEFT_OUT]
    )
    about = "Considered, the most wanted first, but the budget was spent or other files said more."
    rest = len(report.left_out) - MAX_LEFT_OUT
    more = tag("p", f"And {rest:,} more.", class_="muted") if rest > 0 else ""
    head = _head(("file", ""), ("reason", ""), ("would take", "number"))
    table = _scroll(tag("table", head + tag("tbody", rows), class_="plain"), "Files left out")
    return _section("left-out", "Left out", about, table + more, class_="long")


def _imports(report: ContextReport) -> str:
    chosen = {row.path for row in report.segments if row.is_sent}
    picture = import_picture(report.imports, chosen)
    if not picture:
        about = f"No import between {report.file} and other files of the workspace is known."
        return _section("imports", "Imports around the file", about, "")
    key = (
        '<p class="muted"><span class="key self"></span>this file<span class="key chosen"></span>text of it '
        'is sent<span class="key"></span>nothing of it is sent</p>'
    )
    about = (
        "Lines run from the importing file to the imported one, from left to right. Dashed: any other way."
    )
    return _section(
        "imports",
        "Imports around the file",
        about,
        key + _scroll(picture, "Import graph") + _imports_in_words(report, chosen),
    )


def _imports_in_words(report: ContextReport, chosen: set[str]) -> str:
    words = []
    for distance, heading in HEADINGS.items():
        paths = [node.path for node in report.imports.nodes if node.distance == distance]
        if paths and distance:
            items = "".join(
                tag("li", esc_path(path) + (" (sent)" if path in chosen else "")) for path in paths
            )
            words.append(tag("dt", esc(heading)) + tag("dd", tag("ul", items)))
    return tag("details", tag("summary", "The same as a list") + tag("dl", "".join(words)))


def _section(name: str, title: str, about: str, inner: str, *, class_: str = "") -> str:
    heading = tag("h2", esc(title), id=f"{name}-title") + tag("p", esc(about), class_="about")
    return tag("section", heading + inner, id=name, class_=class_, aria_labelledby=f"{name}-title")


def _scroll(inner: str, label: str) -> str:
    """Wide things scroll by themselves, by keyboard too."""
    return tag("div", inner, class_="scroll", tabindex=0, role="region", aria_label=label)


def _head(*columns: tuple[str, str]) -> str:
    cells = "".join(tag("th", esc(name), scope="col", class_=class_) for name, class_ in columns)
    return tag("thead", tag("tr", cells))


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
