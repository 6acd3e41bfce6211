"""tsconfig.json and jsconfig.json -> where a specifier that is no path may lie. Knows no files but configs.

Follows TypeScript's "Modules - Reference" (`baseUrl`, `paths`) and its handbook on `extends`: a later config
replaces `paths` as a whole, and every path is relative to the config that wrote it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import NamedTuple

from context.imports.jsonc import MAX_REMEMBERED, read_object, texts_of
from context.imports.star_map import StarMap
from context.imports.written_path import joined, upwards
from context.paths import folder_of, name_of

MAX_EXTENDS = 32
"""As many configs are read for one."""
MAX_TARGETS = 64
MAX_CONFIGS = 8
"""As many configs are asked about one specifier."""

_OWN_NAMES = ("tsconfig.json", "jsconfig.json")
_CONFIG_FOLDER = "${configDir}"


class _Options(NamedTuple):
    """What a config and those it extends say, each with the folder that it is relative to."""

    base_url: tuple[str, str] | None = None
    paths: tuple[str, StarMap] | None = None


class _Config(NamedTuple):
    """What one config says itself."""

    options: _Options
    extends: tuple[str, ...]
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PathMapping:
    """Where one config lets a specifier be looked for."""

    base_url: str | None
    paths: StarMap | None
    paths_folder: str
    config_folder: str = field(compare=False)

    def candidates(self, specifier: str) -> Iterator[str]:
        """Paths in the order in which they are tried."""
        found = self.paths.match(specifier) if self.paths else None
        if found is not None:
            for target in texts_of(found.value)[:MAX_TARGETS]:
                path = joined(self.paths_folder, _absolute(found.filled(target), self.config_folder))
                if path is not None:
                    yield path
        path = joined(self.base_url, specifier) if self.base_url is not None else None
        if path is not None:
            yield path


class TsConfigs:
    """The configs of a workspace. Immutable; read when the first specifier asks."""

    def __init__(self, manifests: Mapping[str, str]) -> None:
        self._texts = {
            key: text
            for key, text in manifests.items()
            if fnmatchcase(name_of(key), "[jt]sconfig*.json") and "/node_modules/" not in key
        }
        self._names: dict[str, list[str]] = {}
        for key in sorted(self._texts):
            self._names.setdefault(folder_of(key), []).append(key)
        self._here: dict[str, tuple[PathMapping, ...]] = {}
        self._around: dict[str, tuple[PathMapping, ...]] = {}

    def around(self, folder: str) -> tuple[PathMapping, ...]:
        """The mappings that reach a folder, from the inside out.

        TypeScript stops at the first config; bundlers and test runners read others than the compiler.
        """
        if folder not in self._around:
            found: dict[PathMapping, None] = {}
            for outer in upwards(folder):
                if outer in self._names:
                    found.update(dict.fromkeys(self._mappings_in(outer)))
                if len(found) >= MAX_CONFIGS:
                    break
            self._around[folder] = tuple(found)[:MAX_CONFIGS]
        return self._around[folder]

    def _mappings_in(self, folder: str) -> tuple[PathMapping, ...]:
        if folder not in self._here:
            found = (self._mapping(key) for key in self._configs_in(folder))
            self._here[folder] = tuple(mapping for mapping in found if mapping)
        return self._here[folder]

    def _configs_in(self, folder: str) -> list[str]:
        """The folder's own config, those that it divides the work among, then others beside it."""
        own = [f"{folder}/{name}" for name in _OWN_NAMES]
        found = [key for key in own if key in self._texts]
        for key in tuple(found):
            for path in self._config(key).references:
                referenced = self._existing(folder, path)
                # a folder's own config is found as the nearest one of its own files
                if referenced and name_of(referenced) not in _OWN_NAMES:
                    found.append(referenced)
        return list(dict.fromkeys([*found, *self._names[folder]]))[: MAX_CONFIGS * 2]

    def _mapping(self, key: str) -> PathMapping | None:
        options = self._options(key, {})
        folder = folder_of(key)
        base_url = None
        if options.base_url is not None:
            written_in, written = options.base_url
            base_url = joined(written_in, _absolute(written, folder))
        if options.paths is None:
            return None if base_url is None else PathMapping(base_url, None, base_url, folder)
        written_in, paths = options.paths
        return PathMapping(base_url, paths, written_in if base_url is None else base_url, folder)

    def _options(self, key: str, known: dict[str, _Options]) -> _Options:
        """The options of a config with those it extends; one that is being read already adds nothing."""
        if key in known or len(known) >= MAX_EXTENDS:
            return known.get(key, _Options())
        known[key] = options = _Options()
        config = self._config(key)
        for written in config.extends:
            extended = self._existing(folder_of(key), written)
            if extended is not None:
                options = _over(options, self._options(extended, known))
        known[key] = options = _over(options, config.options)
        return options

    def _existing(self, folder: str, written: str) -> str | None:
        """The config that a path names: with its extension, without, or by its folder."""
        path = joined(folder, written)
        names = (path, f"{path}.json", f"{path}/tsconfig.json") if path is not None else ()
        return next((name for name in names if name in self._texts), None)

    def _config(self, key: str) -> _Config:
        return _read(folder_of(key), self._texts[key])


@lru_cache(maxsize=MAX_REMEMBERED)
def _read(folder: str, text: str) -> _Config:
    manifest = read_object(text)
    options = manifest.get("compilerOptions")
    base_url, paths = (
        (options.get("baseUrl"), options.get("paths")) if isinstance(options, dict) else (None, None)
    )
    references = manifest.get("references")
    rows = references[:MAX_TARGETS] if isinstance(references, list) else []
    return _Config(
        _Options(
            (folder, base_url) if isinstance(base_url, str) else None,
            (folder, StarMap(paths)) if isinstance(paths, dict) else None,
        ),
        tuple(texts_of(manifest.get("extends"))[:MAX_TARGETS]),
        tuple(path for row in rows if isinstance(row, dict) and isinstance(path := row.get("path"), str)),
    )


def _over(below: _Options, above: _Options) -> _Options:
    return _Options(above.base_url or below.base_url, above.paths or below.paths)


def _absolute(written: str, config_folder: str) -> str:
    return (
        config_folder + written.removeprefix(_CONFIG_FOLDER)
        if written.startswith(_CONFIG_FOLDER)
        else written
    )
