"""The words that every room shares: frozen values, standard library only.

Knows nothing of LSP, workspaces, torch or how anything is computed. The wire form
of these values is in docs/protocol.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

MAX_DRAFTS, MAX_DRAFT_CHARS = 8, 4000
"""What an engine takes; our client leaves out the rest."""


class FinishReason(StrEnum):
    """Why a completion ended."""

    EOS = "eos"
    """The model said that the hole is filled."""
    STOP = "stop"
    """A stop rule or stop string ended it."""
    BUDGET = "budget"
    """`max_tokens` are spent."""
    DEADLINE = "deadline"
    """`max_ms` are spent."""
    CANCELLED = "cancelled"
    """The client went away, or a newer request of the same document came."""


class Priority(StrEnum):
    """Who waits for a completion."""

    VISIBLE = "visible"
    """The user does."""
    AHEAD = "ahead"
    """Nobody yet: what may be asked for next, or a prompt to be warm. Any visible one goes first."""
    CHAT = "chat"
    """The user reads along: everything else goes first."""


class Shape(StrEnum):
    """How much text is asked for."""

    LINE = "line"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of repository text that may enter a prompt."""

    path: str
    """Workspace-relative, with forward slashes."""
    text: str
    """Ends with a newline; without the path header, which the FIM format adds."""
    kind: str
    """`definition`, `repo_map`, `sibling`, `open_file`, `near`, `similar`, `recent_edit` or `diagnostic`."""
    reason: str
    """One short phrase for people: why this piece was chosen."""
    num_tokens: int = 0
    """Tokens of `text`, without its header."""


@dataclass(frozen=True, slots=True)
class StopRules:
    """What the decode loop needs to know of the document to stop in time."""

    shape: Shape = Shape.LINE
    line_prefix: str = ""
    """The cursor's line up to the cursor."""
    line_suffix: str = ""
    """The cursor's line after the cursor, without its line end."""
    next_lines: tuple[str, ...] = ()
    """The first non-blank lines below the cursor, as they stand; a completion that reaches one stops."""
    max_lines: int = 12
    grows: bool = False
    """A line that opens a block goes on with that block, although only a line was asked for."""
    closers: str | None = None
    """Closing brackets that the completion may say without having opened them, innermost first; one beyond
    them ends it. None if it is not known what is open at the cursor."""


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """One prompt for the engine, as token ids."""

    prompt_ids: tuple[int, ...]
    max_tokens: int = 128
    """0 only reads the prompt, so that what follows it is answered at once."""
    stop: tuple[str, ...] = ()
    """Generation ends before the first of these strings."""
    document: str | None = None
    """Newest wins among requests of one document; None never displaces another request."""
    stop_rules: StopRules | None = None
    max_ms: int | None = None
    """Counted while the model works on the request, not while it waits."""
    num_answers: int = 1
    """So many distinct completions at most, from one prefill."""
    priority: Priority = Priority.VISIBLE
    heal: str = ""
    """Text before the cursor that the prompt leaves out: the answer is made to begin with it, at the model's
    own token boundaries, and is given without it."""
    drafts: tuple[str, ...] = ()
    """Texts the answer may repeat; they make it faster, never another one. The first is tried from its
    start, all are searched for what was decoded last."""


@dataclass(frozen=True, slots=True)
class Timings:
    """Where the time and the tokens of one completion went."""

    queue_ms: float = 0.0
    prefill_ms: float = 0.0
    decode_ms: float = 0.0
    prompt_tokens: int = 0
    reused_tokens: int = 0
    """Prompt tokens whose keys and values were already in a slot."""
    prefilled_tokens: int = 0
    decoded_tokens: int = 0
    decode_steps: int = 0
    """Passes of the model after the prompt; fewer than `decoded_tokens` where drafts were right."""
    drafted_tokens: int = 0
    accepted_tokens: int = 0
    """Of the drafted ones."""

    @property
    def total_ms(self) -> float:
        """From the moment the engine had the request."""
        return self.queue_ms + self.prefill_ms + self.decode_ms


class TokenScore(NamedTuple):
    """How sure the model was of one decoded token."""

    start: int
    """Where the token's text begins in the completion's, in code points."""
    logprob: float
    """Natural-log probability."""


class TextPiece(NamedTuple):
    """Text of a completion that is still being decoded, which nothing later takes back."""

    text: str
    scores: tuple[TokenScore, ...] = ()
    """Of the tokens whose text begins inside it; their `start` counts from the completion's."""


@dataclass(frozen=True, slots=True)
class Completion:
    """The text offered for the hole."""

    text: str
    finish_reason: FinishReason
    timings: Timings = field(default_factory=Timings)
    mean_logprob: float | None = None
    """Mean natural-log probability of the decoded tokens; None if none was decoded."""
    scores: tuple[TokenScore, ...] = ()
    """Of the tokens whose text begins inside `text`, in order."""
    end_logprob: float | None = None
    """Of the token that ended it, behind `text`: how sure the model was that nothing more comes. None if it
    was cut inside a token, or by force."""
    alternatives: tuple[Completion, ...] = ()
    """Further completions, as distinct as was asked for; theirs are empty."""

    def to_json(self) -> dict[str, Any]:
        """The `ghostfill` object of an answer, without any text."""
        return {
            **self._figures(),
            "timings": asdict(self.timings),
            "alternatives": [other._figures() for other in self.alternatives],
        }

    def _figures(self) -> dict[str, Any]:
        return {
            "finish_reason": str(self.finish_reason),
            "mean_logprob": self.mean_logprob,
            "scores": scores_to_json(self.scores),
            "end_logprob": self.end_logprob,
        }


def scores_to_json(scores: Iterable[TokenScore]) -> list[list[float]]:
    """Scores as they stand in an answer."""
    return [[score.start, round(score.logprob, 4)] for score in scores]


class Role(StrEnum):
    """Who says a message of a chat."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat."""

    role: Role
    content: str
    """Plain text: marks written in it stay text."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What an instruct model is asked."""

    messages: tuple[Message, ...]
    max_tokens: int = 1024
    stop: tuple[str, ...] = ()
    """The answer ends before the first of these strings."""


@dataclass(frozen=True, slots=True)
class ChatAnswer:
    """What an instruct model answered."""

    text: str
    finish_reason: FinishReason
    """BUDGET: it was cut at `max_tokens`."""
    timings: Timings | None = None
    """None where a server does not tell."""
