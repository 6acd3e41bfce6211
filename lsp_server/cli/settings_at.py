"""The settings that a command runs with: the user's file, narrowed by the workspace's. Knows no client."""

from __future__ import annotations

import sys
from pathlib import Path

from lsp_server.settings import Settings, load_settings


def settings_at(root: Path) -> Settings:
    """The settings for a workspace; what is wrong in them is said on stderr, and the rest applies."""
    settings, problems = load_settings({}, {}, [root])
    for problem in problems:
        print(f"ghostfill: {problem}", file=sys.stderr)
    return settings
