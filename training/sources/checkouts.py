"""Packages that are here already: a folder of git checkouts, or those beside a Python. Runs no git."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from training.sources import metadata
from training.sources.errors import HeldOutError, LicenceError, SourceError
from training.sources.folder import paths_below, texts_of
from training.sources.licence import declared_licence, recognised_licence
from training.sources.package import LANGUAGES, Package, is_licence_file, limit_of, source_files
from training.sources.spdx import rendered
from training.sources.table import HELD_OUT, Registry, normalised, read_held_out

_MANIFESTS = {"pyproject.toml": metadata.of_pyproject, "package.json": metadata.of_npm}


@dataclass(frozen=True, slots=True)
class Checkout:
    """A git repository's working tree."""

    key: str
    language: str
    folder: Path
    trust_licence: bool
    """Take it whatever its licence says or does not say: the user has the right to train on it."""

    def __call__(self) -> tuple[str, Package]:
        """Its licence and files; raises SourceError."""
        paths = list(paths_below(self.folder))
        texts = texts_of(self.folder, paths, self._limit)
        said = [line for name, read in _MANIFESTS.items() for line in read(texts.get(name, ""))]
        licences = tuple((path, text) for path, text in texts.items() if is_licence_file(path))
        package = Package(tuple(said), licences, source_files(texts.items(), self.language))
        if self.trust_licence:
            return _own_words(package), package
        if not said:
            found = recognised_licence(package)
            if found is None:
                raise LicenceError(
                    f"{self.folder.name}: neither its metadata nor a LICENSE file name a known licence: "
                    "leave it out, or say --trust-licences if you may train on it."
                )
            package = Package((found,), licences, package.files)
        return declared_licence(package, self.folder.name), package

    def _limit(self, path: str) -> int:
        return metadata.LIMIT if path in _MANIFESTS else limit_of(path, self.language)


@dataclass(frozen=True, slots=True)
class Installed:
    """An installed distribution."""

    key: str
    name: str
    site: Path

    language = "python"

    def __call__(self) -> tuple[str, Package]:
        """Its licence and files; raises SourceError."""
        known = {
            normalised(each.registry, each.name) for each in read_held_out() if each.registry is Registry.PYPI
        }
        if self.name in known:
            raise HeldOutError(f"{self.name} is installed here, but {HELD_OUT.name} keeps it out.")
        found = next(
            (each for each in distributions(path=[str(self.site)]) if _name(each) == self.name), None
        )
        if found is None:
            raise SourceError(f"{self.name} is no longer installed in {self.site}.")
        paths = [path for path in map(str, found.files or ()) if self._is_inside(path)]
        texts = texts_of(self.site, paths, lambda path: limit_of(path, self.language))
        licences = tuple(
            (metadata.repository_path(path), text) for path, text in texts.items() if is_licence_file(path)
        )
        said = metadata.of_wheel(found.read_text("METADATA") or "")
        package = Package(said, licences, source_files(texts.items(), self.language))
        return declared_licence(package, self.key), package

    def _is_inside(self, path: str) -> bool:
        place = self.site / path
        return ".." not in path.split("/") and not place.is_symlink() and place.is_file()


def checkouts(folder: Path, trust_licences: bool = False) -> Iterator[Checkout]:
    """Each sub-folder of `folder` with sources, by name."""
    for place in sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()):
        languages = Counter(LANGUAGES.get(Path(path).suffix) for path in paths_below(place))
        del languages[None]
        if languages:
            language = languages.most_common(1)[0][0] or ""
            name = re.sub(r"[^A-Za-z0-9._+-]", "+", place.name)
            yield Checkout(f"checkout-{name}-{_commit(place)}", language, place, trust_licences)


def installed(python: Path | None = None) -> Iterator[Installed]:
    """Each distribution beside `python`, this one by default; raises SourceError."""
    for site in _sites(python or Path(sys.executable)):
        for each in sorted(distributions(path=[str(site)]), key=_name):
            yield Installed(f"installed-{_name(each)}-{each.version}", _name(each), site)


def _sites(python: Path) -> list[Path]:
    program = (
        "import sysconfig; print(*{sysconfig.get_path(each) for each in ('purelib', 'platlib')}, sep='\\n')"
    )
    try:
        done = subprocess.run([python, "-I", "-c", program], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SourceError(f"{python} is no Python that answers ({error}): name another.") from error
    return sorted(Path(line) for line in done.stdout.splitlines())


def _name(found: Distribution) -> str:
    return normalised(Registry.PYPI, found.metadata["Name"] or "")


def _own_words(package: Package) -> str:
    """A licence to write down for what the user vouches for."""
    said = (rendered(each) for each in package.metadata_licences)
    return next(filter(None, said), None) or recognised_licence(package) or "LicenseRef-trusted"


def _commit(folder: Path) -> str:
    """The first letters of HEAD's hash, read without git: its configuration may name programs to run."""
    try:
        head = (folder / ".git" / "HEAD").read_text(encoding="utf-8").strip()
        if not head.startswith("ref: "):
            return head[:12]
        reference = head.removeprefix("ref: ")
        loose = folder / ".git" / reference
        if loose.is_file():
            return loose.read_text(encoding="utf-8").strip()[:12]
        packed = (folder / ".git" / "packed-refs").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return "unversioned"
    found = re.search(rf"(?m)^([0-9a-f]{{12}})[0-9a-f]* {re.escape(reference)}$", packed)
    return found.group(1) if found else "unversioned"
