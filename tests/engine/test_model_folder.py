"""Finding a model: the three ways to name one, and what is said of a folder that is not whole."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import constants

from engine.errors import ModelError
from engine.model_folder import BUILTIN_FOLDER, ModelFolder, find_model
from engine_checkpoints import make_hub_cache, make_tokenizer

SHARDS = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache; nothing outside it is looked at."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path


@pytest.fixture
def folder(tmp_path: Path, small_folder: Path) -> Path:
    """A whole model, to be damaged."""
    return Path(shutil.copytree(small_folder, tmp_path / "model"))


def test_builtin_is_the_packaged_folder() -> None:
    model = ModelFolder.open("builtin")

    assert model.path == BUILTIN_FOLDER
    assert model.ghostfill["weights"] == "int8-rows"
    assert model.config["vocab_size"] == 16384
    assert not model.has_chat_template


def test_a_folder_is_found_by_its_path(folder: Path) -> None:
    assert find_model(str(folder)) == folder
    assert ModelFolder.open(str(folder)).ghostfill == {}


def test_a_folder_is_found_below_the_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder.parent))

    assert find_model("~/model") == folder


def test_a_hub_id_is_found_in_the_local_cache(hub: Path, folder: Path) -> None:
    snapshot = make_hub_cache(hub, "deepseek-ai/deepseek-coder-1.3b-base")
    shutil.copytree(folder, snapshot, dirs_exist_ok=True)

    model = ModelFolder.open("deepseek-ai/deepseek-coder-1.3b-base")

    assert model.path == snapshot
    assert model.name == "deepseek-ai/deepseek-coder-1.3b-base"


def test_a_hub_id_never_means_a_folder_of_the_working_directory(
    hub: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.parent / "owner").mkdir()
    shutil.move(folder, folder.parent / "owner" / "name")
    monkeypatch.chdir(folder.parent)

    with pytest.raises(ModelError, match="ghostfill pull owner/name"):
        find_model("owner/name")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("/nowhere/model", "does not exist"),
        ("~/nowhere/model", "does not exist"),
        ("deepseek-ai/not-here", "ghostfill pull deepseek-ai/not-here"),
        ("a/b/c", "neither 'builtin'"),
        ("", "neither 'builtin'"),
        ("owner/--bad--", "not a Hugging Face id"),
    ],
)
def test_a_model_that_is_not_here_says_what_to_do(hub: Path, name: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        ModelFolder.open(name)


def test_a_hub_folder_without_config_says_how_to_finish_the_download(hub: Path) -> None:
    snapshot = make_hub_cache(hub, "owner/name")
    (snapshot.parent.parent / "blobs" / "abc.incomplete").write_bytes(b"x")

    with pytest.raises(
        ModelError, match=r"not finished: config.json is missing; run 'ghostfill pull owner/name'"
    ):
        ModelFolder.open("owner/name")


def test_a_folder_without_config_is_refused(folder: Path) -> None:
    (folder / "config.json").unlink()

    with pytest.raises(ModelError, match=r"config\.json is missing"):
        ModelFolder.open(str(folder))


def test_a_config_that_is_not_json_is_refused(folder: Path) -> None:
    (folder / "config.json").write_text("{", encoding="utf-8")

    with pytest.raises(ModelError, match=r"config.json cannot be read .* download the model again"):
        ModelFolder.open(str(folder))


def test_a_folder_without_weights_is_refused(folder: Path) -> None:
    (folder / "model.safetensors").unlink()

    with pytest.raises(ModelError, match=r"model\.safetensors is missing"):
        ModelFolder.open(str(folder))


@pytest.mark.parametrize("keep", [0, 5, 100, -1])
def test_a_truncated_weight_file_is_refused(folder: Path, keep: int) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:keep])

    with pytest.raises(ModelError, match="cut short"):
        ModelFolder.open(str(folder))


def test_a_whole_set_of_shards_is_accepted_and_a_missing_one_is_named(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / SHARDS[0])
    shutil.copy(folder / SHARDS[0], folder / SHARDS[1])
    index = {"weight_map": {"a": SHARDS[0], "b": SHARDS[1]}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")

    assert ModelFolder.open(str(folder)).path == folder
    (folder / SHARDS[1]).rename(folder / f"{SHARDS[1]}.incomplete")
    with pytest.raises(ModelError, match=f"download was not finished: {SHARDS[1]} is missing"):
        ModelFolder.open(str(folder))


def test_a_stray_incomplete_file_beside_whole_weights_does_no_harm(folder: Path) -> None:
    (folder / "pytorch_model.bin.incomplete").write_bytes(b"x")

    assert ModelFolder.open(str(folder)).path == folder


def test_a_chat_template_is_seen_in_the_tokenizer_config_and_beside_it(folder: Path) -> None:
    make_tokenizer(folder, instruct=True)
    assert ModelFolder.open(str(folder)).has_chat_template

    make_tokenizer(folder)
    assert not ModelFolder.open(str(folder)).has_chat_template
    (folder / "chat_template.jinja").write_text("{{ messages }}", encoding="utf-8")
    assert ModelFolder.open(str(folder)).has_chat_template


def test_opening_a_model_imports_no_torch() -> None:
    program = (
        "import sys; from engine.model_folder import ModelFolder; ModelFolder.open('builtin');"
        "print([m for m in ('torch', 'transformers', 'huggingface_hub') if m in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
