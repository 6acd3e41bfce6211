"""The engine's worker in this process, asked one prompt at a time, and its answers remembered on disk.

No HTTP, and one document after the other: what a prompt shares with those just before is not read again.
Knows no lines and no scores.
"""

from __future__ import annotations

import hashlib
import json
import queue
from pathlib import Path
from typing import Self

from benchmarks.context_quality.answers import AnswerStore
from engine.api import CompletionRequest
from engine.build import build_id
from engine.errors import ModelError
from engine.layout import Prompt
from engine.runtime.mailbox import Job, Outcome
from engine.runtime.resident import EngineOptions, ResidentModel
from engine.runtime.sink import TextSink
from engine.runtime.worker import Worker
from engine.stopping import Stopper
from engine.tokens import Tokenizer

MAX_TOKENS = 48


class Model:
    """A loaded model that finishes lines, greedily."""

    def __init__(self, resident: ResidentModel, store: AnswerStore) -> None:
        if resident.worker is None or resident.tokenizer is None or resident.layout is None:
            raise ModelError(resident.message or "the model is not loaded")
        self._resident = resident
        self._store = store
        self._worker: Worker = resident.worker
        self.tokenizer: Tokenizer = resident.tokenizer
        self.fim = resident.layout.fim
        self.num_asked = 0
        """Prompts that the model really saw."""
        self.num_prefilled = 0
        """Tokens of those that it had to read."""

    @classmethod
    def load(cls, name: str, store_path: Path) -> Self:
        """Load it here; raises ModelError."""
        resident = ResidentModel(EngineOptions(model=name))
        resident.load()
        return cls(resident, AnswerStore(store_path))

    def line(self, prompt: Prompt) -> str:
        """What the model writes up to the line's end."""
        key = self._key(prompt)
        text = self._store.get(key)
        if text is None:
            text = self._ask(prompt)
            self._store.put(key, text)
        return text.split("\n", 1)[0]

    def close(self) -> None:
        """Let go of the model and of the answers."""
        self._resident.close()
        self._store.close()

    def _ask(self, prompt: Prompt) -> str:
        request = CompletionRequest(prompt.ids, MAX_TOKENS, stop=("\n",), heal=prompt.heal)
        sink = TextSink(self.tokenizer, Stopper(None, request.stop), heal=prompt.heal)
        done: queue.Queue[Outcome] = queue.Queue()
        self._worker.submit(Job(request, sink, done.put))
        outcome = done.get()
        if outcome.error is not None:
            raise ModelError(outcome.error)
        self.num_asked += 1
        self.num_prefilled += outcome.timings.prefilled_tokens
        return sink.text

    def _key(self, prompt: Prompt) -> str:
        """All that an answer depends on."""
        resident = self._resident
        what = [build_id(), resident.name, resident.device, resident.dtype, MAX_TOKENS, prompt.heal]
        return hashlib.blake2b(json.dumps([*what, prompt.ids]).encode(), digest_size=20).hexdigest()
