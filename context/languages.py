"""The languages we know by name, one row each. Knows nothing of files' contents."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath


@dataclass(frozen=True, slots=True)
class Language:
    """One row of the table."""

    id: str
    """The editor's language id."""
    extensions: tuple[str, ...]
    comment: str
    """What starts a line comment."""


LANGUAGES = (
    Language("python", (".py", ".pyi"), "#"),
    Language("javascript", (".js", ".jsx", ".mjs", ".cjs"), "//"),
    Language("typescript", (".ts", ".mts", ".cts"), "//"),
    Language("typescriptreact", (".tsx",), "//"),
    Language("go", (".go",), "//"),
    Language("rust", (".rs",), "//"),
    Language("java", (".java",), "//"),
    Language("kotlin", (".kt", ".kts"), "//"),
    Language("scala", (".scala", ".sc"), "//"),
    Language("swift", (".swift",), "//"),
    Language("dart", (".dart",), "//"),
    Language("c", (".c", ".h"), "//"),
    Language("cpp", (".cc", ".cpp", ".cxx", ".hpp", ".hh", ".hxx", ".cu", ".cuh"), "//"),
    Language("csharp", (".cs",), "//"),
    Language("php", (".php",), "//"),
    Language("zig", (".zig",), "//"),
    Language("ruby", (".rb", ".rake"), "#"),
    Language("shellscript", (".sh", ".bash", ".zsh"), "#"),
    Language("elixir", (".ex", ".exs"), "#"),
    Language("julia", (".jl",), "#"),
    Language("r", (".r", ".R"), "#"),
    Language("perl", (".pl", ".pm"), "#"),
    Language("lua", (".lua",), "--"),
    Language("haskell", (".hs",), "--"),
    Language("sql", (".sql",), "--"),
    Language("ocaml", (".ml", ".mli"), "(*"),
    Language("emacs-lisp", (".el",), ";"),
    Language("clojure", (".clj", ".cljs", ".cljc"), ";"),
    Language("vim", (".vim",), '"'),
)
_BY_EXTENSION = {extension: row for row in LANGUAGES for extension in row.extensions}


def language_of(path: str | PurePath) -> Language | None:
    """The language that a file's name says, or None."""
    suffix = PurePath(path).suffix
    return _BY_EXTENSION.get(suffix) or _BY_EXTENSION.get(suffix.lower())
