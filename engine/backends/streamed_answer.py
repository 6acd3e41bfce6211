"""One answer of a foreign server as it streams in: texts, scores, and where it ends. Knows no HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from engine.api import Completion, FinishReason, TextPiece, Timings, TokenScore
from engine.backends.base import OnText
from engine.stopping import Stopper
from engine.tokens import Tokenizer

_REPLACEMENT = "\ufffd"


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one event adds."""

    text: str | None = None
    """None if the ids say it: our tokenizer decodes them."""
    ids: tuple[int, ...] = ()
    """Of the tokens, if the server tells."""
    logprobs: tuple[float | None, ...] = ()
    """Natural-log probabilities of the tokens, if the server tells."""
    index: int = 0
    """Of the answer it belongs to."""
    end: FinishReason | None = None
    """Why the server sends no more of it."""
    num_reused: int | None = None
    """Prompt tokens that it had in its cache, if it tells."""


class StreamedAnswer:
    """Takes chunks until `finish_reason` is set; `on_text` is told what nothing later takes back."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        stopper: Stopper,
        end_ids: frozenset[int] = frozenset(),
        on_text: OnText | None = None,
    ) -> None:
        self.finish_reason: FinishReason | None = None
        self._tokenizer = tokenizer
        self._stopper = stopper
        self._end_ids = end_ids
        self._on_text = on_text
        self._num_told = 0
        self._pending: list[int] = []
        self._scores: list[TokenScore] = []
        self._num_tokens = 0
        self._num_reused: int | None = None
        self._first_at: float | None = None

    def take(self, chunk: Chunk) -> None:
        """Add a chunk; what follows the end is left out."""
        if self.finish_reason is not None:
            return
        if chunk.num_reused is not None:
            self._num_reused = chunk.num_reused
        if self._first_at is None:
            self._first_at = time.perf_counter()
        self.finish_reason = self._feed(chunk) or chunk.end
        self._tell(self._stopper.settled if self.finish_reason is None else self._stopper.text)

    def completion(self, started: float, prompt_tokens: int) -> Completion:
        """All that came; an answer that has not ended was cut by its deadline."""
        text, ended = self._stopper.text, time.perf_counter()
        self._tell(text)
        first_at = self._first_at or ended
        reused = self._num_reused
        logprobs = [score.logprob for score in self._scores]
        return Completion(
            text,
            self.finish_reason or FinishReason.DEADLINE,
            Timings(
                prefill_ms=(first_at - started) * 1000,
                decode_ms=(ended - first_at) * 1000,
                prompt_tokens=prompt_tokens,
                reused_tokens=reused or 0,
                prefilled_tokens=0 if reused is None else max(0, prompt_tokens - reused),
                decoded_tokens=self._num_tokens,
            ),
            mean_logprob=sum(logprobs) / len(logprobs) if logprobs else None,
            scores=tuple(score for score in self._scores if score.start < len(text)),
            end_logprob=next((score.logprob for score in self._scores if score.start == len(text)), None),
        )

    def _feed(self, chunk: Chunk) -> FinishReason | None:
        """Why it ends inside this chunk; None if it does not."""
        for text, ids, logprobs in self._pieces(chunk):
            self._num_tokens += max(len(ids), len(logprobs), bool(text))
            start = len(self._stopper.text)
            self._scores += [TokenScore(start, logprob) for logprob in logprobs if logprob is not None]
            if not self._end_ids.isdisjoint(ids):
                return FinishReason.EOS
            if self._stopper.feed(text):
                return FinishReason.STOP
        return None

    def _pieces(self, chunk: Chunk) -> Iterator[tuple[str, Sequence[int], Sequence[float | None]]]:
        """Token by token where the ids say the text; else the tokens of a chunk begin where it does."""
        if chunk.text is not None:
            yield chunk.text, chunk.ids, chunk.logprobs
            return
        logprobs = chunk.logprobs[: len(chunk.ids)]
        for token_id, logprob in zip_longest(chunk.ids, logprobs):
            self._pending.append(token_id)
            text = self._tokenizer.decode(self._pending)
            if text.endswith(_REPLACEMENT):
                text = ""  # the bytes of a character are not all there yet
            else:
                self._pending.clear()
            yield text, (token_id,), (logprob,)

    def _tell(self, text: str) -> None:
        if self._on_text is None or len(text) <= self._num_told:
            return
        told, self._num_told = self._num_told, len(text)
        scores = tuple(score for score in self._scores if told <= score.start < len(text))
        self._on_text(TextPiece(text[told:], scores))
