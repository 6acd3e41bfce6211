"""The languages we know by name, one row each. Knows nothing of files' contents.

A language whose definitions and imports are read has a `grammar`; one more is a row here, two query files in
`queries/`, and a resolver in `imports/` where its rules need code.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from os.path import splitext
from pathlib import PurePath


@dataclass(frozen=True, slots=True)
class Grammar:
    """A tree-sitter grammar and how its text is shortened."""

    module: str
    """The wheel's package, imported when the first file is parsed."""
    function: str = "language"
    """What the package calls to give the grammar."""
    queries: tuple[str, ...] = ()
    """Folders of `queries/` whose files are laid end to end; empty where a walk of our own reads the tree."""
    elided_body: str = "{}"
    """What stands for a body in a repo map; `{ ... }` would not parse."""
    ellipsis: str = "// ..."
    """A line that stands for members left out."""


@dataclass(frozen=True, slots=True)
class Language:
    """One row of the table."""

    id: str
    """The editor's language id."""
    extensions: tuple[str, ...]
    comment: str
    """What starts a line comment."""
    family: str = ""
    """Languages that import one another share a family and its resolver; empty without one."""
    grammar: Grammar | None = None


_JAVASCRIPT = Grammar("tree_sitter_javascript", queries=("ecmascript", "javascript"))
_TYPESCRIPT = Grammar("tree_sitter_typescript", "language_typescript", ("ecmascript", "typescript"))
_TSX = Grammar("tree_sitter_typescript", "language_tsx", ("ecmascript", "typescript"))

PYTHON_GRAMMAR = Grammar("tree_sitter_python", elided_body="...", ellipsis="...")

LANGUAGES = (
    Language("python", (".py", ".pyi"), "#", "python", PYTHON_GRAMMAR),
    Language("javascript", (".js", ".mjs", ".cjs"), "//", "javascript", _JAVASCRIPT),
    Language("javascriptreact", (".jsx",), "//", "javascript", _JAVASCRIPT),
    Language("typescript", (".ts", ".mts", ".cts"), "//", "javascript", _TYPESCRIPT),
    Language("typescriptreact", (".tsx",), "//", "javascript", _TSX),
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
MANIFESTS = {
    "python": ("pyproject.toml", "setup.cfg"),
    "javascript": (
        "package.json",
        "tsconfig*.json",
        "jsconfig*.json",
        "pnpm-workspace.yaml",
        "lerna.json",
    ),
}
"""By family, the names of files that say where its modules are looked for. Read, never obeyed further."""
_BY_EXTENSION = {extension: row for row in LANGUAGES for extension in row.extensions}
_BY_ID = {row.id: row for row in LANGUAGES}


def language_of(path: str | PurePath) -> Language | None:
    """The language that a file's name says, or None."""
    suffix = splitext(path)[1]  # noqa: PTH122 - a Path takes ten times longer
    return _BY_EXTENSION.get(suffix) or _BY_EXTENSION.get(suffix.lower())


def module_of(path: str) -> tuple[str, str] | None:
    """A file's family, and its bare name without extension in lower case; None without a family.

    Files of one folder that share it are one module: `a.ts`, the `a.js` built from it, `a.d.ts`.
    """
    row = language_of(path)
    if row is None or not row.family:
        return None
    return row.family, path.rpartition("/")[2].rpartition(".")[0].removesuffix(".d").casefold()


def language_named(language_id: str) -> Language | None:
    """The row of an editor's language id, or None."""
    return _BY_ID.get(language_id)


def is_manifest(name: str) -> bool:
    """Whether a file of this bare name tells some family where its modules are."""
    return any(fnmatchcase(name, pattern) for patterns in MANIFESTS.values() for pattern in patterns)
