"""From where a file could import a name: as other files of the workspace do, or where it is defined.

Knows a project and how a module is written from a file; writes no text and runs nothing. Of modules from
outside it knows only what the workspace imports of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from context.imports.written_path import relative
from context.languages import language_of
from context.paths import folder_of, name_of
from context.project import Project
from context.symbols import FileFacts, Import, Kind, Scope

MAX_PROVIDERS = 5
MAX_DEFINERS = 3
"""A name that more files define is nobody's own."""


@dataclass(frozen=True, slots=True)
class Provider:
    """One import statement that would bind a name, as the asking file would write it."""

    module: str
    """With Python's leading dots, or a path of JavaScript."""
    name: str
    """What is imported of it; empty for the module itself."""
    bound: str
    """What it is called; for `import a.b` only `a`."""
    num_importers: int
    """Files that import it so."""
    is_type: bool = False
    """Whether all of them do so for type checkers only."""

    @property
    def is_aliased(self) -> bool:
        """Whether it is bound under another name than its own."""
        own = self.name or self.module.partition(".")[0]
        return self.bound != own


def providers(project: Project, key: str, facts: FileFacts | None, name: str) -> tuple[Provider, ...]:
    """The ways to import a name into a file, the most usual first; `facts` are the file's own."""
    return _Finder(project, key, facts).find(name)


class _Finder:
    def __init__(self, project: Project, key: str, facts: FileFacts | None) -> None:
        self._project = project
        self._key = key
        self._facts = facts
        self._modules = project.graph.resolver_of(key)
        row = language_of(key)
        self._family = row.family if row else ""

    def find(self, name: str) -> tuple[Provider, ...]:
        """As `providers`."""
        found: dict[Provider, list[tuple[int, bool]]] = {}
        for other, facts in self._others():
            for statement in facts.bound.get(name, ()):
                way = self._as_imported(other, statement, name)
                if way is not None:
                    row = self._distance(other), statement.scope is Scope.TYPE_CHECKING
                    found.setdefault(way, []).append(row)
        ways = [
            Provider(way.module, way.name, way.bound, len(rows), all(is_type for _, is_type in rows))
            for way, rows in sorted(found.items(), key=lambda item: (-len(item[1]), min(item[1])))
        ]
        known = {(way.module, way.name) for way in ways}
        others = (*self._submodules(name), *self._definers(name))
        ways += [way for way in others if (way.module, way.name) not in known]
        return tuple(ways[:MAX_PROVIDERS])

    def _others(self) -> Iterator[tuple[str, FileFacts]]:
        for other, entry in self._project.entries.items():
            if other != self._key and entry.facts is not None and self._is_of_family(other):
                yield other, entry.facts

    def _is_of_family(self, other: str) -> bool:
        row = language_of(other)
        return row is not None and row.family == self._family

    def _as_imported(self, other: str, statement: Import, name: str) -> Provider | None:
        """How this file would write what another one has imported."""
        imported = next((own for own, bound in statement.names if bound == name), "")
        if statement.names and not imported:
            return None
        module = self._module_from_here(other, statement)
        return Provider(module, imported, name, 0) if module else None

    def _module_from_here(self, other: str, statement: Import) -> str:
        """The module as it is written here; empty where it would be another one, or none."""
        if self._family != "python":
            if not statement.module.startswith("."):
                return statement.module
            files = self._modules.files_of(other, statement) if self._modules else set()
            return self._path_to(next(iter(files), ""), statement.module) if files else ""
        if not statement.level:
            return statement.module
        folder = folder_of(other)
        for _ in range(statement.level - 1):
            folder = folder_of(folder)
        target = "/".join([folder, *filter(None, statement.module.split("."))])
        return "" if target in (self._key, self._stem(self._key)) else self._with_dots(target)

    def _submodules(self, name: str) -> Iterator[Provider]:
        """A module of the file's own package, or of a package around it."""
        if self._family != "python" or not name.isidentifier():
            return
        folder = folder_of(self._key)
        files = {self._stem(other): other for other in self._project.in_folder(folder)}
        files |= {f"{folder}/{name}": other for other in self._project.in_folder(f"{folder}/{name}")}
        file = files.get(f"{folder}/{name}")
        if file is not None and file != self._key:
            if self._uses_dots():
                yield Provider(".", name, name, 0)
            elif module := self._module_of(f"{folder}/__init__.py"):
                yield Provider(module, name, name, 0)
            elif self._means(name, file):
                yield Provider(name, "", name, 0)

    def _definers(self, name: str) -> list[Provider]:
        """The modules that define it at their top, if they are few."""
        is_shared = name.isupper()
        imported = self._project.graph.imports_of(self._key)
        files = [
            other
            for other, facts in self._others()
            if any(
                facts.definitions[index].kind is not Kind.VARIABLE or is_shared or other in imported
                for index in facts.top_level.get(name, ())
            )
            and (self._family == "python" or facts.is_exported(name))
        ]
        if len(files) > MAX_DEFINERS:
            return []
        modules = (self._module_of(file) for file in sorted(files, key=self._distance))
        return [Provider(module, name, name, 0) for module in modules if module]

    def _module_of(self, file: str) -> str:
        """A file of the workspace as this one would name it."""
        if self._family != "python":
            return self._path_to(file, "./")
        stem = self._stem(file)
        if self._uses_dots() and folder_of(self._key):
            return self._with_dots(stem)
        parts = stem.strip("/").split("/")
        dotted = (".".join(parts[start:]) for start in range(len(parts) - 1, -1, -1))
        return next((module for module in dotted if self._means(module, file)), "")

    def _means(self, dotted: str, file: str) -> bool:
        statement = Import(dotted, 0, (("*", "*"),), "", Scope.MODULE, 0, 0)
        return self._modules is not None and file in self._modules.files_of(self._key, statement)

    def _with_dots(self, target: str) -> str:
        """A module's path, from this file's folder."""
        folder, level = folder_of(self._key), 1
        while target != folder and not target.startswith(f"{folder}/"):
            if not folder:
                return ""
            folder, level = folder_of(folder), level + 1
        rest = target[len(folder) + 1 :].replace("/", ".")
        return "." * level + rest

    def _uses_dots(self) -> bool:
        """Whether imports of the workspace are written with leading dots here."""
        own = _imports(self._facts)
        beside = (
            statement
            for other in self._project.in_folder(folder_of(self._key))
            for statement in _imports(self._project.facts(other))
        )
        ours = [each for each in own if each.level or self._is_ours(each)] or [*beside]
        return any(statement.level for statement in ours)

    def _is_ours(self, statement: Import) -> bool:
        return self._modules is not None and bool(self._modules.files_of(self._key, statement))

    def _path_to(self, file: str, like: str) -> str:
        """A specifier for a file, with an extension where the model of it has one."""
        stem, dot, extension = file.rpartition(".")
        if "." in name_of(like.rstrip("/")).lstrip("."):
            written = f"{stem}{dot}{like.rpartition('.')[2]}"
        else:
            written = stem.removesuffix("/index") if name_of(stem) == "index" else stem
        return relative(folder_of(self._key), written) if extension and file != self._key else ""

    def _stem(self, file: str) -> str:
        return file.rpartition(".")[0].removesuffix("/__init__")

    def _distance(self, other: str) -> int:
        """How far apart two files are in the tree of folders."""
        mine, theirs = self._key.split("/")[:-1], other.split("/")[:-1]
        same = 0
        for one, another in zip(mine, theirs, strict=False):
            if one != another:
                break
            same += 1
        return len(mine) + len(theirs) - 2 * same


def _imports(facts: FileFacts | None) -> Iterable[Import]:
    return facts.imports if facts is not None else ()
