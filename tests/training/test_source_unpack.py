"""From archives to packages: what is read, and what an archive may not do."""

from __future__ import annotations

import io
import random
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from training.sources import unpack
from training.sources.errors import ArchiveError
from training.sources.package import FILE_BYTES, is_built, is_licence_file, language_of
from training.sources.table import Registry, Source
from training.sources.unpack import members, unpacked

WHEEL = Source("python", Registry.PYPI, "some", "1.0", "MIT")
NPM = Source("javascript", Registry.NPM, "some", "1.0", "MIT")
DEBIAN = Source("c", Registry.DEBIAN, "some", "1.0-1", "MIT")
Files = Mapping[str, str | bytes]


def content_of(each: str | bytes) -> bytes:
    return each.encode() if isinstance(each, str) else each


def wheel(folder: Path, files: Files) -> Path:
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / "some-1.0-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, content_of(text))
    return folder


def tarball(folder: Path, name: str, files: Files, links: Mapping[str, str] | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    with tarfile.open(folder / name, f"w:{name.rpartition('.')[2].replace('tgz', 'gz')}") as archive:
        for path, target in (links or {}).items():
            link = tarfile.TarInfo(path)
            link.type, link.linkname = tarfile.SYMTYPE, target
            archive.addfile(link)
        for path, text in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(content_of(text))
            archive.addfile(info, io.BytesIO(content_of(text)))
    return folder


def paths(archive: Path, source: Source) -> list[str]:
    return [file.path for file in unpacked(archive, source).files]


def test_a_wheel_gives_its_python_its_metadata_and_its_licences(tmp_path: Path) -> None:
    archive = wheel(
        tmp_path / "key",
        {
            "some/b.py": "b = 1\r\n",
            "some/a.py": "a = 1\n",
            "some/static/a.js": "let a",
            "some-1.0.dist-info/METADATA": "Name: some\nLicense-Expression: MIT\n",
            "some-1.0.dist-info/licenses/LICENSE": "words",
            "some-1.0.dist-info/licenses/src/some/_vendor/COPYING": "other words",
            "some/license.py": "x = 1\n",
            "NOTICE": "notice",
        },
    )
    package = unpacked(archive, WHEEL)
    assert [(file.path, file.language, file.text) for file in package.files] == [
        ("some/a.py", "python", "a = 1\n"),
        ("some/b.py", "python", "b = 1\n"),
        ("some/license.py", "python", "x = 1\n"),
    ]
    assert package.metadata_licences == ("MIT",)
    assert package.licence_texts == (("LICENSE", "words"), ("some/_vendor/COPYING", "other words"))


def test_what_is_no_text_or_too_long_is_left_out(tmp_path: Path) -> None:
    files = {
        "a.py": b"\xff\xfe",
        "b.py": "x\0y",
        "c.py": "#" * (FILE_BYTES + 1),
        "d.py": "",
        "e.py": "#" * FILE_BYTES,
    }
    assert paths(wheel(tmp_path / "key", files), WHEEL) == ["e.py"]


def test_the_folder_that_holds_everything_is_cut_and_no_other(tmp_path: Path) -> None:
    npm = {"package/package.json": '{"license": "MIT"}', "package/lib/a.js": "a"}
    assert paths(tarball(tmp_path / "one", "some-1.0.tgz", npm), NPM) == ["lib/a.js"]
    assert paths(tarball(tmp_path / "two", "some-1.0.tgz", {"README": "x", "lib/a.js": "a"}), NPM) == [
        "lib/a.js"
    ]
    assert paths(tarball(tmp_path / "three", "some-1.0.tgz", {"x/a.md": "x", "lib/a.js": "a"}), NPM) == [
        "lib/a.js"
    ]


def test_an_npm_archive_gives_sources_not_what_was_built_of_them(tmp_path: Path) -> None:
    files = dict.fromkeys(
        (
            "p/src/a.ts",
            "p/src/b.tsx",
            "p/src/a.d.ts",
            "p/lib/a.js",
            "p/dist/a.js",
            "p/_esm/a.js",
            "p/node_modules/x/y.js",
        ),
        "let a",
    )
    archive = tarball(tmp_path / "key", "some-1.0.tgz", files)
    assert paths(archive, NPM) == ["lib/a.js", "src/a.ts", "src/b.tsx"]
    written_in_typescript = Source("typescript", Registry.NPM, "some", "1.0", "MIT")
    assert paths(archive, written_in_typescript) == ["src/a.ts", "src/b.tsx"]


def test_a_debian_package_is_upstreams_files_and_debians_word_on_licences(tmp_path: Path) -> None:
    upstream = {"some-1.0/a.c": "int a;", "some-1.0/COPYING": "words", "some-1.0/debian/x.c": "no"}
    tarball(tmp_path / "key", "some_1.0.orig.tar.gz", upstream)
    tarball(tmp_path / "key", "some_1.0.orig-extra.tar.gz", {"extra/b.c": "int b;"})
    copyright_file = "Format: x\n\nFiles: *\nLicense: Expat\n\nFiles: lib/*\nLicense: ISC\n"
    archive = tarball(
        tmp_path / "key",
        "some_1.0-1.debian.tar.xz",
        {"debian/copyright": copyright_file, "debian/rules.py": "no"},
    )
    package = unpacked(archive, DEBIAN)
    assert [file.path for file in package.files] == ["a.c"]
    assert package.metadata_licences == ("Expat",)
    assert package.declared == (("lib/*", "ISC"),)
    assert package.licence_texts == (("COPYING", "words"),)


def test_a_native_debian_package_brings_its_own_word(tmp_path: Path) -> None:
    files = {"some/a.c": "int a;", "some/debian/copyright": "Format: x\n\nFiles: *\nLicense: ISC\n"}
    package = unpacked(tarball(tmp_path / "key", "some_1.0.tar.xz", files), DEBIAN)
    assert ([file.path for file in package.files], package.metadata_licences) == (["a.c"], ("ISC",))


def test_a_header_is_cpp_in_a_package_that_is() -> None:
    assert (language_of("a.h", "c"), language_of("a.h", "cpp"), language_of("a.c", "cpp")) == (
        "c",
        "cpp",
        "c",
    )
    assert [language_of(each, "python") for each in ("a.pyi", "a.d.ts", "a.tsx", "Makefile")] == [
        None,
        None,
        "typescript",
        None,
    ]


def test_licence_files_and_built_folders_are_known_by_name() -> None:
    known = ["LICENSE", "a/COPYING.LIB", "licence.md", "UNLICENSE", "LICENSE-MIT", "COPYRIGHT"]
    assert all(map(is_licence_file, known))
    assert not any(map(is_licence_file, ["NOTICE", "license.py", "src/copying.rs", "README"]))
    assert is_built("a/dist/b.js")
    assert is_built("dist-es/b.js")
    assert not is_built("src/dist.js")


@pytest.mark.parametrize("path", ["../evil.py", "/evil.py", "some/../../evil.py", "..\\evil.py"])
def test_a_path_that_leads_out_refuses_the_archive(tmp_path: Path, path: str) -> None:
    with pytest.raises(ArchiveError, match="leads out"):
        unpacked(wheel(tmp_path / "zip", {"a.py": "a", path: "evil"}), WHEEL)
    with pytest.raises(ArchiveError, match="leads out"):
        unpacked(tarball(tmp_path / "tar", "some.tgz", {"p/a.js": "a", path: "evil"}), NPM)


def test_links_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.js"
    secret.write_text("secret")
    links = {"p/a.js": str(secret), "p/b.js": "../../secret.js"}
    assert paths(tarball(tmp_path / "tar", "some.tgz", {"p/c.js": "c"}, links), NPM) == ["c.js"]
    archive = wheel(tmp_path / "zip", {"c.py": "c"})
    link = zipfile.ZipInfo("a.py")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(next(archive.iterdir()), "a") as more:
        more.writestr(link, str(secret))
    assert paths(archive, WHEEL) == ["c.py"]


def test_an_archive_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = wheel(tmp_path / "key", {f"{n}.bin": b"0" * 1000 for n in range(20)} | {"a.py": "a"})
    assert paths(archive, WHEEL) == ["a.py"]
    monkeypatch.setattr(unpack, "TOTAL_BYTES", 10_000)
    with pytest.raises(ArchiveError, match="more than any package"):
        unpacked(archive, WHEEL)
    monkeypatch.setattr(unpack, "TOTAL_BYTES", 1 << 30)
    monkeypatch.setattr(unpack, "MEMBERS", 10)
    with pytest.raises(ArchiveError, match="more than any package"):
        unpacked(archive, WHEEL)


@pytest.mark.parametrize("source", [WHEEL, NPM, DEBIAN])
def test_a_broken_or_missing_archive_says_what_to_do(tmp_path: Path, source: Source) -> None:
    folder = tmp_path / "key"
    folder.mkdir()
    with pytest.raises(ArchiveError, match="one archive was expected, there is nothing"):
        unpacked(folder, source)
    name = {Registry.PYPI: "a.whl", Registry.NPM: "a.tgz", Registry.DEBIAN: "a.orig.tar.xz"}[source.registry]
    (folder / name).write_bytes(b"not an archive")
    with pytest.raises(ArchiveError, match="delete that folder"):
        unpacked(folder, source)


def test_a_truncated_archive_is_broken(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(50_000)
    folder = tarball(tmp_path / "key", "some.tgz", {"p/a.js": "a", "p/noise": noise, "p/b.js": "b"})
    path = next(folder.iterdir())
    path.write_bytes(path.read_bytes()[:-20_000])
    with pytest.raises(ArchiveError, match="cannot be unpacked"):
        unpacked(folder, NPM)


def test_the_reader_agrees_with_plain_extraction(tmp_path: Path) -> None:
    """The oracle: extract everything to disk, then read it."""
    draw = random.Random(7)
    files = {}
    for number in range(60):
        parts = [
            "top",
            *draw.choices("abc", k=draw.randint(0, 3)),
            f"{number}.{draw.choice(['js', 'md', 'ts'])}",
        ]
        files["/".join(parts)] = "x" * draw.randint(1, 50)
    folder = tarball(tmp_path / "key", "some.tar.xz", files)
    with tarfile.open(folder / "some.tar.xz") as archive:
        archive.extractall(tmp_path / "plain", filter="data")
    plain = {
        path.relative_to(tmp_path / "plain").as_posix(): path.read_bytes()
        for path in (tmp_path / "plain").rglob("*")
        if path.suffix in (".js", ".ts")
    }
    read = dict(members(folder / "some.tar.xz", lambda name: 100 if name.endswith(("js", "ts")) else 0))
    assert read == plain
    assert {file.path for file in unpacked(folder, NPM).files} == {
        name.removeprefix("top/") for name in plain
    }
