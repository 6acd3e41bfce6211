"""A model's Markdown in a page: what it shapes stays, and no reader finds a link, an image or HTML in it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from lsp_server.actions.safe_markdown import model_markdown

READERS = [MarkdownIt("commonmark"), MarkdownIt("js-default", {"html": True})]
READERS[1].enable("table")
for reader in READERS:
    reader.validateLink = lambda url: True  # type: ignore[method-assign]  # as editors read it: any scheme
FORBIDDEN = {"link_open", "image", "html_inline", "html_block"}
ADDRESS = re.compile(
    r"(?i)(?:https?|ftp|file|command|vscode|mailto|javascript):\S|www\.\w|//\w|\w@\w|\w\.(?:com|org|py|рф)\b"
)
"""What linkifiers make links of, wherever it is not code."""
PIECES = [
    *(
        "[a](command:x)",
        "![i](http://e.com/x.png)",
        "<https://e.com>",
        "<b>",
        "</b>",
        "<!--",
        "-->",
        "<script>",
    ),
    *(
        "https://e.com/a(b)c",
        "www.e.com",
        "me@e.com",
        "main.py",
        "e\\.com",
        "http\\://e.com",
        "&colon;",
        "&#91;",
    ),
    *("[r]: http://e.com", "[r]", "[^1]", "![", "](", "]", "[", "(", ")", "\\", "\\\\", "\\[", "\\`"),
    *("`", "``", "```", "````", "~~~", "```py", "- ```", "   ```", "    ```", "\t```", "> ```", "1. ~~~ x"),
    *("| a | b |", "|---|---|", "---", "===", "a | b", "`[x](command:y) | z`", "|a"),
    *(
        "- ",
        "1. ",
        "    ",
        "  ",
        "> ",
        "# ",
        "*",
        "**",
        "_",
        "__x__",
        "$",
        "$$",
        "word",
        " ",
        "\n",
        "\n\n",
        "\r\n",
    ),
    *("\u202e", "\u2028", "\u00a0", "\x0c", "\r", "<", ">", "&", "|", ":", "/", ".", "@", "!", "x"),
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=24).map("".join)


def tokens(markdown: str, reader: MarkdownIt = READERS[0]) -> list[Token]:
    """All of them, those inside of lines too."""
    found = reader.parse(markdown)
    return [inner for token in found for inner in (token, *(token.children or ()))]


@given(TEXTS)
def test_whatever_a_model_says_is_neither_link_nor_image_nor_html(text: str) -> None:
    page = f"# Facts\n\n---\n\n**Words**:\n\n{model_markdown(text)}\n\nGiven\n"
    for reader in READERS:
        found = tokens(page, reader)
        assert not FORBIDDEN & {token.type for token in found}
        assert all(not ADDRESS.search(token.content) for token in found if token.type == "text")


@given(TEXTS)
def test_what_stands_below_it_is_never_part_of_it(text: str) -> None:
    """No fence, list or quotation stays open."""
    last = READERS[0].parse(f"{model_markdown(text)}\n\nGiven\n")[-3:]
    assert [token.type for token in last] == ["paragraph_open", "inline", "paragraph_close"]
    assert last[1].content == "Given"
    assert last[0].level == 0


@given(TEXTS, TEXTS)
def test_what_comes_later_changes_no_paragraph_that_is_complete(early: str, late: str) -> None:
    text = f"{early}\n\nwhole\n\n"
    if model_markdown(text).endswith("\n\nwhole"):  # else it is inside of a fence
        assert model_markdown(f"{text}{late}").startswith(model_markdown(text))


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("# Title\n\nText.", {"heading_open"}),
        ("1. one\n2. two\n   - three", {"ordered_list_open", "bullet_list_open"}),
        ("*so* and **very** much", {"em_open", "strong_open"}),
        ("with `code` in it", {"code_inline"}),
        ("```python\nx = 1\n```", {"fence"}),
        ("> said", {"blockquote_open"}),
    ],
)
def test_what_shapes_it_stays(text: str, kinds: set[str]) -> None:
    assert model_markdown(text) == text
    assert kinds <= {token.type for token in tokens(text)}


def test_code_stays_as_it_is_and_says_its_language() -> None:
    text = "Do:\n\n1. This\n   ```python\n   a = [b](c)\n     d <e> `f`\n   ```\n2. That\n\n~~~\n```\n~~~"
    fences = [token for token in tokens(model_markdown(text)) if token.type == "fence"]
    assert [(each.info, each.content) for each in fences] == [
        ("python", "a = [b](c)\n  d <e> `f`\n"),
        ("", "```\n"),
    ]


def test_a_fence_that_is_not_closed_yet_is_closed_for_now() -> None:
    assert model_markdown("So:\n\n```js\nlet a") == "So:\n\n```js\nlet a\n```"
    assert model_markdown("```") == "```\n\n```"


def test_names_of_files_and_of_code_are_code() -> None:
    said = model_markdown(
        "Look at pkg/main.py, at __init__, at self.items and **os.path**; e.g. 3.14 and 10:30."
    )
    assert said == (
        "Look at `pkg/main.py`, at `__init__`, at `self.items` and **`os.path`**; e.g. 3.14 and 10:30."
    )


def test_a_table_stands_as_it_was_written() -> None:
    assert model_markdown("| a | b |\n|---|---|\n| 1 | 2 |\nend") == (
        "```\n| a | b |\n|---|---|\n| 1 | 2 |\n```\nend"
    )


def test_what_nobody_can_see_is_shown_there_too() -> None:
    assert "\u202e" not in model_markdown("a\u202eb `c\u202ed`\n```\ne\u202ef")
