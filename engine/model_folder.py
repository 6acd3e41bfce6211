"""Where a model lies on this machine and what its small JSON files say. No torch, no tokenizer, no network.

Finds `builtin`, a folder, or a hub id that was downloaded before; refuses a half-downloaded folder with a
sentence that says what to do. Nothing here reads weights, only whether they are all there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from engine.checkpoint_kinds import refuse_gguf
from engine.errors import ModelError

BUILTIN = "builtin"
BUILTIN_FOLDER = Path(__file__).parent / "builtin"

_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")
_FOLDER_STARTS = ("/", "~", "./", "../", ".\\", "..\\")
_INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_MAX_HEADER_BYTES = 100_000_000
"""The safetensors format allows no longer header."""


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A complete model on disk, weights unread."""

    path: Path
    name: str
    """As the user wrote it."""
    config: dict[str, Any]
    ghostfill: dict[str, Any]
    """`ghostfill.json`, empty where the model has none."""
    tokenizer_config: dict[str, Any]
    has_chat_template: bool

    @classmethod
    def open(cls, name: str, *, needs_weights: bool = True) -> Self:
        """Find the model and read its JSON files; raises ModelError."""
        path = find_model(name)
        if needs_weights:
            check_complete(path)
        tokenizer_config = read_json(path / "tokenizer_config.json", {})
        chat_files = ("chat_template.jinja", "chat_template.json")
        return cls(
            path=path,
            name=name,
            config=read_json(path / "config.json"),
            ghostfill=read_json(path / "ghostfill.json", {}),
            tokenizer_config=tokenizer_config,
            has_chat_template=bool(tokenizer_config.get("chat_template"))
            or any((path / file).exists() for file in chat_files),
        )

    def named_token(self, key: str) -> str:
        """A token that tokenizer_config.json names (`bos_token`), plain or as an object; else ''."""
        token = self.tokenizer_config.get(key)
        if isinstance(token, dict):
            token = token.get("content")
        return token if isinstance(token, str) else ""


def find_model(name: str) -> Path:
    """The folder of `builtin`, of a folder's path, or of a hub id in the local hub cache; raises ModelError.

    A folder is written absolute or with a leading `~`, `./` or `../`, never to be mistaken for a hub id.
    """
    if name == BUILTIN:
        return BUILTIN_FOLDER
    refuse_gguf(name)
    if name.startswith(_FOLDER_STARTS) or Path(name).is_absolute():
        return _find_folder(name)
    if not _HUB_ID.fullmatch(name):
        raise ModelError(
            f"'{name}' is neither 'builtin', nor a Hugging Face id (owner/name) nor a folder's absolute path."
        )
    return _find_in_hub_cache(name)


def check_complete(path: Path) -> None:
    """Raise ModelError unless config and every weight file are there, whole."""
    refuse_gguf(str(path), path)
    if not (path / "config.json").is_file():
        raise ModelError(_unfinished(path, "config.json is missing"))
    read_json(path / "config.json")
    for file in weight_files(path):
        if not file.is_file():
            raise ModelError(_unfinished(path, f"{file.name} is missing"))
        if file.suffix == ".safetensors" and not _is_whole_safetensors(file):
            raise ModelError(_unfinished(path, f"{file.name} is cut short or damaged"))


def _find_folder(name: str) -> Path:
    try:
        path = Path(name).expanduser().resolve()
    except (OSError, RuntimeError) as error:  # a loop of links, or a home that is not known
        raise ModelError(f"Model folder {name} cannot be opened: {error}.") from error
    if not path.is_dir():
        raise ModelError(f"Model folder {path} does not exist: correct the setting 'model' or 'chat.model'.")
    return path


def _find_in_hub_cache(name: str) -> Path:
    # Imported here because the hub's client is slow to import and only this branch needs it.
    from huggingface_hub import constants, try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        config = try_to_load_from_cache(name, "config.json")
    except HFValidationError as error:
        raise ModelError(f"'{name}' is not a Hugging Face id: write owner/name.") from error
    if isinstance(config, str):
        return Path(config).parent
    cached = Path(constants.HF_HUB_CACHE) / f"models--{name.replace('/', '--')}"
    if cached.is_dir():
        raise ModelError(_unfinished(cached, "config.json is missing", name))
    raise ModelError(
        f"Model {name} is not on this machine: run 'ghostfill pull {name}', or name a folder's absolute path."
    )


def weight_files(path: Path) -> Iterator[Path]:
    """Every file that the weights need, whether it exists or not; one index decides, as in transformers."""
    if (path / "model.safetensors").exists():
        yield path / "model.safetensors"
        return
    for index in _INDEXES:
        if (path / index).is_file():
            weight_map = read_json(path / index).get("weight_map")
            if not isinstance(weight_map, dict) or not weight_map:
                raise ModelError(_unfinished(path, f"{index} names no weight files"))
            yield from (path / shard for shard in sorted(set(weight_map.values())))
            return
    yield path / ("pytorch_model.bin" if (path / "pytorch_model.bin").exists() else "model.safetensors")


def _is_whole_safetensors(file: Path) -> bool:
    """Whether the file is as long as its header promises."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        header_bytes = int.from_bytes(stream.read(8), "little")
        if not 2 <= header_bytes <= min(_MAX_HEADER_BYTES, size - 8):
            return False
        try:
            header = json.loads(stream.read(header_bytes))
            ends = [entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"]
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            return False
    return size == 8 + header_bytes + max(ends, default=0)


def read_json(file: Path, default: dict[str, Any] | None = None) -> dict[str, Any]:
    """The object in a model's JSON file, or `default` where there is no file; raises ModelError."""
    if default is not None and not file.exists():
        return default
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} cannot be read ({error}): download the model again.") from error
    if not isinstance(content, dict):
        raise ModelError(f"{file} does not hold a JSON object: download the model again.")
    return content


def _unfinished(path: Path, what: str, name: str | None = None) -> str:
    partly = any(path.rglob("*.incomplete")) or any((path.parent.parent / "blobs").glob("*.incomplete"))
    why = "its download was not finished" if partly else "it is not a whole model"
    again = f"run 'ghostfill pull {name}'" if name else "download it again ('ghostfill pull')"
    return f"Model folder {path} cannot be used, {why}: {what}; {again}."
