"""Where decoded tokens become texts and meet the stop rules, in the model's thread.

Knows the tokenizer and the stop rules; knows no HTTP. `on_text` is called with text that no later token can
take back.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.api import Completion, FinishReason, TextPiece, TokenScore
from engine.stopping import Stopper
from engine.tokens import Tokenizer

_REPLACEMENT = "\ufffd"


class TextSink:
    """A worker's sink for one request: call it with each token; True means stop."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        stopper: Stopper,
        on_text: Callable[[TextPiece], None] | None = None,
        heal: str = "",
    ) -> None:
        """`heal` is what the tokens begin with and the text leaves out; it has no scores either."""
        self._tokenizer = tokenizer
        self._stopper = stopper
        self._on_text = on_text
        self._pending: list[int] = []
        self._sent = 0
        self._scores: list[TokenScore] = []
        self._heal_left = len(heal)
        """Characters."""
        self._num_healing = 0
        """Tokens wholly inside `heal`."""

    def __call__(self, token_id: int, logprob: float) -> bool:
        """Take one decoded token."""
        self._pending.append(token_id)
        text = self._tokenizer.decode(self._pending)
        is_whole = not text.endswith(_REPLACEMENT)
        num_begun = len(text) if is_whole else len(text.rstrip(_REPLACEMENT)) + 1
        if 0 < self._heal_left >= num_begun:
            self._num_healing += 1
        else:
            # A token that goes on with a character begins where that character's first token does.
            self._scores.append(TokenScore(len(self._stopper.text), logprob))
        if not is_whole:
            return False  # the bytes of a character are not all there yet
        self._pending.clear()
        num_healed = min(len(text), self._heal_left)
        self._heal_left -= num_healed
        stopped = self._stopper.feed(text[num_healed:])
        settled = self._stopper.settled
        if self._on_text is not None and len(settled) > self._sent:
            scores = tuple(score for score in self._scores if self._sent <= score.start < len(settled))
            self._on_text(TextPiece(settled[self._sent :], scores))
            self._sent = len(settled)
        return stopped

    @property
    def text(self) -> str:
        """The whole text, once decoding has ended; it begins with what `on_text` was told."""
        return self._stopper.text

    @property
    def scores(self) -> tuple[TokenScore, ...]:
        """Of the tokens whose text begins inside `text`."""
        return tuple(score for score in self._scores if score.start < len(self.text))

    @property
    def end_logprob(self) -> float | None:
        """Of the token that begins where `text` ends; None if there was none."""
        return next((score.logprob for score in self._scores if score.start == len(self.text)), None)

    @property
    def mean_logprob(self) -> float | None:
        """Of all tokens taken but those wholly inside `heal`."""
        return sum(score.logprob for score in self._scores) / len(self._scores) if self._scores else None

    @property
    def first_line_tokens(self) -> int | None:
        """Tokens up to the one that ended the first line that says something, those inside `heal` too.

        None if none did.
        """
        text = self.text
        end = text.find("\n", len(text) - len(text.lstrip()))
        return None if end < 0 else self._num_healing + sum(score.start <= end for score in self._scores)


class AlternativeTexts:
    """Texts beyond the first one, each distinct from all before it."""

    def __init__(self, first: TextSink, new_sink: Callable[[], TextSink], num_wanted: int) -> None:
        self.completions: list[Completion] = []
        self._first = first
        self._new_sink = new_sink
        self._num_all = num_wanted
        self._current = first

    @property
    def num_wanted(self) -> int:
        """How many more."""
        return self._num_all - len(self.completions)

    @property
    def first_line_tokens(self) -> int | None:
        """Of the first text; None if its first line did not end."""
        return self._first.first_line_tokens

    def begin(self) -> TextSink:
        """A fresh sink for one more try."""
        self._current = self._new_sink()
        return self._current

    def keep(self, finish_reason: FinishReason) -> None:
        """Count the try if its text is new: white space around it makes no difference."""
        sink = self._current
        known = {"", self._first.text.strip(), *(each.text.strip() for each in self.completions)}
        if sink.text.strip() not in known:
            self.completions.append(
                Completion(
                    sink.text,
                    finish_reason,
                    mean_logprob=sink.mean_logprob,
                    scores=sink.scores,
                    end_logprob=sink.end_logprob,
                )
            )
