"""ignore: secrets, git's rules and tools' folders are never read."""

import shutil
import subprocess
from pathlib import Path

import pytest

from context.ignore import IgnoreRules, is_secret
from context.paths import key_of
from context.scan import scan


def write(root: Path, name: str, text: str = "x = 1\n") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def scanned(root: Path, *globs: str) -> set[str]:
    key = key_of(root)
    rules = IgnoreRules([key], globs)
    return {file[len(key) + 1 :] for file in scan([key], rules, lambda: False).files}


@pytest.mark.parametrize(
    "name",
    [
        ".env",
        ".env.local",
        ".envrc",
        "server.pem",
        "tls.KEY",
        "id_rsa",
        "id_ed25519.pub",
        "credentials",
        "credentials.json",
        "Credentials.py",
        ".netrc",
        ".npmrc",
        ".pypirc",
        "cert.p12",
        "cert.pfx",
        "secrets.yaml",
        "secrets.py",
        ".ssh/config",
        ".aws/config.py",
        "prod.tfvars",
    ],
)
def test_secrets_are_known_by_name(name: str) -> None:
    assert is_secret(f"/home/me/project/{name}")


@pytest.mark.parametrize(
    "name", ["main.py", "environment.py", "keys.py", "secretary.py", "tokens.py", "env.py"]
)
def test_ordinary_names_are_not_secret(name: str) -> None:
    assert not is_secret(f"/home/me/project/{name}")


def test_tool_folders_are_skipped_but_a_package_called_build_is_not(tmp_path: Path) -> None:
    for name in (
        "node_modules/a.js",
        ".venv/lib/a.py",
        "build/lib/a.py",
        "__pycache__/a.py",
        "x.egg-info/a.py",
    ):
        write(tmp_path, name)
    write(tmp_path, "myenv/pyvenv.cfg")
    write(tmp_path, "myenv/lib/a.py")
    write(tmp_path, "tool/build/__init__.py")
    write(tmp_path, "main.py")

    assert scanned(tmp_path) == {"main.py", "tool/build/__init__.py"}


def test_backup_copies_are_skipped(tmp_path: Path) -> None:
    for name in ("a.py", "a.py.orig", "a.py~", "#a.py#", ".#a.py", "a.py.bak"):
        write(tmp_path, name)

    assert scanned(tmp_path) == {"a.py"}


def test_user_globs_are_added(tmp_path: Path) -> None:
    write(tmp_path, "private/a.py")
    write(tmp_path, "b_generated.py")
    write(tmp_path, "c.py")

    assert scanned(tmp_path, "private/", "*_generated.py") == {"c.py"}


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_nested_gitignore_files_say_what_git_says(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    write(tmp_path, ".gitignore", "*.log.py\n/top.py\ngen/\nlogs/*\n!logs/keep.py\n[broken\n\\\n")
    write(tmp_path, "sub/.gitignore", "!kept.log.py\n*_local.py\n")
    write(tmp_path, "sub/deep/.gitignore", "*\n!only.py\n")
    names = (
        "a.log.py",
        "top.py",
        "sub/top.py",
        "gen/a.py",
        "sub/gen/a.py",
        "logs/a.py",
        "logs/keep.py",
        "sub/kept.log.py",
        "sub/other.log.py",
        "sub/x_local.py",
        "x_local.py",
        "sub/deep/only.py",
        "sub/deep/other.py",
    )
    for name in names:
        write(tmp_path, name)
    listing = ["git", "-C", str(tmp_path), "ls-files", "-o", "--exclude-standard", "*.py"]
    expected = subprocess.run(listing, check=True, capture_output=True, text=True).stdout.split()

    assert scanned(tmp_path) == set(expected)
    rules = IgnoreRules([key_of(tmp_path)])
    assert {name for name in names if not rules.is_excluded(tmp_path / name)} == set(expected)


def test_a_workspace_inside_a_repository_obeys_the_gitignore_above_it(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    write(tmp_path, ".gitignore", "generated/\n")
    write(tmp_path, "project/generated/a.py")
    write(tmp_path, "project/b.py")

    assert scanned(tmp_path / "project") == {"b.py"}


def test_a_link_to_a_secret_is_a_secret(tmp_path: Path) -> None:
    write(tmp_path, "secrets.py")
    (tmp_path / "harmless.py").symlink_to(tmp_path / "secrets.py")

    assert IgnoreRules([key_of(tmp_path)]).is_excluded(tmp_path / "harmless.py")
    assert scanned(tmp_path) == set()


def test_links_are_not_followed(tmp_path: Path) -> None:
    """Not out of the workspace, and not in a circle."""
    root = tmp_path / "workspace"
    write(tmp_path, "outside/private.py")
    write(root, "a.py")
    (root / "linked").symlink_to(tmp_path / "outside", target_is_directory=True)
    (root / "linked.py").symlink_to(tmp_path / "outside" / "private.py")
    (root / "circle").symlink_to(root, target_is_directory=True)

    assert scanned(root) == {"a.py"}
