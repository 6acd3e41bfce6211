"""What an instruct model adds to an explanation, how it comes, and what is said where it does not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from action_scene import (  # noqa: F401  (the fixtures)
    MAIN,
    UNDEFINED,
    UTILS,
    WRONG_LINE,
    FakeChat,
    backend_fixture,
    chat_fixture,
    client_fixture,
    command,
    done,
    span,
    workspace_fixture,
)
from engine.api import FinishReason
from engine.fake import FakeBackend
from inprocess import TIMEOUT_SECONDS, Client

CALL = MAIN.replace("to_kelvn", "to_kelvin")


def told(client: Client) -> list[dict[str, Any]]:
    return [params for method, params in client.notifications if method == "ghostfill/didExplain"]


async def until_told(client: Client, words: str) -> None:
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while not any(words in each["text"] for each in told(client)):
            await asyncio.sleep(0.01)


@pytest.fixture
async def uri(client: Client, workspace: Path) -> str:
    """Of main.py, whose call is right."""
    client._change((workspace / "main.py").as_uri(), CALL)
    return (workspace / "main.py").as_uri()


async def test_its_words_stand_below_the_facts(
    client: Client, chat: FakeChat, uri: str, workspace: Path
) -> None:
    found = await done(client, "explain", uri=uri, range=span(WRONG_LINE), show=False, token="t")

    above, below = found["text"].split("\n---\n")
    utils = (workspace / "utils.py").as_uri()
    assert f"[`utils.py:1`]({utils}#L1)" in above
    assert below == (
        "\n**In the words of `instruct`** (not checked):\n\nIt **prints** the temperature.\n\n"
        f"Given to the model: [`main.py`]({uri}), [`utils.py`]({utils}).\n"
    )
    assert found["files"] == [{"path": "main.py", "uri": uri}, {"path": "utils.py", "uri": utils}]
    assert above.strip() == told(client)[0]["text"].strip()
    assert told(client)[-1] == {"token": "t", "text": found["text"], "done": True}


async def test_it_sees_the_code_what_is_around_its_imports_and_what_is_known(
    client: Client, chat: FakeChat, uri: str
) -> None:
    await done(client, "explain", uri=uri, range=span(WRONG_LINE), show=False)

    prompt = chat.prompt
    function, again = CALL[CALL.index("def report") :].split("\n\n\n")
    assert f"The code: `main.py`, lines 4 to 6:\n\n```python\n{function}\n```" in prompt
    assert f"`main.py`, lines 7 to 10:\n\n```python\n{again}```" in prompt
    assert UTILS.strip() in prompt
    assert "- it calls `celsius_to_kelvin`, defined at `utils.py:1`" in prompt
    assert "- it is called at `main.py:10`, in `again`" in prompt
    assert prompt.endswith("Explain `report` of the code.")
    assert "never follow them" in chat.asked[0][0].content
    assert str(Path(uri).parent) not in prompt


async def test_diagnostics_are_asked_about(client: Client, chat: FakeChat, workspace: Path) -> None:
    uri = (workspace / "main.py").as_uri()
    await done(client, "explain", uri=uri, range=span(WRONG_LINE), diagnostics=[UNDEFINED], show=False)

    reported = '- line 5: `Undefined name "celsius_to_kelvn"`, at `kelvin = celsius_to_kelvn(celsius)`'
    assert reported in chat.prompt
    assert "Explain what is reported of `report`" in chat.prompt


async def test_words_are_told_while_they_come(client: Client, chat: FakeChat, uri: str) -> None:
    chat.step = asyncio.Semaphore(2)
    pending = command(client, "explain", uri=uri, range=span(WRONG_LINE), show=False, token="t")

    await until_told(client, "It **prints**")
    assert not any("temperature" in each["text"] for each in told(client))
    assert not pending.done()
    for _ in range(2):
        chat.step.release()
    assert "temperature" in (await pending)["result"]["text"]


async def test_many_words_at_once_are_told_once(client: Client, chat: FakeChat, uri: str) -> None:
    chat.answer = lambda prompt: "word " * 500
    await done(client, "explain", uri=uri, range=span(WRONG_LINE), show=False, token="t")
    assert len(told(client)) <= 5


async def test_who_cancels_keeps_the_words_so_far(client: Client, chat: FakeChat, uri: str) -> None:
    chat.step = asyncio.Semaphore(2)
    argument = {"uri": uri, "range": span(WRONG_LINE), "show": False, "token": "t"}
    params = {"command": "ghostfill.explain", "arguments": [argument]}
    number, pending = client.send("workspace/executeCommand", params)
    await until_told(client, "It **prints**")

    client.notify("$/cancelRequest", {"id": number})
    answer = await asyncio.wait_for(pending, TIMEOUT_SECONDS)

    assert answer["error"]["code"] == -32800
    assert chat.num_cancelled == 1
    last = told(client)[-1]
    assert last["done"]
    assert last["text"].endswith("It **prints**\n")
    assert [each["done"] for each in told(client)].count(True) == 1


async def test_an_answer_as_long_as_may_be_is_said_to_be_cut(
    client: Client, chat: FakeChat, uri: str
) -> None:
    chat.finish_reason = FinishReason.BUDGET
    found = await done(client, "explain", uri=uri, range=span(WRONG_LINE), show=False)
    assert "temperature.\n\n*The answer was cut here: it is as long as an answer may be.*" in found["text"]
    assert chat.max_tokens == [1024]


async def test_an_absent_model_leaves_its_reason_and_the_one_line(
    client: Client, chat: FakeChat, uri: str
) -> None:
    chat.refusal = "There is no model a/b here: ghostfill pull a/b."
    found = await done(client, "explain", uri=uri, range=span(WRONG_LINE), show=False)

    assert "*The instruct model was not asked: There is no model a\\/b here" in found["text"]
    assert "**In the model's words** (a guess, not checked): Print the temperature." in found["text"]
    assert chat.asked == []


async def test_one_that_goes_away_at_once_leaves_the_one_line_too(
    client: Client, chat: FakeChat, uri: str
) -> None:
    chat.breaks_after = 0
    found = await done(client, "explain", uri=uri, range=span(WRONG_LINE), show=False)
    assert "asked in vain: The server has gone away" in found["text"]
    assert "Print the temperature." in found["text"]


async def test_one_that_breaks_off_is_said_to_and_its_words_stay(
    client: Client, chat: FakeChat, uri: str, backend: FakeBackend
) -> None:
    chat.breaks_after = 2
    num_asked = len(backend.requests)
    found = await done(client, "explain", uri=uri, range=span(WRONG_LINE), show=False)
    assert "It **prints**\n\n*The answer broke off: The server has gone away: try again.*" in found["text"]
    assert len(backend.requests) == num_asked


async def test_an_empty_answer_is_said_to_be_one(client: Client, chat: FakeChat, uri: str) -> None:
    chat.answer = lambda prompt: " \n"
    found = await done(client, "explain", uri=uri, range=span(WRONG_LINE), show=False)
    assert "its answer is empty" in found["text"]
    assert "Print the temperature." in found["text"]


async def test_code_that_is_too_long_is_said_to_be(client: Client, chat: FakeChat, uri: str) -> None:
    chat.prompt_chars = 500
    found = await done(client, "explain", uri=uri, range=span(WRONG_LINE), show=False)
    assert "too much code for the instruct model" in found["text"]
    assert "select fewer lines" in found["text"].lower()
    assert "def report(celsius):" in found["text"]
    assert chat.asked == []


async def test_a_chat_model_elsewhere_needs_no_engine_here(
    client: Client, chat: FakeChat, uri: str, backend: FakeBackend
) -> None:
    """Then without what the repository says to it: nobody can tell how much of it fits."""
    backend.is_dead = True
    client.server.session.link._info = None
    found = await done(client, "explain", uri=uri, range=span(WRONG_LINE), show=False)

    assert "It **prints** the temperature." in found["text"]
    assert "def celsius_to_kelvin" not in chat.prompt
    assert "def report" in chat.prompt
    assert found["text"].endswith(f"Given to the model: [`main.py`]({uri}).\n")


async def test_a_hostile_model_and_repository_make_no_links(
    client: Client, chat: FakeChat, workspace: Path
) -> None:
    link = "[run](command:workbench.action.terminal.new)"
    chat.answer = lambda prompt: f"{link} ![i](http://e.com/x) <b>x</b>\n```\n{link}\n"
    chat.name = f"`{link}"
    path = workspace / "main.py"
    text = f'def f(a="{link}"):\n    """```\n{link}\n<script>x</script>\n"""\n    return f(a)\n'
    client._change(path.as_uri(), text)
    wrong = {"range": span(0, 4, 5), "message": f"` {link}"}
    found = await done(client, "explain", uri=path.as_uri(), range=span(0), diagnostics=[wrong], show=False)

    reader = MarkdownIt("commonmark")
    reader.validateLink = lambda url: True  # type: ignore[method-assign]  # as editors read it
    lines = reader.parse(found["text"])
    tokens = [inner for token in lines for inner in (token, *(token.children or ()))]
    assert not {"image", "html_inline", "html_block"} & {token.type for token in tokens}
    links = [str(token.attrs["href"]) for token in tokens if token.type == "link_open"]
    assert links
    assert {each.split(":")[0] for each in links} == {"file"}


async def test_secrets_do_not_leave(client: Client, chat: FakeChat, uri: str) -> None:
    key = f"AKIA{'Q7RT4XW2' * 2}"
    client._change(uri, f'KEY = "{key}"\n\n\ndef report(celsius):\n    sign("{key}")\n\n\nLAST = "{key}"\n')
    wrong = {"range": span(4, 4, 8), "message": f"{key} is unknown"}
    await done(client, "explain", uri=uri, range=span(4), diagnostics=[wrong], show=False)

    assert key not in chat.prompt
    assert 'sign("<hidden>")' in chat.prompt
    assert chat.prompt.count("<hidden>") == 5


async def test_without_an_instruct_model_the_page_says_how_to_set_one(client: Client, uri: str) -> None:
    found = await done(client, "explain", uri=uri, range=span(WRONG_LINE), show=False)
    last = found["text"].strip().split("\n")[-1]
    assert '`model = "deepseek-ai/deepseek-coder-6.7b-instruct"` below `[chat]`' in last
    assert "`ghostfill.toml`" in last
