"""Which files are never read: secrets, what git ignores, the user's globs, folders that tools fill.

Nested .gitignore files are composed as git does: the deepest that says anything wins, and nothing below an
ignored folder comes back. Reads only .gitignore files and .git/info/exclude.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from context.paths import folder_of, is_within, key_of, lexical_key, name_of
from context.source import read_source

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

SECRET_FILES = (
    ".env",
    ".env.*",
    ".env-*",
    ".env_*",
    ".envrc",
    "*.env",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.p8",
    "*.jks",
    "*.keystore",
    "*.kdbx",
    "*.ppk",
    "*.asc",
    "*.gpg",
    "*.ovpn",
    "id_rsa*",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    "credentials*",
    "*.credentials",
    "*credentials.json",
    "service-account*.json",
    "service_account*.json",
    "client_secret*",
    "secrets.*",
    "secret.*",
    "*.secret",
    "*.secrets",
    ".netrc",
    "_netrc",
    ".npmrc",
    ".yarnrc*",
    ".pypirc",
    ".pgpass",
    ".my.cnf",
    ".htpasswd",
    ".git-credentials",
    ".dockercfg",
    "*.tfstate",
    "*.tfstate.*",
    "*.tfvars",
    "*.tfvars.json",
    ".vault-token",
    "kubeconfig",
)
"""Globs on a file's name, in any case."""
SECRET_FOLDERS = frozenset({".ssh", ".aws", ".gnupg", ".kube", ".docker", ".azure", ".gcloud"})
SKIPPED_FOLDERS = frozenset(
    {
        ".bzr",
        ".cache",
        ".direnv",
        ".eggs",
        ".git",
        ".gradle",
        ".hg",
        ".hypothesis",
        ".idea",
        ".ipynb_checkpoints",
        ".jj",
        ".mypy_cache",
        ".next",
        ".nox",
        ".nuxt",
        ".parcel-cache",
        ".pixi",
        ".pytest_cache",
        ".ruff_cache",
        ".svelte-kit",
        ".svn",
        ".terraform",
        ".tox",
        ".turbo",
        ".venv",
        ".virtualenv",
        ".vscode",
        "__pycache__",
        "__pypackages__",
        "bower_components",
        "htmlcov",
        "node_modules",
        "site-packages",
        "venv",
        "virtualenv",
    }
)
BUILD_FOLDERS = frozenset({"build", "dist", "target", "_build"})
"""Skipped unless they hold an `__init__.py`: some packages are called so."""
BACKUP_FILES = ("*.orig", "*.bak", "*.rej", "*~", "*.sw[a-p]", "#*#", ".#*", "*.min.js")

_SECRET = re.compile("|".join(fnmatch.translate(glob) for glob in SECRET_FILES), re.IGNORECASE)
_BACKUP = re.compile("|".join(fnmatch.translate(glob) for glob in BACKUP_FILES))


def is_secret(key: str) -> bool:
    """Whether a file's name, or a folder above it, says that it holds secrets."""
    *folders, name = key.split("/")
    return _SECRET.match(name) is not None or not SECRET_FOLDERS.isdisjoint(map(str.lower, folders))


class IgnoreRules:
    """The rules of one workspace; .gitignore files are read once, until `forget`."""

    def __init__(self, roots: Sequence[str], globs: Sequence[str] = ()) -> None:
        self._roots = tuple(roots)
        self._globs = tuple(globs)
        self._specs: dict[str, GitIgnoreSpec | None] = {}
        self._user_spec: GitIgnoreSpec | None = None
        self._tops: dict[str, str] = {}

    def forget(self) -> None:
        """Reads every .gitignore again when it is next needed."""
        self._specs = {}
        self._tops = {}

    def is_excluded(self, path: str | Path) -> bool:
        """Whether a file must never become context, under the name given or its real one."""
        return any(self._is_key_excluded(key) for key in {lexical_key(path), key_of(path)})

    def is_private(self, path: str | Path) -> bool:
        """Whether a file is a secret or excluded by the user's globs, under any of its names."""
        keys = {lexical_key(path), key_of(path)}
        user = self._user()
        names = {key[len(root) :].lstrip("/") for key in keys for root in self._roots if is_within(key, root)}
        return any(map(is_secret, keys)) or (user is not None and any(map(user.match_file, names)))

    def skips_file(self, key: str, root: str) -> bool:
        """Whether a file is skipped, its folders being already allowed."""
        return (
            is_secret(key[len(root) :])
            or _BACKUP.match(name_of(key)) is not None
            or self._is_ignored(key, root)
        )

    def skips_folder(self, key: str, root: str) -> bool:
        """Whether a scan stays out of a folder, the folders above it being allowed."""
        name = name_of(key)
        if name in SKIPPED_FOLDERS or name.lower() in SECRET_FOLDERS or name.endswith(".egg-info"):
            return True
        if name in BUILD_FOLDERS and not _exists(f"{key}/__init__.py"):
            return True
        return _exists(f"{key}/pyvenv.cfg") or self._is_ignored(f"{key}/", root)

    def _is_key_excluded(self, key: str) -> bool:
        root = max((root for root in self._roots if is_within(key, root)), key=len, default=None)
        if root is None:
            return is_secret(key)
        parts = key[len(root) :].strip("/").split("/")
        folder = root
        for part in parts[:-1]:
            folder = f"{folder.rstrip('/')}/{part}"
            if self.skips_folder(folder, root):
                return True
        return self.skips_file(key, root)

    def _is_ignored(self, key: str, root: str) -> bool:
        """`key` ends with a slash for a folder."""
        relative = key[len(root) :].lstrip("/")
        user_spec = self._user()
        if user_spec is not None and user_spec.check_file(relative).include:
            return True
        verdict: bool | None = None
        for folder in self._folders_above(key.rstrip("/"), root):
            spec = self._spec(folder)
            if spec is not None:
                answer = spec.check_file(key[len(folder.rstrip("/")) + 1 :]).include
                verdict = verdict if answer is None else answer
        return bool(verdict)

    def _folders_above(self, key: str, root: str) -> Iterator[str]:
        """From the top of the repository down to the file's folder."""
        top = self._top(root)
        folder = top
        yield folder
        for part in key[len(top) :].strip("/").split("/")[:-1]:
            folder = f"{folder.rstrip('/')}/{part}"
            yield folder

    def _top(self, root: str) -> str:
        """The repository that the workspace is a part of, or the workspace itself."""
        if root not in self._tops:
            folder, found = root, root
            while folder:
                if _exists(f"{folder}/.git"):
                    found = folder
                    break
                folder = folder_of(folder)
            self._tops[root] = found
        return self._tops[root]

    def _spec(self, folder: str) -> GitIgnoreSpec | None:
        if folder not in self._specs:
            names = (f"{folder}/.git/info/exclude", f"{folder}/.gitignore")
            lines = [line for name in names for line in (read_source(name) or "").splitlines()]
            self._specs[folder] = _compile(lines)
        return self._specs[folder]

    def _user(self) -> GitIgnoreSpec | None:
        if self._user_spec is None and self._globs:
            self._user_spec = _compile(self._globs)
        return self._user_spec


def _compile(lines: Sequence[str]) -> GitIgnoreSpec | None:
    from pathspec import GitIgnoreSpec

    sound = []
    for line in lines:
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:
            continue  # git skips a pattern that it cannot read, too
        if line.strip() and not line.startswith("#"):
            sound.append(line)
    return GitIgnoreSpec.from_lines(sound) if sound else None


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False  # in a folder that we may not enter, or no possible name at all
