"""What one request would send and why, as plain values: the prompt in order, its budget, what was left out.

Every view (table, JSON, page) is made from it. Knows no terminal, no HTML, and not how it is built.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from context.imports_around import ImportsAround
from context.plan import Considered
from lsp_server.folder_shares import FolderShare


class Section(StrEnum):
    """The parts of a prompt, and of its budget."""

    FROZEN = "frozen"
    """Repository text chosen for the whole file: the same from key to key."""
    NEAR = "near"
    """Repository text chosen for the place of the cursor."""
    SIMILAR = "similar"
    """Repository text that looks like the lines around the cursor."""
    PREFIX = "prefix"
    SUFFIX = "suffix"
    MARKS = "marks"
    """The model's marks and the current file's name."""
    ANSWER = "answer"
    """Kept for the completion."""
    UNUSED = "unused"


class Cached(StrEnum):
    """Whether the engine holds the keys and values of a run of the prompt."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Row:
    """A run of the prompt: a segment of another file, or what stands around the cursor."""

    section: Section
    path: str
    kind: str
    """As in `engine.api.Segment`; for the current file `prefix`, `suffix`, `tail` (what stands between an
    anchor and the cursor), `healed` (what the answer begins with, in the prompt's stead) or `closers` (what
    the model is to write itself)."""
    reason: str
    num_tokens: int
    """With its path header, as in the prompt."""
    cached: Cached
    text: str
    start: int | None = None
    """The tokens before it in the prompt; None for a segment that the layout had no room for, and for text at
    the cursor that prompts leave out."""

    @property
    def is_sent(self) -> bool:
        """Whether it stands in the prompt."""
        return self.start is not None

    @property
    def is_repository(self) -> bool:
        """Whether it is text of another file."""
        return self.section in (Section.FROZEN, Section.NEAR, Section.SIMILAR)


@dataclass(frozen=True, slots=True)
class Share:
    """What a part of the budget takes."""

    section: Section
    num_tokens: int


@dataclass(frozen=True, slots=True)
class ContextReport:
    """One request, explained."""

    file: str
    """Workspace-relative."""
    root: str
    line: int
    """From 1, as `column`, which counts code points."""
    column: int
    model: str
    device: str
    is_engine_running: bool
    is_complete: bool
    """Whether the index had been built."""
    prompt_tokens: int
    cached_tokens: int | None
    """Leading tokens of the prompt that the engine would not compute again; None if that is not known."""
    limit_tokens: int
    """What prompt and answer may take together."""
    context_limit_tokens: int
    """What repository text may take of it."""
    rows: tuple[Row, ...]
    """In prompt order, after segments and before text at the cursor that were not sent."""
    shares: tuple[Share, ...]
    """They sum to `limit_tokens`."""
    folders: tuple[FolderShare, ...]
    considered: tuple[Considered, ...]
    """Every candidate file, the most wanted first."""
    imports: ImportsAround
    notes: tuple[str, ...] = field(default=())
    """Sentences on what is not as it should be."""

    @property
    def segments(self) -> tuple[Row, ...]:
        """The rows of other files."""
        return tuple(row for row in self.rows if row.is_repository)

    @property
    def context_tokens(self) -> int:
        """Of all repository text that is sent."""
        return sum(row.num_tokens for row in self.segments if row.is_sent)

    @property
    def left_out(self) -> tuple[Considered, ...]:
        """The candidate files of which nothing is sent, each once; their tokens are estimates."""
        seen = {row.path for row in self.segments if row.is_sent}
        found = []
        for file in self.considered:
            if not file.chosen and file.path not in seen:
                seen.add(file.path)
                found.append(file)
        return tuple(found)

    def to_json(self) -> dict[str, Any]:
        """Everything, for `--json` and for editors."""
        values = asdict(self)
        return {
            **{key: value for key, value in values.items() if key not in ("rows", "considered")},
            "num_tokens": self.context_tokens,
            "budget_tokens": self.context_limit_tokens,
            "files": values["considered"],
            "left_out": [asdict(file) for file in self.left_out],
            "segments": [asdict(row) for row in self.segments],
            "around": [asdict(row) for row in self.rows if not row.is_repository],
        }
