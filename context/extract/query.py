"""Text -> FileFacts for every language whose shape stands in query files. Knows no language by name.

The folders of a row's grammar are laid end to end. Nodes are named by captures; of several patterns that give
one node the same role, the last one wins, so a later folder refines an earlier one.

`imports.scm`, searched in the top-level statements that hold a text of the regex after `; near:`
    @import     the statement; patterns with the same @module add up
    @module     the module's text
    @name       a name of the module that is bound, as `@alias` where there is one
    @default    what the module's default is bound to
    @namespace  what the module itself is bound to
    @star       every exported name is bound; @star.default: and the module's default as `default`
    @reexport   what is bound belongs to the file's exports
    @weak       only for type checkers
    @lazy       runs later or never
    @function   what stands inside runs later

`tags.scm`, searched from a container's children downwards; the file is the first container
    @def.class, @def.function, @def.variable, @def.type   a definition (`context.symbols.Kind`)
    @name       its name; without one a top-level definition is `default`
    @base       a base class or interface
    @members    the node whose children are its members, brackets included
    @body       elided
    @fields     elided but for the @attribute nodes directly inside: assignments of @name, with a @value
    @value      cut where it is long; @value.kept is not dropped as a whole
    @owner      the name of the top-level definition that it is a member of, though it stands outside
    @exported, @default   the definition is exported under its name, as `default`
    @wrap       a statement around definitions that lends them its text: `declare`, `const`
    @wrap.export, @wrap.default   the same, and what is inside is exported
    @inside     a container that adds nothing: the definitions inside count as if it were not there
    @decorator  belongs to the definition that follows, or that it is in
    @doc        a comment whose first line is kept if a definition follows directly
    @export, @export.default      no definition: @name is exported, as @alias, as `default`
    (#set! end ";")   ends the signature if the source does not
A capture whose name starts with `_` serves predicates only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from context.extract.query_definitions import DefinitionWalk
from context.extract.query_imports import find_imports
from context.grammars import tree_sitter_language
from context.identifiers import identifiers
from context.languages import Grammar, Language
from context.symbols import FileFacts

if TYPE_CHECKING:
    from tree_sitter import Parser, Query

MAX_LINE = 5_000
MAX_MEAN_LINE = 300
"""Longer lines are written by programs: minified code, tables."""
MIN_GENERATED = 1_000
"""Below it a long line costs nothing."""

_QUERIES = Path(__file__).parent.parent / "queries"
_NEAR = re.compile(r"^; near: (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class _Reader:
    """What reads one grammar, made once per process."""

    parser: Parser
    imports: Query
    near: re.Pattern[bytes]
    definitions: Query
    knows_exports: bool
    """Whether the language has a word for what other files may use."""


def extract(text: str, language: Language) -> FileFacts:
    """The facts of a text. A file written by a program has words only; broken code gives what can be read."""
    words = " ".join(sorted(identifiers(text)))
    if language.grammar is None or not language.grammar.queries or is_generated(text):
        return FileFacts(words=words)
    reader = _reader(language.grammar)
    data = text.encode("utf-8", errors="replace")
    root = reader.parser.parse(data).root_node
    imports, places = find_imports(data, root, reader.imports, reader.near)
    walk = DefinitionWalk(data, reader.definitions, language.grammar, places)
    walk.run(root)
    return FileFacts(
        imports,
        walk.definitions(),
        walk.exports() if reader.knows_exports else None,
        walk.aliases(),
        is_sealed=bool(walk.exports() or walk.aliases()),
        indent=walk.indent,
        ellipsis=language.grammar.ellipsis,
        words=words,
    )


def is_generated(text: str) -> bool:
    """Whether lines are too long for people."""
    if len(text) > max(MIN_GENERATED, MAX_MEAN_LINE * (text.count("\n") + 1)):
        return True
    return len(text) > MAX_LINE and max(map(len, text.split("\n"))) > MAX_LINE


@cache
def _reader(grammar: Grammar) -> _Reader:
    import tree_sitter

    language = tree_sitter_language(grammar)
    imports, tags = (_query_text(grammar, name) for name in ("imports.scm", "tags.scm"))
    near = "|".join(_NEAR.findall(imports))
    definitions = tree_sitter.Query(language, tags)
    roles = [definitions.capture_name(index) for index in range(definitions.capture_count)]
    return _Reader(
        tree_sitter.Parser(language),
        tree_sitter.Query(language, imports),
        re.compile(near.encode("ascii")),
        definitions,
        any(role.startswith(("export", "wrap.")) for role in roles),
    )


def _query_text(grammar: Grammar, name: str) -> str:
    return "\n".join((_QUERIES / folder / name).read_text("utf-8") for folder in grammar.queries)
