"""A file as it was before its sites were written, and segments that give away what is to be written. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from engine.api import Segment
from training.samples.sites import CursorSite, SiteKind

MIN_LEAK_CHARS = 16
"""A shorter line may stand anywhere."""
DEFINING_KINDS = frozenset({"definition", "repo_map"})


def without(text: str, sites: Sequence[CursorSite]) -> tuple[str, int]:
    """The text before anything was written at the sites, and where the first one's cursor is then.

    Of the first site the middle is missing; of the others in one line that line, so that no half ones stand.
    """
    first = sites[0]
    cuts = [(first.start, first.end)]
    for site in sites[1:]:
        start, end = site.start, site.end
        if site.kind is not SiteKind.BLOCK:
            start = text.rfind("\n", 0, start) + 1
            line_end = text.find("\n", end)
            end = len(text) if line_end < 0 else line_end + 1
        if all(end <= other_start or start >= other_end for other_start, other_end in cuts):
            cuts.append((start, end))
    offset = first.start - sum(end - start for start, end in cuts if end <= first.start)
    for start, end in sorted(cuts, reverse=True):
        text = text[:start] + text[end:]
    return text, offset


def leaks(text: str, site: CursorSite, segments: Sequence[Segment]) -> bool:
    """Whether a segment that is no definition holds a line that is to be written: copying it teaches no use.

    Definitions may: a method that overrides another one begins with the same line.
    """
    start = text.rfind("\n", 0, site.start) + 1
    if site.kind is SiteKind.BLOCK:
        lines = text[site.start : site.end].split("\n")
    else:
        lines = text[start : site.end].split("\n")
    lines = [line.strip() for line in lines if len(line.strip()) >= MIN_LEAK_CHARS]
    return any(
        line in segment.text for segment in segments if segment.kind not in DEFINING_KINDS for line in lines
    )
