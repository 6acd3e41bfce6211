"""One pinned archive from a registry into a folder: whole or not at all. The registries are local files."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import socket
import stat
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from training.sources import __main__ as command
from training.sources import debian, registry
from training.sources.client import Client
from training.sources.errors import (
    ChangedError,
    ClientMissingError,
    GoneError,
    NoSpaceError,
    RegistryError,
    SourceError,
    UnreachableError,
)
from training.sources.registry import all_downloaded, digests, downloaded, remove_leftovers
from training.sources.table import Registry, Source

WHEEL = Source("python", Registry.PYPI, "some-thing", "1.0", "MIT")
NPM = Source("javascript", Registry.NPM, "@scope/some", "1.0.0", "MIT")
DEBIAN = Source("c", Registry.DEBIAN, "some", "1.0-1", "MIT")
needs_scripts = pytest.mark.skipif(os.name == "nt", reason="the fake clients are shell scripts")


def put(text: str) -> Callable[[Source, Path, Path], None]:
    def fetch(source: Source, folder: Path, work: Path) -> None:
        (folder / f"{source.name.rpartition('/')[2]}.whl").write_text(text)

    return fetch


def serve(monkeypatch: pytest.MonkeyPatch, fetch: Callable[[Source, Path, Path], None]) -> None:
    for each in Registry:
        monkeypatch.setitem(registry._FETCH, each, fetch)  # type: ignore[misc, arg-type]


def script(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_a_download_is_kept_under_its_key_and_not_done_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(monkeypatch, put("one"))
    place = downloaded(WHEEL, tmp_path, {})
    assert place == tmp_path / "pypi-some-thing-1.0"
    serve(monkeypatch, put("two"))
    assert downloaded(WHEEL, tmp_path, {}) == place
    assert (place / "some-thing.whl").read_text() == "one"
    assert [path.name for path in tmp_path.iterdir()] == [place.name]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), GoneError("gone"), OSError(errno.EIO, "broken")])
def test_an_interrupted_download_leaves_nothing_and_the_next_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def half(source: Source, folder: Path, work: Path) -> None:
        (folder / "half.whl").write_text("ha")
        raise error

    serve(monkeypatch, half)
    with pytest.raises((KeyboardInterrupt, SourceError)):
        downloaded(WHEEL, tmp_path, {})
    assert list(tmp_path.iterdir()) == []
    serve(monkeypatch, put("whole"))
    assert digests(downloaded(WHEEL, tmp_path, {})).keys() == {"some-thing.whl"}


def test_what_a_killed_download_left_is_cleared_away_later(tmp_path: Path) -> None:
    for name, age in (("old", registry.STALE_SECONDS + 60), ("running", 60)):
        folder = tmp_path / f"{registry.SCRATCH}{name}"
        folder.mkdir()
        (folder / "half").touch()
        os.utime(folder, (time.time() - age,) * 2)
    remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [f"{registry.SCRATCH}running"]


def test_a_full_disk_is_told_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: Source, folder: Path, work: Path) -> None:
        (folder / "half.whl").write_text("ha")
        raise OSError(errno.ENOSPC, "No space left on device")

    serve(monkeypatch, full)
    with pytest.raises(NoSpaceError, match="make room"):
        downloaded(WHEEL, tmp_path, {})
    assert list(tmp_path.iterdir()) == []


def test_little_space_is_told_before_anything_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(source: Source, folder: Path, work: Path) -> None:
        raise AssertionError("fetched")

    serve(monkeypatch, never)
    usage = shutil.disk_usage(tmp_path)._replace(free=registry.FREE_BYTES - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(NoSpaceError, match="--work"):
        downloaded(WHEEL, tmp_path, {})


def test_a_changed_archive_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, put("one"))
    lock = {WHEEL.key: {"some-thing.whl": hashlib.sha256(b"one").hexdigest()}}
    downloaded(WHEEL, tmp_path / "a", lock)
    serve(monkeypatch, put("another"))
    with pytest.raises(ChangedError, match="other files"):
        downloaded(WHEEL, tmp_path / "b", lock)
    assert list((tmp_path / "b").iterdir()) == []


def test_two_at_once_keep_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both = threading.Barrier(2, timeout=30)

    def together(source: Source, folder: Path, work: Path) -> None:
        both.wait()
        put("one")(source, folder, work)

    serve(monkeypatch, together)
    found: list[Path] = []
    threads = [
        threading.Thread(target=lambda: found.append(downloaded(WHEEL, tmp_path, {}))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [tmp_path / WHEEL.key] * 2
    assert [path.name for path in tmp_path.iterdir()] == [WHEEL.key]


def test_one_that_fails_does_not_stop_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def some(source: Source, folder: Path, work: Path) -> None:
        if source is NPM:
            raise GoneError("gone")
        put("one")(source, folder, work)

    serve(monkeypatch, some)
    answers = dict(all_downloaded([WHEEL, NPM, DEBIAN], tmp_path / "new", workers=2))
    assert isinstance(answers[NPM], GoneError)
    assert answers[WHEEL] == tmp_path / "new" / WHEEL.key
    assert answers[DEBIAN] == tmp_path / "new" / DEBIAN.key


def make_wheel(folder: Path, name: str = "some_thing-1.0-py3-none-any.whl") -> None:
    folder.mkdir(exist_ok=True)
    tag = name.removesuffix(".whl").partition("-1.0-")[2]
    with zipfile.ZipFile(folder / name, "w") as wheel:
        wheel.writestr("some_thing.py", "x = 1\n")
        wheel.writestr(
            "some_thing-1.0.dist-info/METADATA",
            "Metadata-Version: 2.4\nName: some-thing\nVersion: 1.0\nLicense-Expression: MIT\n",
        )
        wheel.writestr("some_thing-1.0.dist-info/WHEEL", f"Wheel-Version: 1.0\nTag: {tag}\n")
        wheel.writestr("some_thing-1.0.dist-info/RECORD", "")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for its only index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.mark.parametrize(
    "name", ["some_thing-1.0-py3-none-any.whl", "some_thing-1.0-cp311-cp311-manylinux2014_x86_64.whl"]
)
def test_pip_brings_the_same_wheel_to_every_machine(index: Path, tmp_path: Path, name: str) -> None:
    make_wheel(index, name)
    make_wheel(index, "some_thing-1.0-cp311-cp311-win_amd64.whl")
    place = downloaded(WHEEL, tmp_path / "archives", {})
    assert digests(place) == {name: hashlib.sha256((index / name).read_bytes()).hexdigest()}


def test_a_source_archive_is_not_taken_because_pip_would_run_it(index: Path, tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text(f"open({str(tmp_path / 'it ran')!r}, 'w')")
    with tarfile.open(index / "some_thing-1.0.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "setup.py", "some_thing-1.0/setup.py")
    with pytest.raises(GoneError, match=r"pypi has no some-thing 1\.0"):
        downloaded(WHEEL, tmp_path / "archives", {})
    assert not (tmp_path / "it ran").exists()


def test_an_index_that_does_not_answer_is_told_from_a_package_that_is_gone(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{port}/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(UnreachableError, match="goes on from here"):
        downloaded(WHEEL, tmp_path / "archives", {})


def npm_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    script(tmp_path / "bin", "npm", text)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin:/usr/bin")


@needs_scripts
def test_npm_packs_one_version_and_runs_none_of_its_scripts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm_on_path(
        tmp_path,
        monkeypatch,
        f'echo "$@" > {tmp_path}/said\nfor each; do case $each in --pack-destination=*) '
        'printf tgz > "${each#*=}/scope-some-1.0.0.tgz";; esac; done\n',
    )
    place = downloaded(NPM, tmp_path / "archives", {})
    assert digests(place).keys() == {"scope-some-1.0.0.tgz"}
    said = (tmp_path / "said").read_text().split()
    assert said[0] == "pack"
    assert said[-1] == "@scope/some@1.0.0"
    assert "--ignore-scripts" in said


@needs_scripts
@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("npm error code E404", GoneError),
        ("npm error code ETARGET", GoneError),
        ("npm error code ENOTFOUND", UnreachableError),
        ("npm error code E503", UnreachableError),
        ("npm error code ENOSPC", NoSpaceError),
        ("npm error something else", RegistryError),
    ],
)
def test_what_npm_complains_of_becomes_a_typed_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, kind: type[SourceError]
) -> None:
    npm_on_path(tmp_path, monkeypatch, f'echo "{words}" >&2; exit 1\n')
    with pytest.raises(SourceError) as caught:
        downloaded(NPM, tmp_path / "archives", {})
    assert type(caught.value) is kind
    assert list((tmp_path / "archives").iterdir()) == []


@needs_scripts
@pytest.mark.parametrize("source", [NPM, DEBIAN])
def test_a_client_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: Source
) -> None:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(debian, "SETTINGS", apt_settings(tmp_path))
    with pytest.raises(ClientMissingError, match="is not installed"):
        downloaded(source, tmp_path / "archives", {})


def test_a_client_without_an_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client("x", "install x", *[debian.APT.unreachable, debian.APT.gone])

    def late(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("x", 1)

    monkeypatch.setattr(subprocess, "run", late)
    with pytest.raises(UnreachableError, match="without an end"):
        client.run(WHEEL, [sys.executable], tmp_path)


def apt_settings(folder: Path, text: str | None = None) -> Path:
    settings = folder / "etc"
    (settings / "sources.list.d").mkdir(parents=True, exist_ok=True)
    stanza = (
        "Types: deb\nURIs: file:/mirror\nSuites: sid sid-updates\nComponents: main\nSigned-By: /key.gpg\n"
    )
    security = "\nTypes: deb\nURIs: file:/security\nSuites: sid-security\nComponents: main\n"
    (settings / "sources.list.d" / "debian.sources").write_text(stanza + security if text is None else text)
    return settings


APT_GET = """
echo "$APT_CONFIG $*" >> {log}
[ "$1" = update ] && exit {update}
case "$*" in
    *--tar-only*) printf tar > some_1.0.orig.tar.xz; printf sig > some_1.0.orig.tar.xz.asc;;
    *--diff-only*) {diff};;
esac
"""


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def install(update: str = "0", diff: str = "printf deb > some_1.0-1.debian.tar.xz") -> None:
        script(tmp_path / "bin", "apt-get", APT_GET.format(log=tmp_path / "log", update=update, diff=diff))
        dump = 'Acquire::http::Proxy "proxy:1";\nAPT::Update::Post-Invoke:: "rm -rf /";'
        script(tmp_path / "bin", "apt-config", f"cat <<'END'\n{dump}\nEND\n")
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin:/usr/bin")
        monkeypatch.setattr(debian, "SETTINGS", apt_settings(tmp_path))

    return install


@needs_scripts
def test_apt_brings_both_archives_with_an_index_of_its_own(tmp_path: Path, apt: Callable[..., None]) -> None:
    apt()
    archives = tmp_path / "archives"
    for _ in range(2):
        place = downloaded(DEBIAN, archives, {})
        assert digests(place).keys() == {"some_1.0.orig.tar.xz", "some_1.0-1.debian.tar.xz"}
        shutil.rmtree(place)
    calls = (tmp_path / "log").read_text().splitlines()
    own = archives / ".apt"
    assert all(call.startswith(f"{own / 'apt.conf'} ") for call in calls)
    assert [call.split()[1] for call in calls] == ["update"] + ["source"] * 4, "the index is fetched once"
    assert all("--download-only" in call and call.endswith("some=1.0-1") for call in calls[1:])
    settings = (own / "apt.conf").read_text()
    assert 'Acquire::http::Proxy "proxy:1";' in settings
    assert "Post-Invoke" not in settings
    assert f'Dir::State "{own}"' in settings
    assert (own / "sources" / "debian.sources").read_text() == (
        "Types: deb-src\nURIs: file:/mirror\nSuites: bookworm trixie\nComponents: main\nSigned-By: /key.gpg\n"
    )


@needs_scripts
def test_an_index_that_is_not_whole_is_fetched_again(tmp_path: Path, apt: Callable[..., None]) -> None:
    apt(update="'100'; echo 'E: Some index files failed to download' >&2; exit 100")
    with pytest.raises(RegistryError):
        downloaded(DEBIAN, tmp_path / "archives", {})
    apt()
    assert downloaded(DEBIAN, tmp_path / "archives", {}).is_dir()


@needs_scripts
@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("E: Version '1.0-1' of 'some' was not found", GoneError),
        ("E: Failed to fetch file:/mirror/some 404  Not Found", GoneError),
        ("E: Failed to fetch file:/mirror/some Could not connect to mirror:80", UnreachableError),
        ("E: You don't have enough free space: No space left on device", NoSpaceError),
    ],
)
def test_what_apt_complains_of_becomes_a_typed_error(
    tmp_path: Path, apt: Callable[..., None], words: str, kind: type[SourceError]
) -> None:
    apt(diff=f'echo "{words}" >&2; exit 100')
    with pytest.raises(SourceError) as caught:
        downloaded(DEBIAN, tmp_path / "archives", {})
    assert type(caught.value) is kind
    assert [path.name for path in (tmp_path / "archives").iterdir()] == [".apt"]


@needs_scripts
def test_a_gone_version_is_looked_for_once_more_where_the_index_is_old(
    tmp_path: Path, apt: Callable[..., None]
) -> None:
    apt(diff="echo 'Version 1 of some was not found' >&2; exit 100")
    archives = tmp_path / "archives"
    with pytest.raises(GoneError):
        downloaded(DEBIAN, archives, {})
    os.utime(archives / ".apt" / "ready", (1, 1))
    with pytest.raises(GoneError):
        downloaded(DEBIAN, archives, {})
    calls = [call.split()[1] for call in (tmp_path / "log").read_text().splitlines()]
    assert calls.count("update") == 2


@pytest.mark.parametrize("name", ["sources.list", "sources.list.d/debian.list"])
def test_a_mirror_is_found_in_the_old_spelling_too(tmp_path: Path, name: str) -> None:
    settings = apt_settings(tmp_path, text="")
    lines = (
        "# deb file:/no sid main\ndeb [arch=amd64 signed-by=/key.gpg] file:/mirror sid main contrib\n"
        "deb file:/mirror sid-updates main\ndeb-src file:/other sid main\n"
    )
    (settings / name).write_text(lines)
    assert debian._mirrors(settings) == [
        "Types: deb-src\nURIs: file:/mirror\nSuites: bookworm trixie\nComponents: main\nSigned-By: /key.gpg"
    ]


def test_a_machine_without_debian_says_so(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="no mirror of Debian's"):
        debian._mirrors(apt_settings(tmp_path, text=""))


def test_the_command_checks_every_row_and_writes_the_lock(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_wheel(index)
    wrong = Source("python", Registry.PYPI, "not-there", "1.0", "MIT")
    monkeypatch.setattr(command, "read_table", lambda: (wrong, WHEEL))
    monkeypatch.setattr(registry, "read_lock", dict)
    lock = tmp_path / "lock.tsv"
    monkeypatch.setattr(command, "LOCK", lock)
    assert command.main(["--work", str(tmp_path / "work"), "--lock"]) == 1
    told = capsys.readouterr()
    assert "pypi has no not-there 1.0" in told.err
    assert "1 of 2 rows hold: 1 python" in told.out
    digest = hashlib.sha256((index / "some_thing-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    assert lock.read_text() == (
        f"key\tfile\tsha256\n{WHEEL.key}\tsome_thing-1.0-py3-none-any.whl\t{digest}\n"
    )
    assert command.main(["--work", str(tmp_path / "work"), "--only", "go"]) == 0
