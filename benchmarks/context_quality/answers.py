"""What the model writes into a hole, remembered on disk. Knows no conditions and no scores.

An answer depends on the prompt's ids, the model and the engine's build, so a changed way to choose context
asks only for the prompts that it changed.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from platformdirs import user_cache_path

from benchmarks.context_quality.sites import Site
from context.languages import language_of
from engine.api import CompletionRequest, Segment, StopRules
from engine.backends.base import EngineInfo
from engine.backends.local import LocalBackend
from engine.build import build_id
from engine.launch import EngineSpec
from engine.layout import MARK_TOKENS, Budget

MAX_TOKENS = 48
IDLE_MINUTES = 5.0


class AnswerStore:
    """Answers by what they depend on, in one SQLite file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._base = sqlite3.connect(path)
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute("CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, answer TEXT NOT NULL)")

    def get(self, key: str) -> str | None:
        """The remembered answer."""
        row = self._base.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def put(self, key: str, answer: str) -> None:
        """Remember; at once on disk, as a run may be interrupted."""
        with self._base:
            self._base.execute("INSERT OR REPLACE INTO answers VALUES (?, ?)", (key, answer))

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()


class Answerer:
    """One engine and the answers it gave before."""

    def __init__(self, backend: LocalBackend, info: EngineInfo, store: AnswerStore) -> None:
        self._backend = backend
        self._store = store
        self.info = info
        self.num_asked = 0
        """Prompts that the engine really saw."""

    @classmethod
    async def start(cls, model: str, store_path: Path | None = None) -> Self:
        """Start or find the engine; raises GhostfillError."""
        backend = LocalBackend(EngineSpec(model=model, idle_minutes=IDLE_MINUTES))
        path = store_path or user_cache_path("ghostfill", appauthor=False) / "benchmarks" / "answers.sqlite"
        return cls(backend, await backend.ready(), AnswerStore(path))

    def cost(self, segment: Segment) -> int:
        """Tokens of a segment in a prompt, as the layout counts them."""
        text = self.info.layout.fim.segment_text(segment, leader_of(segment.path))
        return self.info.tokenizer.count(text)

    def budget(self, context_tokens: int) -> Budget:
        """The format's own prefix and suffix beside as much context as is measured, or as the model reads."""
        fim = self.info.layout.fim
        own = Budget.split(fim.context_length, MAX_TOKENS, fim)
        room = fim.context_length - own.prefix - own.suffix - MAX_TOKENS - MARK_TOKENS
        return replace(own, context=min(context_tokens, room))

    async def answer(self, site: Site, segments: Sequence[Segment], context_tokens: int) -> tuple[str, int]:
        """The first line that the model writes, greedily, and the tokens of context it has read."""
        layout, hole = self.info.layout, site.hole
        leader = leader_of(site.path)
        budget = self.budget(context_tokens)
        prompt = layout.prompt(segments, site.path, hole.prefix, hole.suffix, budget, leader)
        rules = hole.stop_rules("never", 1)
        key = self._key(prompt.ids, prompt.heal, rules)
        text = self._store.get(key)
        if text is None:
            self.num_asked += 1
            request = CompletionRequest(prompt.ids, MAX_TOKENS, stop_rules=rules, heal=prompt.heal)
            text = (await self._backend.complete(request)).text
            self._store.put(key, text)
        return text.split("\n", 1)[0].strip(), prompt.context_tokens

    async def close(self) -> None:
        """Let go of the engine, which idles out, and of the store."""
        await self._backend.close()
        self._store.close()

    def _key(self, ids: Sequence[int], heal: str, rules: StopRules) -> str:
        what = [build_id(), self.info.model, self.info.device, self.info.dtype, MAX_TOKENS, list(ids), heal]
        what += [rules.shape, rules.line_prefix, rules.line_suffix, rules.next_lines]
        return hashlib.blake2b(json.dumps(what).encode(), digest_size=20).hexdigest()


def leader_of(path: str) -> str:
    """What starts a comment in a file of this name."""
    language = language_of(path)
    return language.comment if language else "#"
