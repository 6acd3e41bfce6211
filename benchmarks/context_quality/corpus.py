"""The source files of one unpacked package, read once. Knows no sites and no conditions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

EXTENSIONS = {"python": (".py",), "javascript": (".js", ".mjs", ".cjs")}
SKIPPED_PARTS = frozenset({"_vendor", "vendor", "node_modules", "build", "__pycache__"})
NO_TARGET_PARTS = frozenset(
    {"docs", "examples", "example", "test", "tests", "testing", "integration", "scripts"}
)
GENERATED = re.compile(r"@generated|do not edit|auto[- ]?generated|automatically generated", re.IGNORECASE)
MAX_FILE_CHARS = 400_000
MAX_LINE_CHARS = 400


@dataclass(frozen=True, slots=True)
class Corpus:
    """A package as text."""

    package: str
    language: str
    root: Path
    files: dict[str, str]
    """By path relative to `root`, sorted."""

    @classmethod
    def read(cls, package: str, language: str, root: Path) -> Corpus:
        """Every source file below `root` that is neither generated, minified, vendored nor undecodable."""
        files: dict[str, str] = {}
        for path in sorted(root.rglob("*")):
            relative = path.relative_to(root)
            if (
                path.suffix not in EXTENSIONS[language]
                or SKIPPED_PARTS & {*relative.parts}
                or not path.is_file()
            ):
                continue
            try:
                text = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
            if not _is_made_by_machine(text):
                files[relative.as_posix()] = text
        return cls(package, language, root, files)

    def targets(self) -> list[str]:
        """Files in which sites are looked for: no tests, no examples."""
        return [path for path in self.files if not NO_TARGET_PARTS & {*path.lower().split("/")[:-1]}]

    def others(self, path: str) -> dict[str, str]:
        """All files but one: what a condition may look at."""
        return {other: text for other, text in self.files.items() if other != path}


def _is_made_by_machine(text: str) -> bool:
    if len(text) > MAX_FILE_CHARS or GENERATED.search(text[:600]):
        return True
    lines = text.split("\n")
    return max(map(len, lines)) > MAX_LINE_CHARS * 5 or len(text) > MAX_LINE_CHARS * len(lines)
