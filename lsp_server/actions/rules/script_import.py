"""Where one more import goes in a JavaScript or TypeScript file, and how it is written there. Pure."""

from __future__ import annotations

import re

from context.providers import Provider
from context.symbols import FileFacts
from lsp_server.actions.edit import Edit
from lsp_server.actions.rules.import_names import with_name

_BRACES = re.compile(r"\{[^{}]*\}")
_QUOTED = re.compile(r"(?P<quote>['\"])[^'\"\n]+(?P=quote)[ \t]*(?P<end>;?)")


def script_import_edit(text: str, facts: FileFacts, provider: Provider) -> Edit | None:
    """The change that adds an import; None where the file has none to be like, or uses `require`."""
    lines = text.split("\n")
    rows = [each for each in facts.imports if lines[each.first_line].startswith("import")]
    if not rows or any(provider.bound in [bound for _, bound in each.names] for each in rows):
        return None
    for each in rows:
        if each.module == provider.module and provider.name not in ("", "default"):
            start = sum(len(line) + 1 for line in lines[: each.first_line])
            braces = _BRACES.search("\n".join(lines[each.first_line : each.last_line + 1]))
            if braces is not None:
                inside = start + braces.start() + 1, start + braces.end() - 1
                return with_name(text, *inside, provider.name, _named(provider))
    last = max(rows, key=lambda each: each.last_line)
    quoted = _QUOTED.search(lines[last.last_line])
    if quoted is None:
        return None
    at = sum(len(line) + 1 for line in lines[: last.last_line + 1])
    line = (
        f"import {_bound(provider)} from {quoted['quote']}{provider.module}{quoted['quote']}{quoted['end']}"
    )
    return Edit(at, at, f"{line}\n") if at <= len(text) else Edit(len(text), len(text), f"\n{line}")


def _named(provider: Provider) -> str:
    return f"{provider.name} as {provider.bound}" if provider.is_aliased else provider.name


def _bound(provider: Provider) -> str:
    if not provider.name:
        return f"* as {provider.bound}"
    return provider.bound if provider.name == "default" else f"{{ {_named(provider)} }}"
