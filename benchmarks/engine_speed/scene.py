"""What is typed where: a real file of a held-out package, its repository as context, the prompt of every key.

Knows text and prompts; knows no peers and no clocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from benchmarks.context_quality.corpus import Corpus
from benchmarks.engine_speed.words import ANSWER_TOKENS
from benchmarks.workspace import unpacked_wheel
from engine.anchor import Anchor
from engine.api import CompletionRequest, Segment
from engine.fim import FORMATS, FimFormat, Order
from engine.layout import MARK_TOKENS, Budget, Layout
from engine.model_folder import BUILTIN_FOLDER
from engine.tokens import Tokenizer

PACKAGE = ("httpx", "0.28.1")
PATH = "httpx/_client.py"
SITE = "        auth = self._build_request_auth(request, auth)\n"
"""Typing begins here, first seen in `Client.send`."""
HOLE_CHARS = 1200
"""The file goes on behind so many characters: enough is missing that the model has 16 tokens to say."""
TYPED_TOKENS = 64
"""Kept for what is typed, so that the context is the same however much that will be."""
MAX_PREFIX_TOKENS, MAX_SUFFIX_TOKENS = 1536, 512
"""What the built-in model's format gives them; repository text takes the rest."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One stretch of typing with a prompt of one length."""

    path: str
    prefix: str
    """The file up to where typing begins."""
    typed: str
    suffix: str
    segments: tuple[Segment, ...]
    budget: Budget

    def before(self, num_keys: int) -> str:
        """The text before the cursor once so many characters are typed."""
        return self.prefix + self.typed[:num_keys]


def read_layout(order: Order | None = None) -> Layout:
    """The built-in model's layout; `order` is its default one unless named."""
    return Layout(Tokenizer.from_folder(BUILTIN_FOLDER), FORMATS["builtin"], order)


def read_scene(layout: Layout, total_tokens: int, num_keys: int) -> Scene:
    """The scene whose prompts and answers take `total_tokens`; raises RuntimeError without the package."""
    files = Corpus.read(PACKAGE[0], "python", unpacked_wheel(*PACKAGE)).files
    # Each length begins with another file: what was read for one is no head start for the next.
    first = total_tokens // 1024 % len(files)
    names = [*files][first:] + [*files][:first]
    return make_scene(layout, {name: files[name] for name in names}, PATH, total_tokens, num_keys)


def make_scene(layout: Layout, files: dict[str, str], path: str, total_tokens: int, num_keys: int) -> Scene:
    """A scene in `files`, by path; the site is SITE's first place in the file at `path`."""
    budget = make_budget(total_tokens)
    text = files[path]
    offset = text.index(SITE)
    hole_end = text.index("\n", min(offset + max(HOLE_CHARS, num_keys), len(text) - 1))
    others = {other: text for other, text in files.items() if other != path}
    bare = Scene(path, text[:offset], text[offset : offset + num_keys], text[hole_end:], (), budget)
    # The prefix takes less than it may, in steps; context fills what is left when typing begins.
    room = total_tokens - ANSWER_TOKENS - len(psm_ids(layout, bare, 0)) - TYPED_TOKENS
    budget = replace(budget, context=max(room, 0))
    return replace(bare, segments=tuple(_filling(layout, others, budget.context)), budget=budget)


def make_budget(total_tokens: int) -> Budget:
    """A prompt of so many tokens with its answer: the file's parts as usual, the rest is context."""
    room = total_tokens - ANSWER_TOKENS - MARK_TOKENS
    prefix, suffix = min(MAX_PREFIX_TOKENS, room * 3 // 8), min(MAX_SUFFIX_TOKENS, room // 8)
    return Budget(context=room - prefix - suffix, prefix=prefix, suffix=suffix, answer=ANSWER_TOKENS)


def _filling(layout: Layout, files: dict[str, str], budget: int) -> Iterator[Segment]:
    """Whole files in order until the budget is full; the last one is cut after a line."""
    for path, text in files.items():
        segment = Segment(path, text, "sibling", "fills the prompt")
        cost = layout.tokenizer.count(layout.fim.segment_text(segment))
        if cost > budget:
            header = layout.tokenizer.count(layout.fim.file_header(path))
            ids = layout.tokenizer.encode(text)[: max(0, budget - header - MARK_TOKENS)]
            head = layout.tokenizer.decode(ids)
            yield Segment(path, head[: head.rfind("\n") + 1], "sibling", "fills the prompt")
            return
        budget -= cost
        yield segment


class Typist:
    """Makes our prompt of each key, as the front does: the anchor of one key is kept for the next."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._anchor: Anchor | None = None

    def request(self, scene: Scene, num_keys: int, drafts: tuple[str, ...] = ()) -> CompletionRequest:
        """The request after so many characters; no stop rule ends it."""
        prompt = self._layout.prompt(
            scene.segments,
            scene.path,
            scene.before(num_keys),
            scene.suffix,
            scene.budget,
            anchor=self._anchor,
        )
        self._anchor = prompt.anchor
        return CompletionRequest(
            prompt.ids, ANSWER_TOKENS, document=scene.path, heal=prompt.heal, drafts=drafts
        )


def psm_ids(layout: Layout, scene: Scene, num_keys: int) -> tuple[int, ...]:
    """The prompt that every other engine is given: prefix, suffix, middle, nothing healed."""
    return layout.prompt(
        scene.segments, scene.path, scene.before(num_keys), scene.suffix, scene.budget, heals=False
    ).ids


def prompt_text(tokenizer: Tokenizer, fim: FimFormat, ids: tuple[int, ...]) -> str:
    """A prompt as the text that a README pastes into its tokenizer, marks written out."""
    marks = {tokenizer.mark_id(mark): mark for mark in fim.marks}
    parts: list[str] = []
    run: list[int] = []
    for token_id in ids:
        if token_id in marks:
            parts += [tokenizer.decode(run), marks[token_id]]
            run = []
        else:
            run.append(token_id)
    return "".join((*parts, tokenizer.decode(run)))
