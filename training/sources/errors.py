"""What can go wrong from a row of the table to a package's files, each with a sentence on what to do.

SourceError
├── TableError              a row of sources.tsv, held_out.tsv or sources.lock.tsv cannot be used
├── RegistryError           a package cannot be brought here
│   ├── UnreachableError    the registry does not answer
│   ├── GoneError           it has no such package or version
│   ├── ChangedError        the archive is not the one that the table's lock names
│   └── ClientMissingError  pip, npm or apt-get is not installed
├── NoSpaceError            the disk is full, or would be
├── ArchiveError            an archive is broken, or asks for what no archive may do
├── HeldOutError            a package beside the table is one that no training may see
└── LicenceError            a package may not be used, or its licence is not what the table says
"""

from __future__ import annotations

from engine.errors import GhostfillError


class SourceError(GhostfillError):
    """Base of all; `str(error)` is fit to show to a user."""


class TableError(SourceError):
    """A row of one of the tables cannot be used."""


class RegistryError(SourceError):
    """A package cannot be brought here."""


class UnreachableError(RegistryError):
    """The registry does not answer."""


class GoneError(RegistryError):
    """The registry has no such package or version."""


class ChangedError(RegistryError):
    """The archive is not the one that the lock names."""


class ClientMissingError(RegistryError):
    """The registry's own client is not installed."""


class NoSpaceError(SourceError):
    """The disk is full, or would be."""


class ArchiveError(SourceError):
    """An archive is broken, or asks for what no archive may do."""


class HeldOutError(SourceError):
    """A package beside the table is one that no training may see."""


class LicenceError(SourceError):
    """A package may not be used, or its licence is not what the table says."""
