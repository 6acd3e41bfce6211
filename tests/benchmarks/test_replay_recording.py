"""A recorded session: its steps, what was typed after each key, and what could have been accepted."""

import gzip
import json

import pytest

from benchmarks.replay import recording
from benchmarks.replay.conversation import Asked
from benchmarks.replay.document import Document
from benchmarks.replay.ghost import Ghost
from benchmarks.replay.recording import Edit, applied, read, steps_of
from benchmarks.replay.rerun import Viewer


def log(*entries, text=""):
    start = [
        {"kind": "documentEncountered", "id": 1, "relativePath": "src\\a.ts", "time": 0},
        {"kind": "setContent", "id": 1, "content": text, "time": 1000},
    ]
    return [*start, *entries]


def changed(time, *edits):
    return {"kind": "changed", "id": 1, "edit": [list(edit) for edit in edits], "time": time}


def typed(text, start=0, time=1000):
    return [changed(time + 100 * num, (start + num, start + num, char)) for num, char in enumerate(text, 1)]


def test_long_pauses_are_shortened_and_time_does_not_go_back():
    entries = [changed(1500, (0, 0, "a")), changed(60_000, (1, 1, "b")), changed(59_000, (2, 2, "c"))]
    assert [step.seconds for step in steps_of(log(*entries))] == [0.0, 0.5, 2.5, 2.5]


def test_paths_are_ours_and_stored_texts_come_back():
    entries = [
        {"kind": "storeContent", "id": 1, "contentId": "x", "time": 1},
        changed(1100, (0, 1, "")),
        {"kind": "restoreContent", "id": 1, "contentId": "x", "time": 1200},
    ]
    steps = steps_of(log(*entries, text="abc"))
    assert {step.path for step in steps} == {"src/a.ts"}
    assert steps[-1].content == "abc"


def test_offsets_become_code_points_and_edits_of_one_step_do_not_move_one_another():
    step = steps_of(log(changed(1100, (5, 6, "Z"), (2, 3, "")), text="𝄞abcd"))[-1]
    assert step.edits == [Edit(1, 2, ""), Edit(4, 5, "Z")]
    assert applied("𝄞abcd", step.edits) == "𝄞bcZ"


@pytest.mark.parametrize(
    ("edit", "cursor"),
    [
        (Edit(3, 3, "x"), 4),
        (Edit(3, 3, "\n    "), 8),
        (Edit(3, 3, "\r\n"), 5),
        (Edit(3, 3, "()"), None),
        (Edit(3, 4, "x"), None),
        (Edit(3, 4, ""), None),
    ],
)
def test_a_typed_key_is_one_character_or_a_line_end_with_its_indentation(edit, cursor):
    assert edit.key_end == cursor


def test_what_came_after_a_key_is_what_stands_there_in_the_end():
    entries = [
        *typed("f("),
        changed(1400, (2, 2, "()")),
        changed(1500, (3, 3, "x")),
        changed(1600, (3, 4, "")),
        changed(1700, (3, 3, "y")),
        changed(1800, (0, 0, "elsewhere")),
        *typed("z", start=13, time=1800),
    ]
    steps = steps_of(log(*entries))
    assert steps[1].came == "((y)"
    assert steps[1].came_by == [(0, 2), (2, 4), (2, 6)]
    assert steps[2].came == "(y)"
    assert steps[6].came == ")"[:0]


def test_a_bracket_typed_over_belongs_to_what_came():
    entries = [
        *typed("f"),
        changed(1200, (1, 1, "()")),
        changed(1300, (2, 2, "x")),
        changed(1400, (3, 4, ")")),
    ]
    assert steps_of(log(*entries))[1].came == "(x)"


def test_a_word_completed_by_a_popup_is_what_came():
    entries = [*typed("la"), changed(1500, (0, 2, "langs"))]
    steps = steps_of(log(*entries))
    assert [step.came for step in steps] == ["", "angs", "ngs", ""]


@pytest.fixture
def look(tmp_path):
    """Types "return value"; `answers` by what is typed, there so many seconds before the next key."""

    def run(answers, seconds=0.1):
        text = "return value"
        viewer = Viewer(steps_of(log(*typed(text))))
        for number in range(1, len(text) + 1):
            viewer.look(100.0)
            viewer.note_step(number, is_asked=True)
            before = text[:number]
            document = Document(tmp_path / "a.ts", "typescript", before)
            asked = Asked(document, number, 0, before, text, follows=False, answered=100.0 - seconds)
            asked.ghost = Ghost(answers[before], number) if before in answers else None
            viewer.see(asked)
        viewer.look(100.0)
        return viewer.tally

    return run


def test_keys_of_an_accepted_text_are_saved_and_what_is_shown_meanwhile_is_not_judged(look):
    tally = look({"re": "turn value", "ret": "wrong"})
    assert (tally.keys, tally.pressed) == (12, 2 + 1)
    assert (tally.shown, tally.accepted, tally.wrong) == (1, 1, 0)


def test_right_words_are_taken_and_what_is_wrong_costs(look):
    tally = look({"re": "turn other", "return v": "@"})
    assert (tally.accepted, tally.wrong, tally.shown) == (1, 1, 2)
    assert tally.pressed == 12 - 4 + 1
    assert tally.saved(1) == pytest.approx(2 / 12)


def test_the_same_text_typed_along_is_judged_once_and_a_brief_one_never(look):
    assert look({"re": "x", "ret": "y"}).wrong == 2
    assert look({"r": "exit", "re": "xit", "ret": "z"}).shown == 2
    brief = look({"re": "turn value"}, seconds=0.01)
    assert (brief.shown, brief.flashed, brief.pressed) == (0, 1, 12)


def test_an_absent_recording_is_no_error(tmp_path, monkeypatch):
    monkeypatch.setenv(recording.FOLDER, str(tmp_path))
    assert recording.recording_path() is None
    path = tmp_path / recording.NAME
    path.parent.mkdir()
    path.write_bytes(gzip.compress(json.dumps({"log": log(*typed("ab"))}).encode()))
    assert recording.recording_path() == path
    assert [step.came for step in read(path)] == ["", "b", ""]
