"""What the server does for clients that say less, or can do less, than the specification allows."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.fake import FakeBackend
from inprocess import Client, connected

OPTIONS = {"inline": {"debounceMs": 0, "speculate": False, "minConfidence": 0}}
SOURCE = 'def half(number: float) -> float:\n    """A half."""\n    return number / 2\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "main.py"
    file.write_text(SOURCE, encoding="utf-8")
    return file


async def test_what_was_typed_since_the_menu_opened_belongs_to_its_item(path: Path) -> None:
    """The menu opened behind `os.p` and its range was not changed by `at`, which was typed then."""
    backend = FakeBackend(lambda prompt: ".walk(top)" if prompt.endswith("os.path") else "wrong")
    selected = {
        "range": {"start": {"line": 0, "character": 3}, "end": {"line": 0, "character": 4}},
        "text": "path",
    }
    async with connected(backend, path.parent, OPTIONS) as client:
        client.open(path)
        client.put(path, "os.pat|\n")
        answer = await client.ask(path, selectedCompletionInfo=selected)[1]
    (item,) = answer["result"]["items"]
    assert item["insertText"] == "path.walk(top)"
    assert item["range"]["end"] == {"line": 0, "character": 6}


class TestExplanation:
    async def explain(self, client: Client, path: Path, **argument: object) -> Path:
        """Asks for an explanation of the function, and gives its page."""
        place = {"uri": path.as_uri(), "position": {"line": 0, "character": 5}, **argument}
        params = {"command": "ghostfill.explain", "arguments": [place]}
        client.open(path)
        answer = await client.request("workspace/executeCommand", params)
        return Path(str(answer["uri"]).removeprefix("file://"))

    async def test_a_client_that_opens_no_document_is_told_where_the_page_is(self, path: Path) -> None:
        async with connected(FakeBackend(lambda prompt: ""), path.parent, OPTIONS) as client:
            page = await self.explain(client, path)
        assert client.shown == [f"half in main.py: {page}"]
        assert "half" in page.read_text(encoding="utf-8")

    async def test_a_client_that_shows_it_itself_is_told_nothing(self, path: Path) -> None:
        async with connected(FakeBackend(lambda prompt: ""), path.parent, OPTIONS) as client:
            await self.explain(client, path, show=False)
        assert client.shown == []
