"""Archives are unpacked once, whole or not at all, and nothing in them leads out of their folder."""

import io
import tarfile
import zipfile

import pytest

from benchmarks import workspace


@pytest.fixture
def downloads(tmp_path, monkeypatch):
    """Stands in for pip and npm: `make(folder)` writes the archive; the commands are kept."""
    commands = []

    def fake(make):
        def download(command, _name, _version):
            commands.append(command)
            where = command[command.index("--dest" if "--dest" in command else "--pack-destination") + 1]
            make(where)

        monkeypatch.setattr(workspace, "_download", download)
        return commands

    monkeypatch.setattr(workspace, "cache_folder", lambda: tmp_path / "cache" / "workspaces")
    return fake


def tarball(**texts):
    def make(folder):
        with tarfile.open(f"{folder}/a.tgz", "w:gz") as archive:
            for name, text in texts.items():
                info = tarfile.TarInfo(name)
                info.size = len(text)
                archive.addfile(info, io.BytesIO(text.encode()))

    return make


def test_a_wheel_is_downloaded_once(downloads):
    def make(folder):
        with zipfile.ZipFile(f"{folder}/a-1.whl", "w") as wheel:
            wheel.writestr("a/__init__.py", "x = 1\n")

    commands = downloads(make)
    folders = {workspace.unpacked_wheel("a", "1") for _ in range(2)}
    assert len(commands) == len(folders) == 1
    assert (folders.pop() / "a" / "__init__.py").read_text(encoding="utf-8") == "x = 1\n"


def test_an_npm_archive_gives_its_sources_without_what_was_built_from_them(downloads):
    texts = {"package/lib/a.js": "a\n", "package/dist/a.js": "a\n", "package/esm/dist/b.js": "b\n"}
    downloads(tarball(**texts))
    folder = workspace.unpacked_npm("@scope/a", "1")
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == {"lib/a.js"}


def test_an_archive_that_leads_out_of_its_folder_leaves_nothing_behind(downloads, tmp_path):
    downloads(tarball(**{"package/a.js": "a\n", "../../outside.js": "x\n"}))
    with pytest.raises(tarfile.OutsideDestinationError):
        workspace.unpacked_npm("a", "1")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_package_that_cannot_be_had_says_so(monkeypatch):
    with pytest.raises(RuntimeError, match=r"a 1 cannot be downloaded: install no-such-program-here\."):
        workspace._download(["no-such-program-here"], "a", "1")
    with pytest.raises(RuntimeError, match="a 1 cannot be downloaded"):
        workspace._download(["false"], "a", "1")
