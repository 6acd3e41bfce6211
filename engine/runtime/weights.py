"""Weights on disk as a transformers model. Two forms: our int8 rows, and whatever `from_pretrained` reads.

Knows no prompts, no slots, no devices: a model comes out on the CPU, tied and in the dtype asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError, safe_open
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING
from transformers.utils import logging

from engine.checkpoint_kinds import check_loadable
from engine.errors import ModelError
from engine.model_folder import ModelFolder
from engine.runtime.linear import Rows, expand_rows

INT8_ROWS = "int8-rows"

Progress = Callable[[float], None]

BROKEN = (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError, StrictDataclassError)
"""What transformers and its friends raise for a checkpoint that cannot be loaded."""


def load_weights(
    folder: ModelFolder, dtype: torch.dtype, on_progress: Progress, *, trust_remote_code: bool = False
) -> PreTrainedModel:
    """The folder's model on the CPU; raises ModelError."""
    check_loadable(folder.name, folder.config)
    form = folder.ghostfill.get("weights")
    if form not in (None, INT8_ROWS):
        raise ModelError(
            f"{folder.path / 'ghostfill.json'}: weights '{form}' is unknown; '{INT8_ROWS}' is known."
        )
    try:
        if form == INT8_ROWS:
            return _load_int8_rows(folder, dtype, on_progress)
        return _load_pretrained(folder, dtype, on_progress, trust_remote_code)
    except BROKEN as error:
        hint = " (The setting is engine.trustRemoteCode.)" if "trust_remote_code" in str(error) else ""
        raise ModelError(f"Model {folder.name} in {folder.path} cannot be loaded: {error}{hint}") from error


def load_rows(folder: ModelFolder) -> Mapping[str, Rows]:
    """The matrices of a folder that holds int8 rows, by name; empty for any other."""
    if folder.ghostfill.get("weights") != INT8_ROWS:
        return {}
    with safe_open(folder.path / "model.safetensors", framework="pt") as file:
        names = {name.removesuffix(".scale") for name in file.keys() if name.endswith(".scale")}  # noqa: SIM118
        return {name: Rows(file.get_tensor(name), file.get_tensor(f"{name}.scale")) for name in names}


def _load_int8_rows(folder: ModelFolder, dtype: torch.dtype, on_progress: Progress) -> PreTrainedModel:
    config = AutoConfig.from_pretrained(folder.path, local_files_only=True)
    weights: dict[str, torch.Tensor] = {}
    with safe_open(folder.path / "model.safetensors", framework="pt") as file:
        names = [name for name in file.keys() if not name.endswith(".scale")]  # noqa: SIM118 (not a dict)
        for index, name in enumerate(names, start=1):
            tensor = file.get_tensor(name)
            is_packed = tensor.dtype == torch.int8
            weights[name] = (
                expand_rows(Rows(tensor, file.get_tensor(f"{name}.scale")), dtype) if is_packed else tensor
            )
            on_progress(index / len(names))
    # transformers builds the model without memory, takes these tensors as they are, ties and fills in RoPE.
    with _progress_of_transformers(lambda _: None):
        model_class: Any = MODEL_FOR_CAUSAL_LM_MAPPING[type(config)]
        loaded: Any = model_class.from_pretrained(
            None, config=config, state_dict=weights, dtype=dtype, output_loading_info=True
        )
    return _whole(*loaded)


def _load_pretrained(
    folder: ModelFolder, dtype: torch.dtype, on_progress: Progress, trust_remote_code: bool
) -> PreTrainedModel:
    with _progress_of_transformers(on_progress):
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            folder.path,
            local_files_only=True,
            trust_remote_code=trust_remote_code,
            dtype=dtype,
            output_loading_info=True,
        )
    return _whole(*loaded)


def _whole(model: PreTrainedModel, report: dict[str, Any]) -> PreTrainedModel:
    """transformers fills in random numbers for what is missing; we refuse."""
    missing = sorted(str(key) for key in [*report["missing_keys"], *report["mismatched_keys"]])
    if missing:
        raise ValueError(f"{len(missing)} weights are missing or of the wrong shape, first {missing[0]}")
    return model


@contextmanager
def _progress_of_transformers(on_progress: Progress) -> Iterator[None]:
    """Its bars, drawn for nobody, told to `on_progress`."""

    class Bar:
        def __init__(self, *args: Any, total: int | None = None, **_kwargs: Any) -> None:
            self._items = args[0] if args else ()
            self._total = total or (len(self._items) if hasattr(self._items, "__len__") else 0)
            self._done = 0

        def __iter__(self) -> Iterator[Any]:
            for item in self._items:
                yield item
                self.update()

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *_: object) -> None:
            return None

        def __getattr__(self, _name: str) -> Callable[..., None]:
            return lambda *_args, **_kwargs: None

        def update(self, num: int = 1) -> None:
            self._done += num
            if self._total:
                on_progress(min(1.0, self._done / self._total))

    before = logging.set_tqdm_hook(lambda _factory, args, kwargs: Bar(*args, **kwargs))
    try:
        yield
    finally:
        logging.set_tqdm_hook(before)
