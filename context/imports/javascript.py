"""JavaScript's and TypeScript's import statements -> workspace files, over a set of paths and the manifests.

Knows no definitions and never asks the disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from context.imports.modules import Binding, Module
from context.imports.package_json import Package, targets_of
from context.imports.packages import Packages
from context.imports.script_files import ScriptFiles
from context.imports.tsconfig import TsConfigs
from context.imports.written_path import MAX_WRITTEN, joined, upwards
from context.paths import folder_of
from context.symbols import Import

_PATHS = ("./", "../", "/")
_FOLDERS = ("/", "/.", "/..")
_ALIASES = ("@/", "~/")
_USUAL_ENTRIES = ("index", "src/index", "lib/index")


class JavaScriptModules:
    """The modules of one set of files. Immutable; the answers are remembered.

    The rules, in the order in which they are tried:

    - Paths, as in Node.js ("Modules: CommonJS modules", all together) and TypeScript ("Modules - Reference"):
      the file, the source behind a written output, the file without its extension, `package.json` of the
      folder, its `index`. Further than they go: the source of a build folder that is not there (`dist/a.js`
      -> `src/a.ts`), then the one file that differs in case only.
    - `paths` and `baseUrl` of the nearest tsconfig.json or jsconfig.json (TypeScript).
    - `imports` of the nearest package.json for `#names` (Node.js, "Modules: Packages").
    - Packages of the workspace, the own one included, by name: `exports`, else the entry fields (Node.js).
      All conditions are tried, because we want a file and not the build for one machine.
    - `@/` and `~/` as bundlers' templates set them up: `src/` of the package, then the package.

    What is left is a package from outside, of which we know nothing.
    """

    def __init__(self, files: Iterable[str], roots: Iterable[str], manifests: Mapping[str, str]) -> None:
        self._files = ScriptFiles(files)
        self._roots = tuple(roots)
        self._packages = Packages(manifests)
        self._configs = TsConfigs(manifests)
        self._manifest_folders = frozenset(folder_of(key) for key in manifests)
        self._places: dict[str, str] = {}
        self._memo: dict[tuple[str, str], str | None] = {}

    def find(self, importer: str, specifier: str) -> str | None:
        """The file that `importer` means by a specifier, or None if it is not in the workspace."""
        folder = folder_of(importer)
        is_path = specifier.startswith(_PATHS) or specifier in (".", "..")
        memo_key = (folder if is_path else self._place_of(folder), specifier)
        if memo_key not in self._memo:
            # bundlers take orders behind a path: `./a.ts?worker`
            written = specifier.partition("?")[0] if len(specifier) <= MAX_WRITTEN else ""
            self._memo[memo_key] = (self._path if is_path else self._name)(memo_key[0], written)
        return self._memo[memo_key]

    def child(self, module: Module, name: str) -> Module | None:
        """Nothing: a module of JavaScript has no submodules."""
        return None

    def bindings(self, importer: str, statement: Import) -> Iterator[Binding]:
        """The names that a statement brings, as far as they come from the workspace."""
        file = self.find(importer, statement.module)
        if file is None:
            return
        module = Module(file)
        for name, bound in statement.names:
            yield Binding(bound, module, name)
        if statement.alias:
            yield Binding(statement.alias, module, "")
            # `require` gives what `module.exports` was set to, which may be the module's one thing
            yield Binding(statement.alias, module, "default")

    def files_of(self, importer: str, statement: Import) -> set[str]:
        """The file that a statement names; a file never depends on itself."""
        file = self.find(importer, statement.module)
        return {file} if file and file != importer else set()

    def _place_of(self, folder: str) -> str:
        """The innermost folder around with a manifest: names mean the same in all folders of one place."""
        if folder not in self._places:
            around = (outer for outer in upwards(folder) if outer in self._manifest_folders)
            self._places[folder] = next(around, "")
        return self._places[folder]

    def _name(self, place: str, name: str) -> str | None:
        return (
            self._mapped(place, name)
            or self._private(place, name)
            or self._package(place, name)
            or self._alias(place, name)
        )

    def _path(self, folder: str, written: str) -> str | None:
        path = joined(folder, written)
        if path is None:
            return None
        if written.endswith(_FOLDERS) or written in (".", ".."):
            return self._folder(path)
        return self._at(path) or self._files.respelled(path)

    def _mapped(self, folder: str, specifier: str) -> str | None:
        for mapping in self._configs.around(folder):
            for path in mapping.candidates(specifier):
                found = self._at(path)
                if found is not None:
                    return found
        return None

    def _private(self, folder: str, specifier: str) -> str | None:
        package = self._packages.around(folder) if specifier.startswith("#") else None
        found = package.imports.match(specifier) if package and package.imports else None
        if package is None or found is None:
            return None
        for target in targets_of(found):
            file = (
                self._written(package.folder, target)
                if target.startswith("./")
                else self._package(package.folder, target)
            )
            if file is not None:
                return file
        return None

    def _package(self, folder: str, specifier: str) -> str | None:
        """A file of a package by `name`, `@scope/name`, and what may follow."""
        parts = specifier.split("/", 2 if specifier.startswith("@") else 1)
        size = 2 if specifier.startswith("@") else 1
        package = self._packages.named("/".join(parts[:size]), folder)
        return self._exported(package, "/".join(parts[size:])) if package else None

    def _exported(self, package: Package, subpath: str) -> str | None:
        found = package.exports.match(f"./{subpath}" if subpath else ".") if package.exports else None
        if found is not None:
            for target in targets_of(found):
                file = self._written(package.folder, target)
                if file is not None:
                    return file
            if found.value is None:
                return None
        # older resolvers know no `exports`, and sources may lie elsewhere than what is built of them
        if not subpath:
            return self._folder(package.folder)
        path = joined(package.folder, subpath)
        return self._at(path) or self._at(f"{package.folder}/src/{subpath}") if path else None

    def _alias(self, folder: str, specifier: str) -> str | None:
        if not specifier.startswith(_ALIASES):
            return None
        package = self._packages.around(folder)
        for root in ((package.folder,) if package else ()) + self._roots:
            for start in (f"{root}/src", root):
                path = joined(start, specifier[2:])
                found = (self._at(path) or self._files.respelled(path)) if path else None
                if found is not None:
                    return found
        return None

    def _at(self, path: str) -> str | None:
        return self._files.at(path) or self._folder(path) or self._files.behind(path)

    def _folder(self, path: str) -> str | None:
        package = self._packages.at(path)
        if package is None:
            return self._files.within(path)
        entries = (self._written(path, entry) for entry in package.entries)
        found = next((entry for entry in entries if entry), None)
        usual = (self._files.at(f"{path}/{name}") for name in _USUAL_ENTRIES)
        return found or next((entry for entry in usual if entry), None)

    def _written(self, folder: str, written: str) -> str | None:
        """A path of a package.json. Its folders are not asked for manifests of their own: no circles."""
        path = joined(folder, written)
        if path is None:
            return None
        return self._files.at(path) or self._files.within(path) or self._files.behind(path)
