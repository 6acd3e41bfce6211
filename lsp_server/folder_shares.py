"""Which folders the repository text of a prompt comes from, and whether one of them dominates. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

VENDORED = {
    *("3rdparty", "bower_components", "build", "dist", "extern", "external", "generated", "node_modules"),
    *("site-packages", "third-party", "third_party", "thirdparty", "vendor", "vendored"),
    *("_vendor", "_vendored"),
}
"""Folders that usually hold code of others, or of no one."""
CONTAINERS = {"apps", "crates", "lib", "libs", "packages", "src"}
"""Folders of packages, no packages themselves."""


@dataclass(frozen=True, slots=True)
class FolderShare:
    """What one folder gives."""

    folder: str
    """Workspace-relative; `.` for files of the root itself."""
    num_tokens: int
    share: float
    """Of all repository tokens."""
    is_own: bool
    """It belongs to the package of the file at the cursor."""
    is_vendored: bool
    """Its name says that it holds code of others."""


def folder_shares(sources: Sequence[tuple[str, int]], own_path: str) -> tuple[FolderShare, ...]:
    """The folders of `sources` (path, tokens), the largest first.

    A folder is named down to where the paths part, or down to a vendored one below that.
    """
    shared = _shared_folders([own_path, *(path for path, _ in sources)])
    own = _package(own_path)
    tokens: dict[str, int] = {}
    for path, num_tokens in sources:
        folder = _folder(path, shared)
        tokens[folder] = tokens.get(folder, 0) + num_tokens
    total = sum(tokens.values())
    return tuple(
        FolderShare(
            folder=folder,
            num_tokens=number,
            share=number / total if total else 0.0,
            is_own=_package(f"{folder}/x" if folder != "." else "x") == own,
            is_vendored=_vendored_depth(folder) > 0,
        )
        for folder, number in sorted(tokens.items(), key=lambda item: (-item[1], item[0]))
    )


def warning_of(shares: Iterable[FolderShare]) -> str:
    """A sentence, if a folder other than the file's own gives more than half; else empty."""
    for share in shares:
        if share.is_own or share.share <= 0.5:
            continue
        sentence = f"{share.share:.0%} of the repository text comes from {share.folder}"
        if share.is_vendored:
            return (
                f"{sentence}, which looks like vendored or generated code: if it should not be read, name it "
                "in privacy.exclude or .gitignore."
            )
        return f"{sentence}, outside of this file's own package."
    return ""


def _shared_folders(paths: Sequence[str]) -> int:
    """How many leading folders all paths have in common."""
    parts = [path.split("/")[:-1] for path in paths]
    number = 0
    for column in zip(*parts, strict=False):
        if len(set(column)) > 1:
            break
        number += 1
    return number


def _folder(path: str, shared: int) -> str:
    folders = path.split("/")[:-1]
    depth = max(shared + 1, _vendored_depth("/".join(folders)))
    return "/".join(folders[:depth]) or "."


def _package(path: str) -> str:
    """The top folder of a file, one further below a folder of packages; down to a vendored one."""
    folders = path.split("/")[:-1]
    depth = 2 if folders[:1] and folders[0].lower() in CONTAINERS else 1
    return "/".join(folders[: max(depth, _vendored_depth("/".join(folders)))])


def _vendored_depth(folder: str) -> int:
    """The number of folders up to the first vendored one; 0 if there is none."""
    parts = folder.split("/")
    return next((depth for depth, part in enumerate(parts, 1) if part.lower() in VENDORED), 0)
