"""The doctor says of the instruct model whether it is there, answers and fits, and what one would add."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.known_models import INSTRUCT_MODELS
from engine_checkpoints import deepseek_config
from fake_chat_server import chat_server
from instruct_model import make_builtin_instruct, make_deepseek_instruct, set_template
from lsp_server.cli import largest_model
from lsp_server.cli.chat_checks import check_chat
from lsp_server.cli.check import State
from lsp_server.cli.largest_model import GIB
from lsp_server.settings import ChatSettings, EngineSettings, Settings


@pytest.fixture(autouse=True)
def no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lsp_server.cli.largest_model.shutil.which", lambda _: None)


def gpu(gibibytes: float) -> dict[str, Any]:
    """What torch says on a machine with one GPU."""
    return {"devices": [{"total_gib": gibibytes}], "mps": False, "mps_bytes": 0}


@pytest.fixture(scope="module")
def instruct(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_builtin_instruct(tmp_path_factory.mktemp("model") / "instruct")


def test_without_a_setting_one_that_fits_beside_the_completion_model_is_named() -> None:
    found = check_chat(Settings(), gpu(24))

    assert found.state is State.OK
    assert found.message.startswith("none: ")
    known = {model.name: model for model in INSTRUCT_MODELS}[found.facts["known"]]
    assert known.parameters > 6e9
    assert f"ghostfill pull {known.name}" in found.advice
    assert f'model = "{known.name}" under [chat]' in found.advice
    assert "GiB beside builtin" in found.advice


def test_beside_a_large_completion_model_a_small_one_is_named(tmp_path: Path) -> None:
    """Its weights are counted, and its keys and values."""
    header = json.dumps({"x": {"dtype": "BF16", "shape": [4 * GIB], "data_offsets": [0, 8 * GIB]}}).encode()
    with (tmp_path / "model.safetensors").open("wb") as stream:
        stream.write(len(header).to_bytes(8, "little") + header)
        stream.truncate(8 + len(header) + 8 * GIB)  # no bytes on disk
    sizes = {model.name: model.parameters for model in INSTRUCT_MODELS}
    named = []
    for layers in (1, 36):
        config = deepseek_config(layers=layers, heads=32)
        (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
        found = check_chat(Settings(model=str(tmp_path)), gpu(24))
        named.append(sizes[found.facts["known"]])

    alone = check_chat(Settings(), gpu(24))
    assert sizes[alone.facts["known"]] > named[0] > named[1]


def test_where_none_fits_a_server_is_the_way() -> None:
    found = check_chat(Settings(), gpu(0.5))

    assert found.state is State.OK
    assert "set chat.url to a server" in found.advice


def test_with_a_remote_engine_the_machine_does_not_matter() -> None:
    found = check_chat(Settings(engine=EngineSettings(url="http://127.0.0.1:9")), gpu(24))

    assert (found.state, found.facts) == (State.OK, {})
    assert "set chat.url" in found.advice


def test_a_system_that_does_not_tell_its_memory_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, instruct: Path
) -> None:
    monkeypatch.setattr(largest_model, "_ram_bytes", lambda: None)

    assert check_chat(Settings(), {}).state is State.OK
    found = check_chat(Settings(chat=ChatSettings(model=str(instruct))), {})
    assert (found.state, found.message) == (State.OK, f"{instruct}; whether it fits is not known")


def test_an_instruct_model_that_is_there_and_fits_is_well(instruct: Path) -> None:
    found = check_chat(Settings(chat=ChatSettings(model=str(instruct))), gpu(8))

    assert (found.state, found.advice) == (State.OK, "")
    assert "fits into" in found.message
    assert "GiB beside builtin" in found.message


def test_one_that_does_not_fit_is_told_what_else_there_is(instruct: Path) -> None:
    found = check_chat(Settings(chat=ChatSettings(model=str(instruct))), gpu(0.2))

    assert found.state is State.WARNING
    assert 'et quantize = "int8" under [engine], or set chat.url' in found.advice


def test_one_that_is_the_completion_model_takes_no_room(tmp_path: Path) -> None:
    folder = str(make_deepseek_instruct(tmp_path / "deepseek-coder-instruct"))

    found = check_chat(Settings(model=folder, chat=ChatSettings(model=folder)), gpu(0.1))

    assert (found.state, found.message.endswith("nothing is loaded twice")) == (State.OK, True)


def test_one_that_was_not_downloaded_says_how_to_get_it() -> None:
    name = "deepseek-ai/deepseek-coder-6.7b-instruct"
    found = check_chat(Settings(chat=ChatSettings(model=name)), gpu(24))

    assert found.state is State.WARNING
    assert f"ghostfill pull {name}" in found.advice


def test_a_base_model_is_told_to_be_none() -> None:
    found = check_chat(Settings(chat=ChatSettings(model="builtin")), gpu(24))

    assert found.state is State.WARNING
    assert "builtin is not an instruct model" in found.advice


def test_a_broken_template_is_told(tmp_path: Path) -> None:
    folder = make_builtin_instruct(tmp_path / "model")
    set_template(folder, "{% if %}")

    found = check_chat(Settings(chat=ChatSettings(model=str(folder))), gpu(24))

    assert found.state is State.WARNING
    assert "cannot be read" in found.advice


def test_a_server_that_lists_the_model_is_well() -> None:
    with chat_server(lambda _: "") as server:
        named = check_chat(Settings(chat=ChatSettings(model="instruct", url=server.url)), {})
        unnamed = check_chat(Settings(chat=ChatSettings(url=server.url)), {})
        asked = server.bodies

    for found in (named, unnamed):
        assert (found.state, found.message) == (State.OK, f"instruct at {server.url}")
    assert asked == []


def test_a_server_that_does_not_list_it_is_told_what_it_lists() -> None:
    with chat_server(lambda _: "") as server:
        found = check_chat(Settings(chat=ChatSettings(model="other", url=server.url)), {})

    assert (found.state, found.message) == (State.WARNING, f"{server.url} does not list other")
    assert found.advice.startswith("It lists instruct: ")


def test_a_server_that_does_not_answer_is_a_warning() -> None:
    found = check_chat(Settings(chat=ChatSettings(url="http://127.0.0.1:9")), {})

    assert found.state is State.WARNING
    assert "correct chat.url" in found.advice


def test_the_engine_at_engine_url_is_asked_where_chat_has_no_url_of_its_own() -> None:
    with chat_server(lambda _: "") as server:
        engine = EngineSettings(url=server.url)
        found = check_chat(Settings(engine=engine, chat=ChatSettings(model="instruct")), {})

    assert (found.state, found.message) == (State.OK, f"instruct at {server.url}")


def test_a_key_that_is_not_in_the_environment_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    chat = ChatSettings(url="http://127.0.0.1:9", api_key_env="NO_SUCH_KEY")

    found = check_chat(Settings(chat=chat), {})

    assert found.state is State.WARNING
    assert "chat.apiKeyEnv names NO_SUCH_KEY" in found.advice


def test_a_wrong_key_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_KEY", "wrong")
    with chat_server(lambda _: "") as server:
        server.api_key = "right"
        chat = ChatSettings(url=server.url, api_key_env="CHAT_KEY")
        found = check_chat(Settings(chat=chat), {})

    assert found.state is State.WARNING
    assert "wants another key" in found.advice
