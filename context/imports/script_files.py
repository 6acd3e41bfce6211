"""Paths as JavaScript writes them -> script files of a set. Knows no packages and no settings.

The order of extensions is TypeScript's ("Modules - Reference", relative file path resolution): a written
output (`./a.js`) means the source beside it (`a.ts`) before the output itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from context.paths import folder_of

EXTENSIONS = (".ts", ".tsx", ".d.ts", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".d.mts", ".d.cts")
"""In the order in which they are tried after a path without one."""
OUTPUTS = frozenset(("dist", "build", "lib", "out", "es", "esm", "cjs", "umd"))
"""Folders into which sources are compiled; usually ignored, so that only the sources are files of ours."""
MAX_OUTPUTS = 4
_WITHIN_OUTPUTS = OUTPUTS | {"types"}
_WHOLE_OUTPUTS = ("dist", "build", "out")
"""Into which a whole package is compiled, so that the sources may lie beside them."""
_SOURCES_OF = {
    ".js": (".ts", ".tsx", ".d.ts"),
    ".jsx": (".tsx", ".ts", ".d.ts"),
    ".mjs": (".mts", ".d.mts"),
    ".cjs": (".cts", ".d.cts"),
}


class ScriptFiles:
    """The scripts among some files, by every path under which they may be written. Immutable."""

    def __init__(self, files: Iterable[str]) -> None:
        self._stems = _by_extension(files)
        self._by_path = self._written_paths()

    def at(self, path: str) -> str | None:
        """The file that a path names, with or without its extension."""
        return self._by_path.get(path)

    def within(self, folder: str) -> str | None:
        """The file that a folder stands for."""
        return self._by_path.get(folder + "/index")

    def behind(self, path: str) -> str | None:
        """The source of a compiled file or folder: `dist/esm/a.js` was `src/a.ts` or `a.ts`."""
        parts = path.split("/")
        if OUTPUTS.isdisjoint(parts):
            return None
        outputs = [index for index, part in enumerate(parts) if part in OUTPUTS]
        for first in outputs[-MAX_OUTPUTS:]:
            for last in range(first + 1, first + 1 + MAX_OUTPUTS):
                for sources in (["src"], []) if parts[first] in _WHOLE_OUTPUTS else (["src"],):
                    found = self._source("/".join([*parts[:first], *sources, *parts[last:]]))
                    if found is not None:
                        return found
                if last >= len(parts) or parts[last] not in _WITHIN_OUTPUTS:
                    break
        return None

    def respelled(self, path: str) -> str | None:
        """The file that a path names in another case, if only one does."""
        for written, extension in ((path, ""), split_extension(path)):
            spellings = self._spellings.get(written.casefold(), ())
            if len(spellings) == 1:
                (spelling,) = spellings
                found = self.at(spelling + extension) or self.within(spelling + extension)
                if found is not None:
                    return found
        return None

    def _source(self, path: str) -> str | None:
        stem, _ = split_extension(path)
        return self.at(path) or self.at(stem) or self.within(path)

    def _written_paths(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for output, sources in _SOURCES_OF.items():
            for source in sources:
                for stem in self._stems[source]:
                    found.setdefault(stem + output, stem + source)
        for extension, stems in self._stems.items():
            for stem in stems:
                found.setdefault(stem + extension, stem + extension)
        for extension in EXTENSIONS:
            for stem in self._stems[extension]:
                found.setdefault(stem, stem + extension)
                if extension == ".d.ts":
                    found.setdefault(stem + ".d", stem + extension)
        return found

    @cached_property
    def _spellings(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        folders: set[str] = set()
        for extension, stems in self._stems.items():
            for stem in stems:
                found.setdefault(stem.casefold(), set()).add(stem)
                found.setdefault((stem + extension).casefold(), set()).add(stem + extension)
                folder = folder_of(stem)
                while folder and folder not in folders:
                    folders.add(folder)
                    found.setdefault(folder.casefold(), set()).add(folder)
                    folder = folder_of(folder)
        return found


def split_extension(path: str) -> tuple[str, str]:
    """A path without a script's extension, and the extension or nothing."""
    stem, dot, extension = path.rpartition(".")
    extension = dot + extension
    if extension not in EXTENSIONS:
        return path, ""
    if stem.endswith(".d") and extension in (".ts", ".mts", ".cts"):
        return stem[:-2], ".d" + extension
    return stem, extension


def _by_extension(files: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {extension: [] for extension in EXTENSIONS}
    for file in files:
        stem, extension = split_extension(file)
        if extension and "/node_modules/" not in file:
            found[extension].append(stem)
    return found
