"""Packages that are here already: a folder of git checkouts, and what is installed beside a Python."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from training.sources import checkouts as module
from training.sources.checkouts import Checkout, Installed, checkouts, installed
from training.sources.errors import ArchiveError, HeldOutError, LicenceError, SourceError

MIT = "Permission is hereby granted, free of charge, to any person"
GPL = "GNU GENERAL PUBLIC LICENSE\n Version 3, 29 June 2007\n"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def repository(folder: Path, files: Mapping[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def test_each_sub_folder_with_sources_is_a_repository(tmp_path: Path) -> None:
    repository(tmp_path / "go tool", {"a.go": "x", "b.go": "x", "c.py": "x", ".git/HEAD": COMMIT})
    repository(tmp_path / "docs", {"README.md": "x"})
    repository(tmp_path / "app", {"src/a.ts": "x"})
    (tmp_path / "link").symlink_to(tmp_path / "app", target_is_directory=True)
    found = list(checkouts(tmp_path))
    assert [(each.key, each.language) for each in found] == [
        ("checkout-app-unversioned", "typescript"),
        ("checkout-go+tool-0123456789ab", "go"),
    ]


@pytest.mark.parametrize(
    "git",
    [
        {".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": COMMIT + "\n"},
        {".git/HEAD": "ref: refs/heads/main\n", ".git/packed-refs": f"# pack\n{COMMIT} refs/heads/main\n"},
        {".git/HEAD": COMMIT + "\n"},
    ],
)
def test_the_key_names_the_commit_without_git(tmp_path: Path, git: Mapping[str, str]) -> None:
    repository(tmp_path / "some", {"a.py": "x", **git})
    assert [each.key for each in checkouts(tmp_path)] == ["checkout-some-0123456789ab"]


def one(folder: Path, files: Mapping[str, str], trust_licences: bool = False) -> Checkout:
    repository(folder / "some", files)
    (found,) = checkouts(folder, trust_licences)
    return found


def test_a_checkout_gives_its_own_files_and_nobody_elses(tmp_path: Path) -> None:
    (tmp_path / "secret.py").write_text("secret")
    found = one(tmp_path, {"LICENSE": MIT, "a.py": "a\r\n", "node_modules/x.js": "x", ".venv/y.py": "y"})
    (tmp_path / "some" / "b.py").symlink_to(tmp_path / "secret.py")
    licence, package = pickle.loads(pickle.dumps(found))()
    assert licence == "MIT"
    assert [(file.path, file.text) for file in package.files] == [("a.py", "a\n")]
    assert package.licence_texts == (("LICENSE", MIT),)


@pytest.mark.parametrize(
    ("files", "licence"),
    [
        ({"LICENSE": MIT}, "MIT"),
        ({"pyproject.toml": '[project]\nlicense = "Apache-2.0"\n'}, "Apache-2.0"),
        ({"pyproject.toml": '[project]\nlicense = {text = "ISC"}\n', "LICENSE": MIT}, "ISC"),
        ({"pyproject.toml": '[project]\nclassifiers = ["License :: OSI Approved :: MIT License"]\n'}, "MIT"),
        ({"package.json": '{"license": "BSD-2-Clause"}'}, "BSD-2-Clause"),
        ({"pyproject.toml": "broken =", "LICENSE": MIT}, "MIT"),
    ],
)
def test_a_checkouts_licence_stands_in_its_metadata_or_its_licence_file(
    tmp_path: Path, files: Mapping[str, str], licence: str
) -> None:
    assert one(tmp_path, {"a.py": "x", **files})()[0] == licence


@pytest.mark.parametrize(
    "files",
    [{}, {"LICENSE": "ask us"}, {"LICENSE": GPL}, {"LICENSE": GPL, "package.json": '{"license": "MIT"}'}],
)
def test_a_checkout_without_a_permissive_licence_is_refused_unless_the_user_vouches(
    tmp_path: Path, files: Mapping[str, str]
) -> None:
    with pytest.raises(LicenceError):
        one(tmp_path, {"a.py": "x", **files})()
    licence, package = one(tmp_path, {}, trust_licences=True)()
    assert licence in ("LicenseRef-trusted", "MIT")
    assert [file.path for file in package.files] == ["a.py"]


def test_a_file_that_vanished_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = one(tmp_path, {"a.py": "x", "LICENSE": MIT})
    monkeypatch.setattr(module, "paths_below", lambda folder: iter(["gone.py"]))
    with pytest.raises(ArchiveError, match=r"gone\.py cannot be read"):
        found()


def install(site: Path, name: str, licence: str = "MIT", files: Mapping[str, str] | None = None) -> None:
    files = {f"{name}/__init__.py": "x = 1\n"} if files is None else files
    info = f"{name}-1.0.dist-info"
    metadata = f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\nLicense-Expression: {licence}\n"
    repository(site, {**files, f"{info}/METADATA": metadata, f"{info}/licenses/LICENSE": MIT})
    record = "".join(
        f"{path},,\n" for path in (*files, f"{info}/METADATA", f"{info}/licenses/LICENSE", "../../bin/x.py")
    )
    (site / info / "RECORD").write_text(record)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "lib" / "site"
    folder.mkdir(parents=True)
    monkeypatch.setattr(module, "_sites", lambda python: [folder])
    return folder


def test_an_installed_package_gives_what_it_recorded_and_nothing_outside(site: Path, tmp_path: Path) -> None:
    install(site, "some_thing", files={"some_thing/a.py": "a", "some_thing/b.js": "b"})
    repository(tmp_path, {"bin/x.py": "not its own"})
    (found,) = installed()
    licence, package = pickle.loads(pickle.dumps(found))()
    assert (found.key, found.language, licence) == ("installed-some-thing-1.0", "python", "MIT")
    assert [file.path for file in package.files] == ["some_thing/a.py", "some_thing/b.js"]
    assert package.licence_texts == (("LICENSE", MIT),)


def test_an_installed_package_that_is_held_out_or_copyleft_is_refused(site: Path) -> None:
    install(site, "flask")
    install(site, "copyleft", licence="GPL-3.0-only")
    held_out, copyleft = sorted(installed(), key=lambda each: each.name != "flask")
    with pytest.raises(HeldOutError, match="keeps it out"):
        held_out()
    with pytest.raises(LicenceError, match="not under a permissive licence"):
        copyleft()


def test_a_package_that_was_removed_meanwhile_is_told(site: Path) -> None:
    with pytest.raises(SourceError, match="no longer installed"):
        Installed("installed-x-1", "x", site)()


def test_this_python_names_its_own_packages() -> None:
    names = {each.name for each in installed(Path(sys.executable))}
    assert {"pytest", "license-expression"} <= names


def test_a_python_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no Python that answers"):
        list(installed(tmp_path / "python"))
