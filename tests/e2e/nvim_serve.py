"""`ghostfill serve` with an engine that speaks from a script: the real server, without a model.

    python nvim_serve.py SCRIPT

SCRIPT is a JSON object: from the line up to the cursor to what the model says there, the best first. At other
places it says nothing.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from unittest.mock import patch

from engine.api import Completion, CompletionRequest
from engine.backends.base import OnText
from engine.fake import FakeBackend
from lsp_server.server import run_stdio
from lsp_server.stdio import end_process


class ScriptedBackend(FakeBackend):
    """Goes by the line that a request's stop rules name."""

    def __init__(self, says: dict[str, list[str]]) -> None:
        super().__init__(lambda prompt: "")
        self._says = says

    async def complete(self, request: CompletionRequest, on_text: OnText | None = None) -> Completion:
        """The script's texts for the place."""
        first, *others = self._says.get(request.stop_rules.line_prefix, [""])
        speaker = FakeBackend(lambda prompt: first)
        speaker.alternatives = lambda prompt: others
        return await speaker.complete(request, on_text)


def main() -> None:
    """Serves on stdio."""
    says = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with patch("lsp_server.session.backend_for", lambda settings: ScriptedBackend(says)):
        status = run_stdio()
    end_process(status)


if __name__ == "__main__":
    main()
