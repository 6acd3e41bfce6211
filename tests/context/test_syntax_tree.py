"""a tree after an edit is the tree of the text, and offsets are bytes of its UTF-8."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from context.grammars import parser_of
from context.languages import language_named
from context.syntax.tree import SyntaxTree, common_prefix, common_suffix

PYTHON = """\
class A:
    '''Überall.'''

    def f(self, *rest):
        if self.x:
            return [1, 2]

    x = f'a{b}c'\r
    y = (1,
        2)


def g(日本):
    for i in h():
        # ↑ 😀
        print(i)
    else:
        pass
"""
TSX = """\
import { a } from 'b';

/** Ä */
export class A<T> {
  m(x: string): number {\r
    return `é${x}`;
  }
}
const b = <p title='😀'>{a ? c() : [1]}</p>;
// end
function f() {
  if (a) {
    g();
  } else {
    h({ i: 1 });
  }
}
"""
TEXTS = {"python": PYTHON, "typescriptreact": TSX}
PIECES = (
    "",
    "",
    "x",
    " ",
    "\n",
    "\r\n",
    "\n    ",
    "\n\ny = 1\n",
    "é",
    "日本",
    "😀",
    "(",
    ")",
    "{",
    "}",
    "'",
    '"',
    '"""',
    "`",
    "/*",
    "*/",
    "# c\n",
    "// c\n",
    "if x:\n",
)
TEXT = st.text("ab\n\ré😀", max_size=40)


def everything(tree: SyntaxTree) -> list[tuple[object, ...]]:
    """The whole tree with all its places: the oracle's form."""
    found: list[tuple[object, ...]] = []
    stack = [tree.root]
    while stack:
        node = stack.pop()
        places = node.start_byte, node.end_byte, tuple(node.start_point), tuple(node.end_point)
        found.append((node.type, node.is_missing, node.child_count, *places))
        stack += node.children
    return found


def edits(text: str) -> st.SearchStrategy[list[tuple[float, int, str]]]:
    return st.lists(
        st.tuples(st.floats(0, 1), st.sampled_from((0, 0, 0, 1, 2, 30)), st.sampled_from(PIECES)), max_size=12
    )


@pytest.mark.parametrize("language_id", TEXTS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_edits_give_the_tree_of_the_text(language_id: str, data: st.DataObject) -> None:
    """Inside errors the parser may settle differently on its way: only trees of sound texts are compared."""
    language = language_named(language_id)
    assert language is not None
    assert language.grammar is not None
    parser, first = parser_of(language.grammar), TEXTS[language_id]
    text, tree = first, SyntaxTree.parse(parser, first)
    assert not tree.root.has_error

    for where, num_deleted, piece in data.draw(edits(first)):
        start = int(where * len(text))
        text = text[:start] + piece + text[start + num_deleted :]
        tree = tree.updated(text)
        whole = SyntaxTree.parse(parser, text)
        assert tree.data == whole.data
        if not whole.root.has_error:
            assert everything(tree) == everything(whole)
    back = tree.updated(first)

    assert everything(back) == everything(SyntaxTree.parse(parser, first))


@given(TEXT, TEXT, TEXT, TEXT)
def test_what_two_texts_share_is_what_a_walk_finds(before: str, old: str, new: str, after: str) -> None:
    first, second = before + old + after, before + new + after
    same = common_prefix(first, second)
    limit = min(len(first), len(second)) - same

    assert same == walked(first, second)
    assert common_suffix(first, second, limit) == min(limit, walked(first[::-1], second[::-1]))


def walked(first: str, second: str) -> int:
    same = 0
    while first[same : same + 1] == second[same : same + 1] != "":
        same += 1
    return same


@given(TEXT)
def test_offsets_and_positions_are_each_others_inverse(text: str) -> None:
    language = language_named("python")
    assert language is not None
    assert language.grammar is not None
    tree = SyntaxTree.parse(parser_of(language.grammar), text)

    for offset in range(len(text) + 1):
        assert tree.position(offset) == len(text[:offset].encode())
        assert tree.offset(tree.position(offset)) == offset


def test_text_without_utf8_is_parsed() -> None:
    language = language_named("python")
    assert language is not None
    assert language.grammar is not None
    tree = SyntaxTree.parse(parser_of(language.grammar), "x = '\ud800'\n")

    assert tree.updated("x = '\ud800é'\ny = 1\n").position(7) == 8
