"""Downloads a model from the hub: which of its files, in which order, and what is said when it fails.

The one place that contacts the hub, with `hub_place`. Knows nothing of terminals.
"""

from __future__ import annotations

import errno
import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.build import VERSION
from engine.checkpoint_kinds import gguf_error, refuse_gguf
from engine.errors import ModelError
from engine.hub_place import HubFile, HubPlace, OnBytes

MAIN = "main"
CHUNK_BYTES = 1 << 20
"""At most so much is lost when a connection breaks."""
_SMALL = re.compile(
    r"(config|generation_config|special_tokens_map|added_tokens|vocab|ghostfill)\.json"
    r"|tokenizer\w*\.json|chat_template\.(jinja|json)|(configuration|modeling|tokenization)_\w+\.py"
)
_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SINGLES = ("model.safetensors", "pytorch_model.bin")

OnWeights = Callable[[int], OnBytes]
"""Hears how many bytes the weights have in all."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a model at one commit."""

    model: str
    commit: str
    files: dict[str, HubFile]

    def small_files(self) -> list[HubFile]:
        """All that loading needs beside weights, the index of weights in shards among it."""
        index = self._index()
        return [file for path, file in self.files.items() if path == index or _SMALL.fullmatch(path)]

    def weight_files(self, snapshot: Path) -> list[HubFile]:
        """One form of the weights, safetensors before pickles; the index, if any, lies in `snapshot`."""
        index = self._index()
        if index is None:
            return [next(self.files[single] for single in _SINGLES if single in self.files)]
        try:
            shards = set(json.loads((snapshot / index).read_bytes())["weight_map"].values())
            return [self.files[shard] for shard in sorted(shards)]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{self.model}: {index} names weights that are not there ({error}).") from error

    def check_kind(self) -> None:
        """Raise ModelError for what transformers cannot load whatever is installed."""
        has_weights = self._index() or any(single in self.files for single in _SINGLES)
        if "config.json" in self.files and has_weights:
            return
        if any(path.lower().endswith(".gguf") for path in self.files):
            raise gguf_error(self.model)
        what = "weights (safetensors or pytorch_model.bin)" if "config.json" in self.files else "config.json"
        raise ModelError(f"{self.model} is no model that transformers loads: it has no {what}.")

    def _index(self) -> str | None:
        """The file that says which weights to take; None where they are one file."""
        for single in _SINGLES:
            if single in self.files:
                return None
            if f"{single}.index.json" in self.files:
                return f"{single}.index.json"
        return None


def pull(model: str, revision: str = MAIN, on_weights: OnWeights = lambda _: lambda _: None) -> Path:
    """Download a model, going on where an earlier try stopped; returns its folder. Raises ModelError."""
    refuse_gguf(model)
    _prepare_client()
    with _errors_in_words(model, revision):
        listing = look_up(model, revision)
        listing.check_kind()
        place = HubPlace(model, listing.commit)
        with place.alone():
            for file in listing.small_files():
                place.fetch(file, lambda _: None)
            weights = listing.weight_files(place.snapshot)
            place.check_disk(weights)
            on_bytes = on_weights(sum(file.size for file in weights))
            for file in weights:
                place.fetch(file, on_bytes)
            place.name_snapshot(revision)
    return place.snapshot


def look_up(model: str, revision: str) -> Listing:
    """What the hub has of the model."""
    from huggingface_hub import HfApi

    hub = HfApi(library_name="ghostfill", library_version=VERSION)
    info = hub.model_info(model, revision=revision, files_metadata=True)
    files = [
        HubFile(each.rfilename, each.size or 0, each.lfs.sha256 if each.lfs else None)
        for each in info.siblings or []
    ]
    hashes = [str(info.sha), *(file.sha256 for file in files if file.sha256)]
    if not all(_HASH.fullmatch(each) for each in hashes):  # they become names of files
        raise ModelError(f"What answers for {model} is no hub: correct HF_ENDPOINT.")
    return Listing(model, str(info.sha), {file.path: file for file in files})


def _prepare_client() -> None:
    """Its bars and warnings would be drawn over ours; it tells of bytes, and keeps them, by the chunk."""
    from huggingface_hub import constants
    from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]

    disable_progress_bars()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    constants.DOWNLOAD_CHUNK_SIZE = min(constants.DOWNLOAD_CHUNK_SIZE, CHUNK_BYTES)


@contextmanager
def _errors_in_words(model: str, revision: str) -> Iterator[None]:
    """What the hub's client raises, as one sentence that says what to do."""
    import httpx2
    from huggingface_hub import constants, errors

    hub = constants.ENDPOINT
    try:
        yield
    except errors.HFValidationError as error:
        raise ModelError(f"'{model}' is not a Hugging Face id: write owner/name.") from error
    except errors.OfflineModeIsEnabled as error:
        raise ModelError("HF_HUB_OFFLINE is set: unset it to download a model.") from error
    except errors.GatedRepoError as error:
        raise ModelError(
            f"{model} is gated: accept its terms at {hub}/{model} and set HF_TOKEN to your token."
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise ModelError(
            f"{hub} has no model {model}, or it is private: correct the name, or set HF_TOKEN to your token."
        ) from error
    except errors.RevisionNotFoundError as error:
        raise ModelError(f"{model} has no revision {revision}: correct --revision.") from error
    except errors.HfHubHTTPError as error:
        raise ModelError(
            f"{hub} answered {error.response.status_code} for {model}: try again later."
        ) from error
    except (httpx2.HTTPError, errors.LocalEntryNotFoundError) as error:
        raise ModelError(
            f"{hub} cannot be reached ({error}): check the network and HF_ENDPOINT, then run it again; "
            "what is downloaded stays."
        ) from error
    except OSError as error:
        full = "the disk is full: make room or set HF_HOME to a folder on a larger one, then run it again"
        why = full if error.errno in (errno.ENOSPC, errno.EDQUOT) else f"{error}; run it again"
        raise ModelError(f"{model} was not downloaded, {why}; what is downloaded stays.") from error
