"""Python's import statements -> workspace files, over a set of paths and the manifests.

Knows no definitions and never asks the disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from context.imports.modules import Binding, Module
from context.imports.python_roots import python_roots
from context.paths import folder_of, is_within, name_of
from context.symbols import Import

SOURCE_FOLDERS = ("src", "lib", "python")


class PythonModules:
    """The modules of one set of files. Immutable; the answers are remembered.

    Follows the import system of the language reference ("The import system", "The Path Based Finder") and
    PEP 420: a package before a module before a namespace folder, and the first root wins. A checkout has no
    `sys.path`, so its roots are the workspace's, those that pyproject.toml and setup.cfg name, the usual
    source folders, and every parent of a top-level package; around the importer first, and the importer's own
    folder where it is a script. `.pyi` counts where there is no `.py`.
    """

    def __init__(
        self, files: Iterable[str], workspace_roots: Iterable[str], manifests: Mapping[str, str] | None = None
    ) -> None:
        self._files = frozenset(file for file in files if file.endswith((".py", ".pyi")))
        self._folders = _with_parents(self._files)
        declared = python_roots(manifests or {})
        everywhere = _search_roots(self._files, list(workspace_roots), declared.installed)
        self._inside = {root: folder for root, folder in declared.inside.items() if root not in everywhere}
        self._roots = [*self._inside, *everywhere]
        self._roots_of_top = self._top_level_names()
        self._memo: dict[tuple[str, str, int], Module | None] = {}

    def find(self, importer: str, module: str, level: int = 0) -> Module | None:
        """The module that `importer` means by a dotted name, or None if it is not in the workspace."""
        memo_key = (folder_of(importer), module, level)
        if memo_key not in self._memo:
            self._memo[memo_key] = self._find(importer, module, level)
        return self._memo[memo_key]

    def child(self, module: Module, name: str) -> Module | None:
        """A submodule."""
        return self._in_folders(name, module.folders) if module.folders else None

    def bindings(self, importer: str, statement: Import) -> Iterator[Binding]:
        """The names that a statement brings, as far as they come from the workspace."""
        if not statement.names:
            bound = statement.alias or statement.module.partition(".")[0]
            module = self.find(importer, statement.module if statement.alias else bound)
            if module is not None:
                yield Binding(bound, module, "")
            return
        module = self.find(importer, statement.module, statement.level)
        if module is None:
            return
        for name, bound in statement.names:
            submodule = self.child(module, name)
            if submodule is not None and (submodule.file or not module.file):
                yield Binding(bound, submodule, "")
            else:
                yield Binding(bound, module, name)

    def files_of(self, importer: str, statement: Import) -> set[str]:
        """The files that a statement names; a file never depends on itself."""
        if statement.names:
            found = {binding.module.file for binding in self.bindings(importer, statement)}
        else:
            module = self.find(importer, statement.module)
            found = {module.file} if module else set()
        return {file for file in found if file and file != importer}

    def _find(self, importer: str, module: str, level: int) -> Module | None:
        parts = module.split(".") if module else []
        if level:
            folder = folder_of(importer)
            for _ in range(level - 1):
                folder = folder_of(folder)
            return self._descend(self._package(folder), parts) if folder in self._folders else None
        if not parts:
            return None
        roots = self._roots_for(importer, parts[0])
        found = self._descend(self._in_folders(parts[0], roots), parts[1:])
        if found is None or not found.file:
            # one checkout may hold several packages of one name, of which Python would see only the first
            alone = (self._descend(self._in_folders(parts[0], (root,)), parts[1:]) for root in roots)
            found = next((other for other in alone if other and other.file), found)
        return found

    def _descend(self, module: Module | None, parts: list[str]) -> Module | None:
        for part in parts:
            module = self.child(module, part) if module else None
        return module

    def _in_folders(self, name: str, folders: tuple[str, ...]) -> Module | None:
        namespace: list[str] = []
        for folder in folders:
            path = f"{folder}/{name}"
            package = self._package(path) if path in self._folders else None
            if package is not None and package.file:
                return package
            for file in (f"{path}.py", f"{path}.pyi"):
                if file in self._files:
                    return Module(file)
            if package is not None:
                namespace.append(path)
        return Module(None, tuple(namespace)) if namespace else None

    def _package(self, folder: str) -> Module:
        inits = (f"{folder}/__init__.py", f"{folder}/__init__.pyi")
        return Module(next((init for init in inits if init in self._files), None), (folder,))

    def _roots_for(self, importer: str, top: str) -> tuple[str, ...]:
        """The script's own folder, then roots around the importer from the inside out, then the others."""
        own = folder_of(importer)
        known = [
            root
            for root in self._roots_of_top.get(top, ())
            if root not in self._inside or is_within(own, self._inside[root])
        ]
        around = sorted((root for root in known if is_within(own, root)), key=len, reverse=True)
        others = [root for root in known if not is_within(own, root)]
        is_script = self._package(own).file is None
        return tuple(dict.fromkeys([*([own] if is_script else []), *around, *others]))

    def _top_level_names(self) -> dict[str, tuple[str, ...]]:
        roots = {root: position for position, root in enumerate(self._roots)}
        found: dict[str, set[str]] = {}
        for path in (*self._files, *self._folders):
            if folder_of(path) in roots:
                name = name_of(path)
                found.setdefault(name.removesuffix(".pyi").removesuffix(".py"), set()).add(folder_of(path))
        return {name: tuple(sorted(where, key=roots.__getitem__)) for name, where in found.items()}


def _with_parents(files: Iterable[str]) -> frozenset[str]:
    folders: set[str] = set()
    for file in files:
        folder = folder_of(file)
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder_of(folder)
    return frozenset(folders)


def _search_roots(
    files: frozenset[str], workspace_roots: list[str], declared: tuple[str, ...]
) -> dict[str, None]:
    """Workspace roots, what manifests name, usual folders, then every parent of a top-level package."""
    packages = {folder_of(file) for file in files if name_of(file) in ("__init__.py", "__init__.pyi")}
    parents = {folder_of(package) for package in packages if folder_of(package) not in packages}
    usual = [f"{root}/{name}" for root in workspace_roots for name in SOURCE_FOLDERS]
    guessed = sorted(parents, key=lambda key: (key.count("/"), key))
    return dict.fromkeys([*workspace_roots, *declared, *usual, *guessed])
