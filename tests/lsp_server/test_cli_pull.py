"""`ghostfill pull` against a hub on this machine: what it takes, resumes, checks and says."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from huggingface_hub import constants

from cli_home import Home
from engine import hub_place
from engine.model_folder import ModelFolder
from engine_checkpoints import make_deepseek_checkpoint
from hub_server import COMMIT, TOKEN, HubServer, hub_server
from lsp_server.cli import main

NAME = "deepseek-ai/deepseek-coder-1.3b-base"
NOT_TAKEN = ("README.md", "model.gguf", "pytorch_model.bin", "training_args.bin", "onnx/model.bin")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_deepseek_checkpoint(tmp_path_factory.mktemp("checkpoint") / "model", layers=1)


@pytest.fixture
def hub(checkpoint: Path, tmp_path: Path) -> Iterator[HubServer]:
    """A hub with one model, beside whose safetensors lies what nobody needs."""
    folder = Path(shutil.copytree(checkpoint, tmp_path / "repository"))
    for name in NOT_TAKEN:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"not needed")
    with hub_server() as server:
        server.repositories[NAME] = folder
        yield server


class Said(NamedTuple):
    status: int
    out: str
    err: str


class Puller:
    """The command in this process, with a cache of its own."""

    def __init__(self, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.cache = cache
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Said:
        status = main.run(["pull", *arguments], "/")
        return Said(status, *self._capsys.readouterr())

    def parts(self) -> list[Path]:
        return list(self.cache.rglob("*.incomplete"))


@pytest.fixture
def pull(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Puller:
    cache = tmp_path / "cache"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "ENDPOINT", hub.address)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", hub.address + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)  # what a broken connection may lose
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _: None)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    return Puller(cache, capsys)


def weights(hub: HubServer) -> bytes:
    return (hub.repositories[NAME] / "model.safetensors").read_bytes()


def pulled(model: str = NAME) -> bytes:
    return (ModelFolder.open(model).path / "model.safetensors").read_bytes()


def test_the_command_downloads_a_model_that_can_then_be_opened_by_its_id(home: Home, hub: HubServer) -> None:
    """A real process, told of the hub and the cache by the variables that everybody uses."""
    cache = home.folder / "hf"
    done = home.run("pull", NAME, HF_ENDPOINT=hub.address, HF_HOME=str(cache), HF_HUB_OFFLINE="0")

    assert (done.returncode, done.stderr) == (0, "")
    assert f'model = "{NAME}"' in done.stdout
    assert "FIM format deepseek-coder" in done.stdout
    assert str(home.config) in done.stdout
    snapshot = cache / "hub" / f"models--{NAME.replace('/', '--')}" / "snapshots" / COMMIT
    assert ModelFolder.open(str(snapshot)).config["vocab_size"] == 32256
    assert (snapshot / "model.safetensors").read_bytes() == weights(hub)

    offline = home.run("doctor", "--json", HF_HOME=str(cache), HF_ENDPOINT=hub.address)
    assert offline.returncode == 0


def test_a_model_that_is_not_here_is_never_fetched_but_said_how_to(home: Home, hub: HubServer) -> None:
    """By the engine that a completion starts, by one started by hand, and by the doctor."""
    network = {"HF_ENDPOINT": hub.address, "HF_HOME": str(home.folder / "empty"), "HF_HUB_OFFLINE": "0"}
    home.config.parent.mkdir(parents=True, exist_ok=True)
    home.config.write_text(f'model = "{NAME}"\n')
    (home.folder / "a.py").write_text("import os\n")
    try:
        completion = home.run("complete", "a.py:1:1", **network)
        doctor = home.run("doctor", **network)
    finally:
        home.config.unlink()
    engine = home.run("engine", "--model", NAME, "--host", "127.0.0.1", "--port", "0", **network)

    for done in (completion, doctor, engine):
        assert done.returncode == 1
        said = " ".join((done.stdout + done.stderr).split())
        assert f"run 'ghostfill pull {NAME}'" in said
    assert hub.requests == []


def test_only_what_loading_needs_is_downloaded(hub: HubServer, pull: Puller) -> None:
    assert pull(NAME).status == 0

    assert set(hub.downloads()) == {
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "model.safetensors",
    }


def test_shards_are_taken_as_the_index_names_them(hub: HubServer, pull: Puller) -> None:
    folder = hub.repositories[NAME]
    (folder / "model.safetensors").rename(folder / "model-00001-of-000001.safetensors")
    (folder / "consolidated.safetensors").write_bytes(b"the same once more")
    index = {"weight_map": {"lm_head.weight": "model-00001-of-000001.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))

    assert pull(NAME).status == 0

    large = [name for name in hub.downloads() if name.endswith((".safetensors", ".bin"))]
    assert large == ["model-00001-of-000001.safetensors"]


def test_pickled_weights_are_taken_where_there_are_no_others(hub: HubServer, pull: Puller) -> None:
    (hub.repositories[NAME] / "model.safetensors").unlink()

    assert pull(NAME).status == 0
    assert [name for name in hub.downloads() if name.endswith(".bin")] == ["pytorch_model.bin"]


def test_what_is_there_is_not_downloaded_again(hub: HubServer, pull: Puller) -> None:
    pull(NAME)
    hub.requests.clear()

    assert pull(NAME).status == 0
    assert hub.downloads() == []


def test_a_connection_that_breaks_is_resumed_within_the_run(hub: HubServer, pull: Puller) -> None:
    hub.cut_after["model.safetensors"] = [1000]

    assert pull(NAME).status == 0
    assert hub.ranges("model.safetensors") == ["", "bytes=1000-"]
    assert pulled() == weights(hub)


def test_a_download_that_failed_goes_on_in_the_next_run(hub: HubServer, pull: Puller) -> None:
    """No byte is fetched twice, the model's name stays unknown until it is whole."""
    hub.cut_after["model.safetensors"] = [5000]
    hub.fail_after_cut = True
    said = pull(NAME)

    assert said.status == 1
    assert "answered 500" in said.err
    assert [part.stat().st_size for part in pull.parts()] == [5000]
    with pytest.raises(Exception, match="download was not finished.*ghostfill pull " + NAME):
        ModelFolder.open(NAME)

    hub.fail_after_cut = False
    hub.requests.clear()
    assert pull(NAME).status == 0
    assert hub.ranges("model.safetensors") == ["bytes=5000-"]
    assert pulled() == weights(hub)
    assert pull.parts() == []


def test_a_server_that_cannot_resume_sends_it_all_again(hub: HubServer, pull: Puller) -> None:
    hub.cut_after["model.safetensors"] = [5000]
    hub.fail_after_cut = True
    pull(NAME)
    hub.fail_after_cut, hub.ignores_ranges = False, True

    assert pull(NAME).status == 0
    assert pulled() == weights(hub)


@pytest.mark.parametrize("part", [b"of something else", b"x" * 10_000_000], ids=["wrong", "too long"])
def test_a_part_that_is_not_the_files_is_dropped(hub: HubServer, pull: Puller, part: bytes) -> None:
    hub.cut_after["model.safetensors"] = [5000]
    hub.fail_after_cut = True
    pull(NAME)
    pull.parts()[0].write_bytes(part)
    hub.fail_after_cut = False

    while (said := pull(NAME)).status:
        assert "model.safetensors of " + NAME + " came damaged: pull it again" in said.err
        assert pull.parts() == []
    assert pulled() == weights(hub)


def test_damaged_weights_are_never_taken_for_the_model(hub: HubServer, pull: Puller) -> None:
    hub.damages.add("model.safetensors")

    assert "came damaged" in pull(NAME).err
    with pytest.raises(Exception, match="ghostfill pull"):
        ModelFolder.open(NAME)


def test_a_full_disk_is_told_before_weights_are_downloaded(
    hub: HubServer, pull: Puller, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": hub_place.SPARE_BYTES + 1000})
    monkeypatch.setattr("engine.hub_place.shutil.disk_usage", lambda _: usage)

    said = pull(NAME)

    assert said.status == 1
    assert "GiB more and 1 GiB to spare" in said.err
    assert f"{pull.cache} has 1.0 GiB free: make room, or set HF_HOME" in said.err
    assert "model.safetensors" not in hub.downloads()


def test_what_is_already_there_needs_no_room(
    hub: HubServer, pull: Puller, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull(NAME)
    monkeypatch.setattr("engine.hub_place.shutil.disk_usage", lambda _: type("Usage", (), {"free": 0}))

    assert pull(NAME).status == 0


def test_a_disk_that_fills_up_meanwhile_is_told_and_nothing_is_lost(
    hub: HubServer, pull: Puller, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = hub_place._Part.write

    def write_little(part: hub_place._Part, piece: bytes) -> int:
        if part.tell() >= 3000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(part, piece)

    with monkeypatch.context() as patch:
        patch.setattr(hub_place._Part, "write", write_little)
        said = pull(NAME)

    assert said.status == 1
    assert "the disk is full: make room or set HF_HOME" in said.err
    assert [part.stat().st_size for part in pull.parts()] == [3000]
    assert pull(NAME).status == 0
    assert pulled() == weights(hub)


def test_a_gated_model_says_what_to_do_and_a_token_opens_it(
    hub: HubServer, pull: Puller, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.gated.add(NAME)
    said = pull(NAME)

    assert said.status == 1
    assert f"{NAME} is gated: accept its terms at {hub.address}/{NAME} and set HF_TOKEN" in said.err

    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert pull(NAME).status == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("nobody/nothing",),
            "has no model nobody/nothing, or it is private: correct the name, or set HF_TOKEN",
        ),
        ((NAME, "--revision", "v9"), f"{NAME} has no revision v9: correct --revision"),
        (("a/b/c",), "'a/b/c' is not a Hugging Face id: write owner/name"),
        (("Qwen/Qwen2.5-Coder-7B-GGUF",), "engine.api to 'llamacpp'"),
        (("builtin",), "there is nothing to download"),
    ],
)
def test_what_cannot_be_downloaded_is_told_in_one_sentence(
    pull: Puller, arguments: tuple[str, ...], message: str
) -> None:
    said = pull(*arguments)

    assert (said.status, said.out) == (1, "")
    assert message in said.err
    assert len(said.err.splitlines()) == 1


def test_no_network_is_told_in_one_sentence(pull: Puller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")

    said = pull(NAME)

    assert said.status == 1
    assert "http://127.0.0.1:9 cannot be reached" in said.err
    assert len(said.err.splitlines()) == 1


def test_a_process_told_to_stay_offline_says_so(pull: Puller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    assert "HF_HUB_OFFLINE is set: unset it to download a model" in pull(NAME).err


def test_a_repository_of_gguf_files_points_to_llama_cpp(hub: HubServer, pull: Puller) -> None:
    folder = hub.repositories[NAME]
    for name in ("model.safetensors", "pytorch_model.bin"):
        (folder / name).unlink()

    assert "llama-server" in pull(NAME).err
    assert hub.downloads() == []


def test_another_revision_is_named_by_its_folder(hub: HubServer, pull: Puller) -> None:
    said = pull(NAME, "--revision", "v1")

    snapshot = pull.cache / f"models--{NAME.replace('/', '--')}" / "snapshots" / COMMIT
    assert said.status == 0
    assert f'model = "{snapshot}"' in said.out
    assert pulled(str(snapshot)) == weights(hub)


def test_a_model_that_does_not_fill_in_the_middle_is_said_to(hub: HubServer, pull: Puller) -> None:
    (hub.repositories[NAME] / "chat_template.jinja").write_text("{{ messages }}")

    said = pull(NAME)

    assert said.status == 0
    assert "is an instruct model: it was not trained to fill in the middle" in said.out


def test_an_instruct_model_is_told_to_be_named_under_chat(hub: HubServer, pull: Puller) -> None:
    name = "deepseek-ai/deepseek-coder-1.3b-instruct"
    hub.repositories[name] = hub.repositories[NAME]
    (hub.repositories[name] / "chat_template.jinja").write_text("{{ messages }}")

    said = pull(name)

    assert said.status == 0
    assert said.out.splitlines()[-2:] == ["  [chat]  # to explain and fix", f'  model = "{name}"']
    assert "Name deepseek-ai/deepseek-coder-1.3b-base in 'model' to complete code" in said.out
    assert (ModelFolder.open(name).path / "chat_template.jinja").is_file()


def test_a_model_that_infills_and_answers_is_told_to_be_named_for_both(hub: HubServer, pull: Puller) -> None:
    name = "Qwen/Qwen2.5-Coder-1.5B-Instruct"
    folder = hub.repositories[name] = hub.repositories[NAME]
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"architectures": ["Qwen2ForCausalLM"]}))
    (folder / "chat_template.jinja").write_text("{{ messages }}")

    lines = pull(name).out.splitlines()

    assert lines[-3:] == [f'  model = "{name}"', "  [chat]  # to explain and fix", f'  model = "{name}"']
    hub.repositories["Qwen/Qwen2.5-Coder-1.5B"] = folder
    assert "[chat]" not in pull("Qwen/Qwen2.5-Coder-1.5B").out


def test_a_quantised_checkpoint_says_what_else_to_install(
    hub: HubServer, pull: Puller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.checkpoint_kinds.PACKAGES", {"awq": {"no_such_package": "no-such-package"}})
    config = json.loads((hub.repositories[NAME] / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "awq"}
    (hub.repositories[NAME] / "config.json").write_text(json.dumps(config))

    said = pull(NAME)

    assert said.status == 1
    assert 'pip install "ghostfill[local]" no-such-package' in said.err


def test_two_pulls_of_one_model_do_not_meet(hub: HubServer, pull: Puller) -> None:
    place = hub_place.HubPlace(NAME, COMMIT)

    with place.alone():
        said = pull(NAME)

    assert said.status == 1
    assert f"Another 'ghostfill pull {NAME}' is running" in said.err
