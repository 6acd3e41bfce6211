"""The page of a report: everything said, nothing loaded, nothing in it that could run or hide."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from context.plan import Considered
from context_reports import IMPORTS, report, row
from lsp_server.context_page import MAX_LEFT_OUT, context_page
from lsp_server.context_report import Cached, Section, Share
from lsp_server.folder_shares import folder_shares

VOID = {"meta", "wbr", "br"}
HOSTILE = [
    "</script><script>alert(1)</script>",
    "</pre></style></title><img src=x onerror=alert(1)>",
    "\"><a href='javascript:alert(1)'>",
    "' style=background:url(//evil.example/x) x='",
    "<!-- ]]> &lt; &amp; <![CDATA[",
    "{{ 7 * 7 }} ${x} %s {0}",
]


class Page(HTMLParser):
    """A page taken apart; fails on tags that do not match."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [values for tag, values in self.tags if tag == name]


def test_the_page_says_all_that_the_report_says() -> None:
    page = Page(context_page(report(notes=("The index was not complete.",))))

    for words in (
        "pkg/main.py:7:5",
        "/home/me/app",
        "builtin on cpu, engine running",
        "The index was not complete.",
        "654",  # the prompt
        "1,000",  # its limit
        "120",  # cached
        "defines pkg/models.py",
        "text of pkg/store.py",
        "this file, from line 1 to the cursor",
        "pkg/unwanted.py",
        "about 777",
    ):
        assert words in page.text, words
    assert page.text.count("partly") == 1


def test_every_row_has_its_text_behind_a_summary_in_prompt_order() -> None:
    html = context_page(report())

    places = [
        html.index(f"<code>text of {path}") for path in ("pkg/models.py", "pkg/store.py", "pkg/main.py")
    ]
    assert places == sorted(places)
    assert len(Page(html).all("pre")) == 4
    assert len(Page(html).all("details")) == 4 + 1  # and the imports as a list


def test_a_segment_that_was_not_sent_is_marked() -> None:
    page = Page(context_page(report(row(Section.NEAR, "pkg/late.py", 60, None))))

    assert "not sent" in page.text
    assert "pkg/late.py" in page.text


def test_bars_are_as_wide_as_their_tokens() -> None:
    page = Page(context_page(report()))
    widths = [str(values["style"]) for values in page.all("span") if "flex-grow" in str(values.get("style"))]

    assert widths[:7] == [f"flex-grow:{number}" for number in (100, 50, 300, 200, 4, 128, 218)]
    assert widths[7:] == ["flex-grow:150"]  # one folder


def test_a_vendored_folder_is_striped() -> None:
    folders = folder_shares([("vendor/x.py", 90), ("pkg/a.py", 10)], "pkg/main.py")
    page = Page(context_page(report(folders=folders)))

    assert [values["style"] for values in page.all("span") if values.get("class") == "vendored"] == [
        "flex-grow:90"
    ]


def test_many_folders_become_one_rest() -> None:
    folders = folder_shares([(f"f{number:02}/a.py", 100 - number) for number in range(12)], "pkg/main.py")
    page = Page(context_page(report(folders=folders)))

    assert "6 more folders" in page.text
    assert "f05" in page.text
    assert "f06" not in page.text


def test_thousands_left_out_are_bounded() -> None:
    files = tuple(Considered(f"pkg/no_{number}.py", "same folder", 5, False) for number in range(3000))
    html = context_page(report(considered=files))

    assert html.count("pkg/<wbr>no_") == MAX_LEFT_OUT
    assert "And 2,900 more." in html


@pytest.mark.parametrize("evil", HOSTILE)
def test_nothing_in_a_repository_becomes_markup(evil: str) -> None:
    """Paths, reasons, kinds, texts, notes, folders, names of models: all shown as they are written."""
    harmless = Page(context_page(hostile_report("x")))

    page = Page(context_page(hostile_report(evil)))

    assert [tag for tag, _ in page.tags if tag != "wbr"] == [tag for tag, _ in harmless.tags if tag != "wbr"]
    assert [sorted(values) for _, values in page.tags if values] == [
        sorted(values) for _, values in harmless.tags if values
    ]
    assert page.text.count(evil) >= 10


def hostile_report(text: str):
    imports = replace(IMPORTS, nodes=tuple(replace(n, path=f"{n.path}{text}") for n in IMPORTS.nodes))
    imports = replace(imports, edges=tuple((f"{a}{text}", f"{b}{text}") for a, b in IMPORTS.edges))
    return report(
        row(Section.NEAR, text, 5, 150, kind=text, reason=text, text=text),
        file=text,
        root=text,
        model=text,
        device=text,
        notes=(text,),
        folders=folder_shares([(f"{text}/a.py", 5)], text),
        considered=(Considered(text, text, 5, False),),
        imports=imports,
    )


@pytest.mark.parametrize("code", [0x202E, 0x2066, 0x200B, 0xFEFF, 0x1B, 0x00, 0x7F, 0x85, 0x2028, 0xD800])
def test_characters_that_hide_or_turn_text_round_are_named(code: int) -> None:
    """Trojan source: what is shown is what the model reads."""
    html = context_page(report(row(Section.NEAR, f"a{chr(code)}b.py", 5, 150, text=f"x = 1{chr(code)}# y\n")))

    assert chr(code) not in html
    assert html.count(f"⟨U+{code:04X}⟩") >= 2
    html.encode()


def test_nothing_is_loaded_or_run() -> None:
    html = context_page(report())
    page = Page(html)

    policy = next(values["content"] for values in page.all("meta") if values.get("http-equiv"))
    assert str(policy).startswith("default-src 'none'; style-src 'unsafe-inline'")
    for name in ("script", "link", "img", "iframe", "object", "embed", "base", "form", "input"):
        assert page.all(name) == [], name
    for _, values in page.tags:
        assert not any(name.startswith("on") or name in ("src", "srcset", "action") for name in values)
        assert all(str(values.get(name, "#")).startswith("#") for name in ("href", "xlink:href"))
    assert "url(" not in html
    assert "@import" not in html


def test_the_page_can_be_read_without_eyes_and_by_keyboard() -> None:
    """Headings in order, tables with headers, a name for what scrolls, words for the picture and the bars."""
    html = context_page(report())
    page = Page(html)

    assert [tag for tag, _ in page.tags if tag in ("h1", "h2", "h3")] == ["h1", *["h2"] * 5]
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("thead")) == len(page.all("table")) == 4
    assert all(values.get("scope") in ("col", "row") for values in page.all("th"))
    assert all(values.get("aria-label") for values in page.all("div") if values.get("tabindex") == "0")
    assert all(
        values.get("aria-hidden") == "true" for values in page.all("div") if values.get("class") == "bar"
    )
    (picture,) = page.all("svg")
    assert picture["role"] == "img"
    assert "3 files, 2 imports" in str(picture["aria-label"])
    assert "The same as a list" in page.text
    names = {values["id"] for _, values in page.tags if "id" in values}
    assert {str(values["href"]).removeprefix("#") for values in page.all("a")} <= names


def test_a_report_of_nothing_is_a_page_too() -> None:
    empty = report(
        rows=(),
        folders=(),
        considered=(),
        imports=replace(IMPORTS, nodes=IMPORTS.nodes[:1], edges=()),
        cached_tokens=None,
        shares=(Share(Section.UNUSED, 1000),),
    )

    page = Page(context_page(empty))

    assert "unknown" in page.text
    assert "No import between pkg/main.py and other files of the workspace is known." in page.text
    assert page.all("svg") == []


def test_a_huge_text_makes_a_page_of_about_its_size() -> None:
    huge = row(Section.NEAR, "big.js", 5, 150, text="x=1;" * 1_000_000, cached=Cached.NO)

    assert len(context_page(report(huge))) < 4_200_000


def test_equal_reports_give_equal_pages() -> None:
    assert context_page(report()) == context_page(report())
