"""What to show where no grammar is known: whole texts of open buffers and of the same folder. Counts no
tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from context.candidate import Candidate
from context.languages import language_of
from context.paths import folder_of, name_of
from context.project import Project

MAX_FILES = 16


def rank_plain(
    project: Project,
    key: str,
    language: str,
    hidden: Collection[str],
    opened: Sequence[str],
    text_of: Callable[[str], str],
) -> list[Candidate]:
    """Candidates, most wanted first: open buffers, then the same folder; the same extension first."""
    folder, extension = folder_of(key), name_of(key).rpartition(".")[2]
    row = language_of(key)

    def is_kin(other: str) -> bool:
        found = language_of(other)
        return other.endswith(f".{extension}") or (
            found is not None and (found == row or found.id == language)
        )

    siblings = [other for other in project.in_folder(folder) if is_kin(other)]
    buffers = sorted((other for other in opened if other not in hidden), key=lambda other: not is_kin(other))
    ranked = [(other, "open_file", "open in the editor") for other in buffers]
    ranked += [
        (other, "sibling", "same folder") for other in siblings if other not in hidden and other not in opened
    ]
    found = [
        Candidate(other, kind, reason, text=text_of(other)) for other, kind, reason in ranked[:MAX_FILES]
    ]
    return [candidate for candidate in found if candidate.text]
