"""Takes credentials out of a text. What one looks like, `lsp_server` knows."""

from __future__ import annotations

from lsp_server.trimming.secret_shapes import secrets_in


def without_secrets(text: str) -> str | None:
    """The text without the lines that a credential stands on; None for one with a private key.

    A file broken by that falls to the syntax rule.
    """
    for start, end in reversed(secrets_in(text)):
        if text.startswith(_PRIVATE_KEY, start):
            return None
        first = text.rfind("\n", 0, start) + 1
        last = text.find("\n", end)
        text = text[:first] + (text[last + 1 :] if last >= 0 else "")
    return text


_PRIVATE_KEY = "-----BEGIN"
