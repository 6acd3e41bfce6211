"""Where decoded tokens become text and meet the stop rules, in the model's thread.

Knows the tokenizer and the stop rules; knows no HTTP. `on_text` is called with text that no later token can
take back.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.stopping import Stopper
from engine.tokens import Tokenizer

_REPLACEMENT = "\ufffd"


class TextSink:
    """A worker's sink for one request: call it with each token; True means stop."""

    def __init__(
        self, tokenizer: Tokenizer, stopper: Stopper, on_text: Callable[[str], None] | None = None
    ) -> None:
        self._tokenizer = tokenizer
        self._stopper = stopper
        self._on_text = on_text
        self._pending: list[int] = []
        self._sent = 0

    def __call__(self, token_id: int, logprob: float) -> bool:
        """Take one decoded token."""
        self._pending.append(token_id)
        text = self._tokenizer.decode(self._pending)
        if text.endswith(_REPLACEMENT):
            return False  # the bytes of a character are not all there yet
        self._pending.clear()
        stopped = self._stopper.feed(text)
        settled = self._stopper.settled
        if self._on_text is not None and len(settled) > self._sent:
            self._on_text(settled[self._sent :])
            self._sent = len(settled)
        return stopped

    @property
    def text(self) -> str:
        """The whole text, once decoding has ended; it begins with what `on_text` was told."""
        return self._stopper.text
