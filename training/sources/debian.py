"""A Debian source package from the mirror that this machine's apt knows. Changes nothing on the system.

The releases are named here, not taken from the machine: the same table works on every Debian.
"""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from training.sources.client import Client
from training.sources.errors import GoneError, RegistryError
from training.sources.table import Source

RELEASES = "bookworm trixie"
SETTINGS = Path("/etc/apt")
STALE_SECONDS = 24 * 3600
APT = Client(
    name="apt-get",
    install="use a Debian machine or container, or leave the languages that come from there out with --only.",
    unreachable=re.compile(
        r"Temporary failure resolving|Could not (?:resolve|connect)|Connection (?:failed|timed out|refused)"
        r"|Unable to connect|\b5\d\d\s+(?:Bad|Gateway|Internal|Proxy|Service)|Some index files failed"
    ),
    gone=re.compile(
        r"Unable to find a source package|Version .* of .* not found|Can not find version|404\s+Not Found"
    ),
)
_TURN = threading.Lock()


def fetch(source: Source, folder: Path, work: Path) -> None:
    """Put upstream's archive and Debian's own beside it in `folder`; raises RegistryError, OSError."""
    apt = _Apt(work / ".apt")
    with _TURN:
        apt.prepare(source)
    try:
        apt.download(source, folder)
    except GoneError:
        with _TURN:
            if not apt.refresh(source):
                raise
        apt.download(source, folder)
    for path in folder.iterdir():
        if ".tar." not in path.name or path.name.endswith(".asc"):
            path.unlink()


class _Apt:
    """An apt of our own: its index lies in one folder, the mirror and the keys are the machine's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._config = folder / "apt.conf"
        self._ready = folder / "ready"

    def prepare(self, source: Source) -> None:
        """Fetch the index unless that was done before."""
        if not self._ready.is_file():
            for each in ("lists/partial", "cache/archives/partial", "sources"):
                (self._folder / each).mkdir(parents=True, exist_ok=True)
            mirrors = "\n".join(f"{stanza}\n" for stanza in _mirrors(SETTINGS))
            (self._folder / "sources" / "debian.sources").write_text(mirrors, encoding="utf-8")
            self._config.write_text(self._settings(), encoding="utf-8")
            self._update(source)

    def refresh(self, source: Source) -> bool:
        """Fetch the index again if it is old; whether it was."""
        is_old = self._ready.stat().st_mtime < time.time() - STALE_SECONDS
        if is_old:
            self._update(source)
        return is_old

    def download(self, source: Source, folder: Path) -> None:
        """The two archives that are wanted; a mirror may lack the others."""
        for part in ("--tar-only", "--diff-only"):
            package = f"{source.name}={source.version}"
            self._run(source, ["apt-get", "source", "--quiet", "--download-only", part, package], folder)

    def _update(self, source: Source) -> None:
        self._run(source, ["apt-get", "update", "--quiet", "--error-on=any"], self._folder)
        self._ready.touch()

    def _run(self, source: Source, command: list[str], folder: Path) -> None:
        APT.run(source, command, folder, APT_CONFIG=str(self._config), LC_ALL="C")

    def _settings(self) -> str:
        """The machine's way to its mirrors, and nothing else of its configuration: no hooks."""
        try:
            done = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True)  # noqa: S607
        except FileNotFoundError:
            raise APT.missing() from None
        except subprocess.CalledProcessError as error:
            raise RegistryError(f"apt's configuration cannot be read: {error.stderr.strip()}") from error
        ours = {
            "Dir::State": self._folder,
            "Dir::State::lists": self._folder / "lists",
            "Dir::State::status": "/dev/null",
            "Dir::Cache": self._folder / "cache",
            "Dir::Etc::main": "/dev/null",
            "Dir::Etc::parts": "/dev/null",
            "Dir::Etc::sourcelist": "/dev/null",
            "Dir::Etc::sourceparts": self._folder / "sources",
            "APT::Sandbox::User": "root",
        }
        kept = [line for line in done.stdout.splitlines() if line.startswith("Acquire::")]
        return "\n".join([*kept, *(f'{key} "{value}";' for key, value in ours.items())]) + "\n"


def _mirrors(settings: Path) -> list[str]:
    """Where the machine finds its Debian, in both spellings of apt, asked for the sources of our releases."""
    found = dict.fromkeys([*_of_stanzas(settings), *_of_lines(settings)])
    if not found:
        raise RegistryError(f"{settings} names no mirror of Debian's: {APT.install}")
    return [
        f"Types: deb-src\nURIs: {address}\nSuites: {RELEASES}\nComponents: main\n{signed}".rstrip()
        for address, signed in found
    ]


def _of_stanzas(settings: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(settings.glob("sources.list.d/debian*.sources")):
        for stanza in re.split(r"\n\s*\n", path.read_text(encoding="utf-8")):
            fields = dict(re.findall(r"(?m)^([\w-]+):\s*(.*)$", stanza))
            if "-security" not in fields.get("Suites", "-security") and "URIs" in fields:
                key = fields.get("Signed-By", "").strip()
                yield fields["URIs"].strip(), f"Signed-By: {key}" if key else ""


def _of_lines(settings: Path) -> Iterator[tuple[str, str]]:
    line = re.compile(
        r"(?m)^deb\s+(?:\[(?:[^\]]*\bsigned-by=([^\]\s]+))?[^\]]*\]\s+)?(\S+)\s+(\S+)\s+.*\bmain\b"
    )
    for path in [settings / "sources.list", *sorted(settings.glob("sources.list.d/debian*.list"))]:
        if path.is_file():
            for key, address, suite in line.findall(path.read_text(encoding="utf-8")):
                if "-" not in suite and "ubuntu" not in address:
                    yield address, f"Signed-By: {key}" if key else ""
