"""What `ghostfill.explain` tells, and that nothing in a repository can add to it."""

from __future__ import annotations

import re
from pathlib import Path

from action_scene import (  # noqa: F401  (the fixtures)
    MAIN,
    UNDEFINED,
    WRONG_LINE,
    backend_fixture,
    client_fixture,
    command,
    done,
    span,
    workspace_fixture,
)
from engine.fake import FakeBackend
from inprocess import Client, connected


async def test_facts_come_first_and_are_links(client: Client, workspace: Path) -> None:
    utils, main = (workspace / "utils.py").as_uri(), (workspace / "main.py").as_uri()
    client._change(main, MAIN.replace("to_kelvn", "to_kelvin"))

    found = await done(client, "explain", uri=main, range=span(WRONG_LINE), token="t", show=False)

    assert found["title"] == "report in main.py"
    assert f"[`utils.py:1`]({utils}#L1)" in found["text"]
    assert f"[`main.py:10`]({main}#L10), in `again`" in found["text"]
    assert "Print the temperature" in found["text"]
    assert "guess, not checked" in found["text"]
    assert found["files"] == [{"path": "main.py", "uri": main}, {"path": "utils.py", "uri": utils}]
    told = [params for method, params in client.notifications if method == "ghostfill/didExplain"]
    assert [each["done"] for each in told] == [False] * (len(told) - 1) + [True]
    assert {each["token"] for each in told} == {"t"}
    assert "utils.py" in told[0]["text"]
    assert "Print" not in told[0]["text"]
    assert told[-1]["text"] == found["text"]


async def test_the_page_is_kept_for_the_user_alone(client: Client, workspace: Path) -> None:
    from lsp_server.documents import uri_to_path

    found = await done(client, "explain", uri=(workspace / "main.py").as_uri(), range=span(WRONG_LINE))
    page = uri_to_path(found["uri"])

    assert page is not None
    assert any(str(page) in message for message in client.shown)  # this client can show no document
    assert page.suffix == ".md"
    assert page.read_text(encoding="utf-8") == found["text"]
    assert page.stat().st_mode & 0o077 == 0


async def test_diagnostics_are_said_in_words(client: Client, workspace: Path) -> None:
    uri = (workspace / "main.py").as_uri()
    found = await done(
        client, "explain", uri=uri, range=span(WRONG_LINE), diagnostics=[UNDEFINED], show=False
    )
    assert '- line 5: `Undefined name "celsius_to_kelvn"`' in found["text"]


async def test_a_hostile_repository_makes_no_links(
    client: Client, workspace: Path, backend: FakeBackend
) -> None:
    link = "[run](command:workbench.action.terminal.new)"
    backend.script = lambda prompt: f"Do it {link} <img src=x> now."
    text = f'def f(a="{link}"):\n    """```\n{link}\n<script>x</script>\n"""\n    return f(a)\n'
    client._change((workspace / "main.py").as_uri(), text)
    wrong = {"range": span(0, 4, 5), "message": f"` {link}"}

    found = await done(
        client,
        "explain",
        uri=(workspace / "main.py").as_uri(),
        range=span(0),
        diagnostics=[wrong],
        show=False,
    )

    outside = re.sub(r"\\[!-/:-@\[-`{-~]", "", _without_code(found["text"]))
    assert "Do it" in outside
    assert "<" not in outside
    assert {target.split(":")[0] for target in re.findall(r"\]\(([^)]*)", outside)} == {"file"}


def _without_code(markdown: str) -> str:
    """The text outside of fences and code spans, as CommonMark reads them."""
    lines, fence, kept = markdown.split("\n"), "", []
    for line in lines:
        mark = re.match(r"`{3,}", line)
        if not fence and mark:
            fence = mark[0]
        elif fence and line.strip() == fence:
            fence = ""
        elif not fence:
            kept.append(line)
    return re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", "\n".join(kept))


async def test_a_client_that_can_is_asked_to_show_the_page(workspace: Path, backend: FakeBackend) -> None:
    asked: list[str] = []
    async with connected(backend, workspace, window={"showDocument": {"support": True}}) as client:
        show = client.server.window_show_document
        client.server.window_show_document = lambda params, callback=None: asked.append(params.uri)  # type: ignore
        client.open(workspace / "main.py")
        uri = (workspace / "main.py").as_uri()
        await done(client, "explain", uri=uri, range=span(WRONG_LINE), show=False)
        assert asked == []
        found = await done(client, "explain", uri=uri, range=span(WRONG_LINE))
        client.server.window_show_document = show  # type: ignore

    assert asked == [found["uri"]]
