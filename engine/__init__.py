"""The engine room: from prompts to completions, by a resident model or a remote one. No workspaces here."""

from engine.api import Completion, CompletionRequest, FinishReason, Segment, Shape, StopRules, Timings
from engine.errors import EngineUnavailableError, GhostfillError

__all__ = [
    "Completion",
    "CompletionRequest",
    "EngineUnavailableError",
    "FinishReason",
    "GhostfillError",
    "Segment",
    "Shape",
    "StopRules",
    "Timings",
]
