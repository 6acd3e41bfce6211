"""recent_edits: what the user changed lately is found, moves with later edits, and is never old text."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from context.recent_edits import (
    FEW_LINES,
    MAX_AGE_SECONDS,
    MAX_CHARS,
    MAX_EDIT_LINES,
    MAX_EDITS,
    MAX_REPLACED_LINES,
    MAX_RUNS,
    RecentEdits,
    changed_runs,
)

FILE = [f"line_{number} = {number}" for number in range(100)]


class Editor:
    """A clock, buffers, and the edits found in them."""

    def __init__(self) -> None:
        self.now = 0.0
        self.edits = RecentEdits(lambda: self.now)
        self.texts: dict[str, str] = {}

    def show(self, lines: list[str], key: str = "a.py") -> None:
        """The buffer has these lines now."""
        self.texts[key] = "\n".join(lines)
        self.edits.note(key, self.texts[key])

    def changed(self) -> list[tuple[str, list[str]]]:
        """Files and lines of the edits, the newest first."""
        return [(edit.key, list(edit.changed)) for edit in self.edits.newest(self.texts.__getitem__)]


@pytest.fixture
def editor() -> Editor:
    editor = Editor()
    editor.show(FILE)
    return editor


def replaced(lines: list[str], first: int, end: int, new: list[str]) -> list[str]:
    return [*lines[:first], *new, *lines[end:]]


# What is an edit


def test_opening_a_file_is_no_edit(editor: Editor) -> None:
    assert editor.changed() == []


@pytest.mark.parametrize(
    ("first", "end", "new"),
    [(40, 41, ["new"]), (40, 40, ["one", "two"]), (40, 44, ["less"]), (0, 1, ["top"]), (99, 100, ["bottom"])],
    ids=["a line", "lines more", "lines less", "the first line", "the last line"],
)
def test_the_changed_lines_are_the_edit(editor: Editor, first: int, end: int, new: list[str]) -> None:
    editor.show(replaced(FILE, first, end, new))

    assert editor.changed() == [("a.py", new)]


def test_taking_lines_away_leaves_nothing_to_show(editor: Editor) -> None:
    editor.show(replaced(FILE, 40, 44, []))
    editor.show(replaced(FILE, 40, 44, ["", "   "]))

    assert editor.changed() == []


def test_a_name_changed_in_several_places_is_as_many_edits(editor: Editor) -> None:
    lines = list(FILE)
    lines[10] = lines[50] = lines[90] = "renamed"

    editor.show(lines)

    assert editor.changed() == [("a.py", ["renamed"])] * 3


def test_a_name_changed_at_both_ends_of_a_long_file_is_two_edits() -> None:
    editor = Editor()
    lines = [f"line {number}" for number in range(2000)]
    editor.show(lines)
    lines[10] = lines[1990] = "renamed"

    editor.show(lines)

    assert editor.changed() == [("a.py", ["renamed"])] * 2


def test_an_import_added_far_above_the_typed_line_is_an_edit_of_its_own(editor: Editor) -> None:
    editor.show(["import json", *replaced(FILE, 90, 91, ["json.dumps(1)"])])

    assert sorted(lines for _, lines in editor.changed()) == [["import json"], ["json.dumps(1)"]]


def many_places() -> list[str]:
    return [f"{line}  # tidy" if not number % 9 else line for number, line in enumerate(FILE)]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([f"other {number}" for number in range(100)], id="another file's text"),
        pytest.param(
            [line if number < 30 else line + ";" for number, line in enumerate(FILE)], id="most lines"
        ),
        pytest.param(many_places(), id="many places"),
    ],
)
def test_a_reload_or_a_formatter_is_no_edit(editor: Editor, lines: list[str]) -> None:
    assert len(changed_runs(FILE, lines)) > MAX_RUNS or sum(map(str.__ne__, FILE, lines)) > 60

    editor.show(lines)

    assert editor.changed() == []


def test_a_large_part_in_place_of_another_is_no_edit() -> None:
    editor = Editor()
    lines = [f"line {number}" for number in range(2000)]
    editor.show(lines)

    editor.show(replaced(lines, 500, 500 + MAX_REPLACED_LINES + 1, [f"new {row}" for row in range(250)]))

    assert editor.changed() == []


def test_the_first_lines_of_a_new_file_are_an_edit() -> None:
    editor = Editor()
    editor.show([""])
    editor.show(["x = 1"] * FEW_LINES)

    assert editor.changed() == [("a.py", ["x = 1"] * FEW_LINES)]


def test_line_ends_of_any_kind_are_the_same() -> None:
    editor = Editor()
    editor.edits.note("a.py", "\r\n".join(FILE))
    editor.edits.note("a.py", "\n".join(FILE))
    editor.edits.note("a.py", "\r\n".join(replaced(FILE, 40, 41, ["mine"])))
    editor.texts["a.py"] = "\n".join(replaced(FILE, 40, 41, ["mine"]))

    assert editor.changed() == [("a.py", ["mine"])]


def test_a_huge_file_is_left_alone(editor: Editor) -> None:
    editor.show(replaced(FILE, 4, 5, ["small"]))
    editor.show(["x" * (MAX_CHARS + 1)])
    editor.show(["y" + "x" * (MAX_CHARS + 1)])

    assert editor.changed() == []


# One edit or several


def test_changes_close_to_each_other_are_one_edit(editor: Editor) -> None:
    lines = replaced(FILE, 40, 41, ["one"])
    editor.show(lines)
    editor.show(replaced(lines, 43, 44, ["two"]))

    assert editor.changed() == [("a.py", ["one", *FILE[41:43], "two"])]


def test_a_large_part_takes_in_the_edit_that_it_replaces(editor: Editor) -> None:
    editor.show(replaced(FILE, 40, 41, ["one"]))
    large = [f"pasted {number}" for number in range(MAX_EDIT_LINES + 10)]
    editor.show(replaced(FILE, 40, 41, large))

    assert editor.changed() == [("a.py", large)]


def test_lines_taken_away_nearby_leave_an_edit_as_it_is(editor: Editor) -> None:
    lines = replaced(FILE, 40, 41, ["mine"])
    editor.show(lines)
    editor.show(replaced(lines, 46, 48, []))

    assert editor.changed() == [("a.py", ["mine"])]


def test_changes_far_apart_are_two_and_the_newest_comes_first(editor: Editor) -> None:
    lines = replaced(FILE, 40, 41, ["one"])
    editor.show(lines)
    editor.now += 1
    editor.show(replaced(lines, 80, 81, ["two"]))

    assert editor.changed() == [("a.py", ["two"]), ("a.py", ["one"])]


def test_a_function_that_grows_line_by_line_is_several_edits(editor: Editor) -> None:
    lines = list(FILE)
    for number in range(50):
        editor.now += 1
        lines.insert(50 + number, f"grown {number}")
        editor.show(lines)

    found = [lines for _, lines in editor.changed()]

    assert max(map(len, found)) <= MAX_EDIT_LINES
    assert [line for part in reversed(found) for line in part] == [f"grown {number}" for number in range(50)]


def test_the_latest_edits_are_kept(editor: Editor) -> None:
    for number in range(MAX_EDITS + 5):
        editor.now += 1
        editor.show(["x = 1", "y = 2"], f"{number}.py")
        editor.show(["x = 1", "y = 3"], f"{number}.py")

    assert [key for key, _ in editor.changed()] == [f"{number}.py" for number in range(MAX_EDITS + 4, 4, -1)]


# Where an edit is now


def test_lines_above_move_an_edit(editor: Editor) -> None:
    lines = replaced(FILE, 40, 41, ["mine"])
    editor.show(lines)

    for first, end, new in ((0, 0, ["more"] * 7), (10, 15, []), (60, 61, ["below"])):
        lines = replaced(lines, first, end, new)
        editor.now += 1
        editor.show(lines)

    assert ("a.py", ["mine"]) in editor.changed()


def test_an_edit_vanishes_with_its_text(editor: Editor) -> None:
    editor.show(replaced(FILE, 40, 41, ["mine"]))
    editor.show(replaced(FILE, 40, 41, []))

    assert editor.changed() == []


def test_an_edit_that_is_edited_shows_its_new_text(editor: Editor) -> None:
    editor.show(replaced(FILE, 40, 41, ["one", "two", "three"]))
    editor.show(replaced(FILE, 40, 41, ["one", "2", "three"]))

    assert editor.changed() == [("a.py", ["one", "2", "three"])]


def test_a_reload_forgets_the_edits_of_its_file_only(editor: Editor) -> None:
    editor.show(["x = 1", "y = 2"], "b.py")
    editor.show(["x = 1", "y = 3"], "b.py")
    editor.show(replaced(FILE, 40, 41, ["mine"]))

    editor.show([f"other {number}" for number in range(100)])

    assert editor.changed() == [("b.py", ["y = 3"])]


def test_text_that_was_not_told_yet_moves_edits_too(editor: Editor) -> None:
    """A plan is made from the text as it is; what is typed is told half a second later."""
    lines = replaced(FILE, 40, 41, ["mine"])
    editor.show(lines)
    editor.texts["a.py"] = "\n".join(["typed"] * 5 + lines[:50])

    assert editor.changed() == [("a.py", ["mine"])]


def test_an_edit_that_cannot_be_found_in_the_text_of_now_is_not_shown(editor: Editor) -> None:
    editor.show(replaced(FILE, 40, 41, ["mine"]))
    editor.texts["a.py"] = "\n".join(f"other {number}" for number in range(100))

    assert editor.changed() == []


lines_of_a_file = st.lists(st.sampled_from(["", "a", "b", "    c", "d"]), max_size=30)


@given(lines_of_a_file, lines_of_a_file)
def test_runs_lead_from_the_old_text_to_the_new(old: list[str], new: list[str]) -> None:
    runs = changed_runs(old, new)

    made, at = [], 0
    for run in runs:
        made += old[at : run.old_first]
        assert len(made) == run.new_first
        made += new[run.new_first : run.new_end]
        at = run.old_end
    assert made + old[at:] == new
    assert (old == new) == (not runs)


def test_whatever_is_edited_an_edit_holds_what_is_left_of_its_lines_and_no_old_text() -> None:
    """Every line is written once only, so that each can be followed."""
    chance = random.Random(5)
    for _ in range(60):
        editor = Editor()
        lines = list(FILE)
        editor.show(lines)
        mine = [f"mine {number}" for number in range(chance.randrange(1, 6))]
        start = chance.randrange(100)
        lines[start:start] = mine
        editor.show(lines)
        for step in range(12):
            at, gone = chance.randrange(len(lines)), chance.randrange(4)
            lines[at : at + gone] = [f"step {step} {number}" for number in range(chance.randrange(4))]
            editor.now += 1
            editor.show(lines)

        found = {line for _, edit in editor.changed() for line in edit}
        assert {line for line in mine if line in lines} <= found <= set(lines)


# Time, opening, closing


def test_an_edit_is_forgotten_after_some_minutes(editor: Editor) -> None:
    editor.show(replaced(FILE, 40, 41, ["mine"]))
    editor.now += MAX_AGE_SECONDS - 1
    assert editor.changed()

    editor.now += 1

    assert editor.changed() == []


def test_the_edits_of_a_closed_file_stay_as_long_as_it_says_the_same(editor: Editor) -> None:
    mine = replaced(FILE, 40, 41, ["mine"])
    editor.show(mine)
    editor.edits.note_closed("a.py")
    assert editor.changed() == [("a.py", ["mine"])]

    editor.show(mine)
    assert editor.changed() == [("a.py", ["mine"])]


def test_a_file_that_comes_back_with_another_text_has_no_edits(editor: Editor) -> None:
    editor.show(replaced(FILE, 40, 41, ["mine"]))
    editor.edits.note_closed("a.py")

    editor.show(replaced(FILE, 40, 41, ["theirs"]))

    assert editor.changed() == []


def test_nothing_is_kept_of_a_closed_file_without_edits(editor: Editor) -> None:
    editor.edits.note_closed("a.py")
    editor.show(replaced(FILE, 40, 41, ["mine"]))

    assert editor.changed() == []


def test_changes_elsewhere_are_counted(editor: Editor) -> None:
    count: Callable[[str], int] = editor.edits.num_noted_elsewhere
    editor.show(FILE)
    assert (count("a.py"), count("b.py")) == (0, 0)

    editor.show(replaced(FILE, 40, 41, ["mine"]))

    assert (count("a.py"), count("b.py")) == (0, 1)
