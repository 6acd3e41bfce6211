"""Shown, accepted, accepted in part, dismissed: what the user did is counted once, and rightly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api import Timings
from lsp_server.counts import Counts
from lsp_server.feedback import MAX_KNOWN, Feedback, _num_standing
from lsp_server.hole import Hole

URI = "file:///main.py"
BEFORE, AFTER = "import os\nhome = ", "\nprint(home)\n"
TEXT = "os.path.join(base, name)"


class Editor:
    """A document with the cursor in it, and what its client says to the server."""

    def __init__(self, *, text: str = TEXT, before: str = BEFORE, after: str = AFTER) -> None:
        self.feedback = Feedback()
        self.before, self.after = before, after
        self.ghost = text

    def offer(self, offer_id: str = "one", source: str = "engine", **rest) -> None:
        """The server sends what is left of the completion."""
        hole = Hole.at(self.before + self.after, len(self.before))
        self.feedback.shown(offer_id, URI, hole, self.ghost, source, 0.8, language="python", **rest)

    def insert(self, text: str) -> None:
        """One edit puts text at the cursor."""
        self.before += text
        self.ghost = self.ghost.removeprefix(text)
        self.feedback.changed(URI, self.before + self.after, text)

    def type(self, text: str) -> None:
        for char in text:
            self.insert(char)

    def replace_all(self) -> None:
        """A client that sends whole texts."""
        self.feedback.changed(URI, self.before + self.after, None)

    @property
    def counts(self) -> Counts:
        return self.feedback.counts

    @property
    def outcomes(self) -> tuple[int, int, int, int]:
        counts = self.counts
        return counts.shown, counts.accepted, counts.partially_accepted, counts.dismissed


@pytest.fixture
def editor() -> Editor:
    return Editor()


# Shown


def test_what_is_sent_counts_as_shown_to_a_client_that_does_not_say(editor):
    editor.offer()

    assert editor.outcomes == (1, 0, 0, 0)


def test_what_is_left_while_typing_is_the_same_completion(editor):
    editor.offer()
    for char in "os.":
        editor.type(char)
        editor.offer(source="typedThrough")

    assert editor.outcomes == (1, 0, 0, 0)


def test_a_client_that_says_what_it_shows_is_believed_alone(editor):
    editor.offer("one")
    editor.feedback.seen("one")
    editor.offer("two")
    editor.offer("three")
    editor.feedback.seen("three")

    assert editor.counts.shown == 2


def test_the_first_report_takes_back_what_was_only_thought_to_be_shown(editor):
    """Before a client has said anything, nobody knows that it will."""
    editor.offer("superseded")
    editor.type("x")
    editor.offer("seen")
    editor.feedback.seen("seen")

    assert editor.outcomes == (1, 0, 0, 0)


def test_a_completion_is_shown_once_however_often_the_client_says_so(editor):
    editor.offer()
    editor.feedback.seen("one")
    editor.feedback.seen("one")

    assert editor.counts.shown == 1


def test_an_alternative_is_shown_when_the_user_comes_to_it(editor):
    editor.offer("one")
    editor.offer("two", is_alternative=True)
    assert editor.outcomes == (1, 0, 0, 0)

    editor.feedback.accepted("two")

    assert editor.outcomes == (2, 1, 0, 0)


# Accepted


def test_accepting_counts_the_completion_and_its_characters(editor):
    editor.offer()
    editor.insert(TEXT)
    editor.feedback.accepted("one")

    assert editor.outcomes == (1, 1, 0, 0)
    assert editor.counts.accepted_chars == len(TEXT)


def test_accepting_twice_is_accepting_once(editor):
    editor.offer()
    editor.feedback.accepted("one")
    editor.feedback.accepted("one")

    assert (editor.counts.accepted, editor.counts.accepted_chars) == (1, len(TEXT))


def test_characters_that_the_user_typed_are_not_accepted(editor):
    editor.offer()
    editor.type("os.p")
    editor.feedback.accepted("one")

    assert editor.counts.accepted_chars == len(TEXT) - 4


def test_characters_are_counted_anew_from_what_was_sent_last(editor):
    editor.offer()
    editor.type("os.")
    editor.offer(source="typedThrough")
    editor.feedback.accepted("one")

    assert editor.counts.accepted_chars == len(TEXT) - 3


def test_what_is_accepted_belongs_to_where_the_completion_came_from(editor):
    """Not to the source of what was left of it later."""
    editor.offer(source="engine")
    editor.type("o")
    editor.offer(source="typedThrough")
    editor.feedback.accepted("one")

    assert {key.source for key in editor.feedback.take() if key.name in ("shown", "accepted")} == {"engine"}


def test_an_unknown_id_is_passed_over(editor):
    for report in (editor.feedback.accepted, editor.feedback.rejected, editor.feedback.seen):
        report("nobody")
    editor.feedback.partially_accepted("nobody", 3)

    assert editor.outcomes == (0, 0, 0, 0)


def test_the_oldest_completions_are_forgotten(editor):
    for number in range(MAX_KNOWN + 1):
        editor.offer(f"offer {number}")
    editor.feedback.accepted("offer 0")
    editor.feedback.accepted("offer 1")

    assert editor.counts.accepted == 1


# Accepted in part, reported


def test_a_part_counts_as_a_part_and_not_as_accepted(editor):
    editor.offer()
    editor.feedback.partially_accepted("one", len("os.path"))

    assert editor.outcomes == (1, 0, 1, 0)
    assert editor.counts.accepted_chars == len("os.path")


def test_parts_of_one_completion_are_one(editor):
    """Lengths count from the start, so the second holds the first."""
    editor.offer()
    editor.feedback.partially_accepted("one", len("os"))
    editor.feedback.partially_accepted("one", len("os.path"))

    assert (editor.counts.partially_accepted, editor.counts.accepted_chars) == (1, len("os.path"))


def test_a_part_and_later_the_rest_is_accepted_in_full(editor):
    editor.offer()
    editor.insert("os.path")
    editor.feedback.partially_accepted("one", len("os.path"))
    editor.offer(source="typedThrough")
    editor.feedback.accepted("one")

    assert editor.outcomes == (1, 1, 0, 0)
    assert editor.counts.accepted_chars == len(TEXT)


def test_parts_up_to_the_end_are_accepted_in_full(editor):
    editor.offer()
    editor.feedback.partially_accepted("one", len("os.path"))
    editor.feedback.partially_accepted("one", len(TEXT))

    assert editor.outcomes == (1, 1, 0, 0)


def test_a_part_stays_one_when_the_user_goes_on_differently(editor):
    editor.offer()
    editor.insert("os.path")
    editor.feedback.partially_accepted("one", len("os.path"))
    editor.type("!")

    assert editor.outcomes == (1, 0, 1, 0)


@pytest.mark.parametrize(("units", "chars"), [(2, 1), (3, 2), (1, 0), (99, 3), (0, 0), (-4, 0)])
def test_lengths_are_in_utf_16_units(units, chars):
    editor = Editor(text="😋ab")
    editor.offer()
    editor.feedback.partially_accepted("one", units)

    assert editor.counts.accepted_chars == chars


# Accepted in part, seen from the edit


@pytest.mark.parametrize("piece", ["os", "os.path", "os.path.join(base,", "os.path.join(base, "], ids=repr)
def test_an_edit_that_inserts_whole_words_of_it_is_a_partial_acceptance(editor, piece):
    editor.offer()
    editor.insert(piece)

    assert editor.outcomes == (1, 0, 1, 0)
    assert editor.counts.accepted_chars == len(piece)


def test_a_line_of_a_block_is_a_partial_acceptance():
    editor = Editor(text="first()\n    second()")
    editor.offer()
    editor.insert("first()")

    assert editor.outcomes == (1, 0, 1, 0)


def test_word_after_word_is_one_partial_acceptance(editor):
    editor.offer()
    editor.insert("os.path")
    editor.offer(source="typedThrough")
    editor.insert(".join")
    editor.insert("(base")

    assert editor.counts.partially_accepted == 1
    assert editor.counts.accepted_chars == len("os.path.join(base")


def test_reported_and_seen_a_part_counts_once(editor):
    editor.offer()
    editor.insert("os.path")
    editor.feedback.partially_accepted("one", len("os.path"))

    assert (editor.counts.partially_accepted, editor.counts.accepted_chars) == (1, len("os.path"))


def test_typing_it_is_no_acceptance(editor):
    editor.offer()
    editor.type(TEXT)

    assert editor.outcomes == (1, 0, 0, 0)
    assert editor.counts.accepted_chars == 0


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        pytest.param("os.path", "os.pa", id="a torn word: two quick keys in one message"),
        pytest.param("\n    return x", "\n    ", id="Enter with indentation"),
        pytest.param("()\nnext()", "()", id="a bracket that closes itself"),
        pytest.param("a = b", "a", id="one character"),
    ],
)
def test_an_edit_as_keys_make_it_is_no_acceptance(text, typed):
    editor = Editor(text=text)
    editor.offer()
    editor.insert(typed)

    assert editor.outcomes == (1, 0, 0, 0)


def test_an_edit_that_replaced_something_is_no_acceptance(editor):
    """A menu's item, say, or a whole text."""
    editor.offer()
    editor.before += "os.path"
    editor.replace_all()

    assert editor.outcomes == (1, 0, 0, 0)


def test_an_edit_that_inserts_all_of_it_waits_for_the_client_to_say_so(editor):
    """Full acceptance is the item's command; it may come before the edit or after."""
    editor.offer()
    editor.insert(TEXT)
    assert editor.outcomes == (1, 0, 0, 0)

    editor.feedback.accepted("one")
    assert editor.outcomes == (1, 1, 0, 0)


def test_nothing_is_guessed_of_a_client_that_reports(editor):
    editor.offer()
    editor.feedback.seen("one")
    editor.insert("os.path")

    assert editor.outcomes == (1, 0, 0, 0)


# Dismissed


def test_typing_something_else_dismisses(editor):
    editor.offer()
    editor.type("x")

    assert editor.outcomes == (1, 0, 0, 1)


def test_a_key_dismisses(editor):
    editor.offer()
    editor.feedback.rejected("one")
    editor.type("x")

    assert editor.outcomes == (1, 0, 0, 1)


def test_what_was_not_shown_cannot_be_dismissed(editor):
    editor.offer("one")
    editor.feedback.seen("one")
    editor.offer("two")
    editor.type("x")
    editor.feedback.rejected("two")

    assert editor.outcomes == (1, 0, 0, 0)


def test_a_dismissed_completion_that_comes_back_is_open_again(editor):
    """With a bracket that the editor closed, the document disagrees until the server says how it goes on."""
    editor.offer()
    editor.before += "(]"
    editor.replace_all()
    assert editor.outcomes == (1, 0, 0, 1)

    editor.offer(source="typedThrough")
    assert editor.outcomes == (1, 0, 0, 0)

    editor.feedback.accepted("one")
    assert editor.outcomes == (1, 1, 0, 0)


def test_accepted_after_all_it_is_not_dismissed(editor):
    """An editor may format what it inserts before it reports."""
    editor.offer()
    editor.insert("os.path.join( base, name )")
    editor.feedback.accepted("one")

    assert editor.outcomes == (1, 1, 0, 0)


def test_going_on_behind_what_was_typed_whole_dismisses_nothing(editor):
    editor.offer()
    editor.type(TEXT)
    editor.type("!")

    assert editor.outcomes == (1, 0, 0, 0)


def test_taking_typed_characters_back_dismisses_nothing(editor):
    editor.offer()
    editor.type("os")
    editor.before = editor.before[:-1]
    editor.replace_all()

    assert editor.outcomes == (1, 0, 0, 0)


def test_a_closed_document_dismisses_nothing(editor):
    editor.offer()
    editor.feedback.closed(URI)
    editor.type("x")

    assert editor.outcomes == (1, 0, 0, 0)


def test_another_document_is_another_matter(editor):
    editor.offer()
    editor.feedback.changed("file:///other.py", "x", "x")

    assert editor.outcomes == (1, 0, 0, 0)


def test_windows_line_ends_are_line_ends():
    """A completion has \\n alone, whatever the document has."""
    editor = Editor(text="first()\n    second()", before="def f():\r\n    ", after="\r\n")
    editor.offer()
    editor.insert("first()\r\n    second")

    assert editor.outcomes == (1, 0, 1, 0)
    assert editor.counts.accepted_chars == len("first()\n    second")


# Requests


def test_requests_are_counted_by_what_became_of_them():
    feedback = Feedback()
    feedback.latency(
        "engine", 240, Timings(prompt_tokens=90, reused_tokens=80, prefilled_tokens=10, decoded_tokens=7)
    )
    feedback.latency("typedThrough", 1)
    feedback.latency("cache", 2)
    feedback.latency("none", 60, reason="inside a word")
    feedback.latency("engine", 300, reason="not sure")
    feedback.cancelled("python")

    counts = feedback.counts
    assert (counts.requests, counts.answered, counts.without_engine, counts.cancelled) == (6, 3, 2, 1)
    assert counts.empty == {"inside a word": 1, "not sure": 1}
    assert (counts.prompt_tokens, counts.reused_tokens, counts.prefilled_tokens, counts.decoded_tokens) == (
        90,
        80,
        10,
        7,
    )
    assert (counts.latency.percentile(0.5), counts.latency.percentile(0.95)) == (5, 350)


def test_languages_and_sources_are_kept_apart():
    feedback = Feedback()
    feedback.latency("engine", 1, language="python")
    feedback.latency("cache", 1, language="rust")

    assert {(key.language, key.source) for key in feedback.take()} == {
        ("python", "engine"),
        ("rust", "cache"),
    }


def test_what_was_taken_is_not_given_again(editor):
    editor.offer()
    assert sum(editor.feedback.take().values()) == 1
    assert not editor.feedback.take()

    editor.feedback.seen("nobody")

    assert list(editor.feedback.take().values()) == [-1]
    assert editor.counts.shown == 0


# Whatever happens

IDS = st.sampled_from(["a", "b", "c"])
PIECES = st.sampled_from(["o", "os", "os.path", "x", TEXT, "", ".", "join"])
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("offer"), IDS),
        st.tuples(st.just("alternative"), IDS),
        st.tuples(st.just("insert"), PIECES),
        st.tuples(st.just("seen"), IDS),
        st.tuples(st.just("accepted"), IDS),
        st.tuples(st.just("part"), IDS, st.integers(-2, 40)),
        st.tuples(st.just("rejected"), IDS),
    ),
    max_size=40,
)


@given(EVENTS)
def test_a_completion_comes_to_one_end_and_only_if_it_was_shown(events):
    editor = Editor()
    taken = []
    for event, *values in events:
        match event:
            case "offer":
                editor.ghost = editor.ghost or TEXT
                editor.offer(*values)
            case "alternative":
                editor.ghost = editor.ghost or TEXT
                editor.offer(*values, is_alternative=True)
            case "insert":
                editor.insert(*values)
            case "part":
                editor.feedback.partially_accepted(*values)
            case _:
                getattr(editor.feedback, event)(*values)
        counts = editor.counts
        assert counts.accepted + counts.partially_accepted + counts.dismissed <= counts.shown
        assert (counts.accepted_chars > 0) <= (counts.accepted + counts.partially_accepted > 0)
        taken.append(editor.feedback.take())

    together = {}
    for tally in taken:
        for key, number in tally.items():
            together[key] = together.get(key, 0) + number
    assert Counts.of(together) == editor.counts


@given(
    st.text("ab\n", max_size=4),
    st.text("ab\n", max_size=4),
    st.text("ab\n", max_size=4),
    st.text("ab\n", max_size=8),
)
def test_how_much_stands_is_what_trying_every_length_finds(before, after, offered, now):
    fitting = [n for n in range(len(offered) + 1) if before + offered[:n] + after == now]

    found = _num_standing(offered, Hole(before + after, len(before)), now)

    assert found == (fitting[0] if fitting else None)
