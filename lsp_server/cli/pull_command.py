"""`ghostfill pull`: downloads a model from the hub, checks it, says how to use it. Knows no addresses."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from engine.chat_template import find_template
from engine.checkpoint_kinds import check_loadable
from engine.errors import ModelError
from engine.fim import choose
from engine.hub import MAIN, OnWeights, pull
from engine.hub_place import GIB, OnBytes
from engine.model_folder import BUILTIN, ModelFolder
from engine.tokens import Tokenizer
from lsp_server.cli.terminal import console
from lsp_server.settings import user_file

_INSTRUCT = re.compile(r"instruct|-it\b|chat", re.IGNORECASE)


def run(argv: list[str], cwd: Path) -> int:
    """Download, check and describe; GhostfillError where that fails."""
    options = _parser().parse_args(argv)
    if options.model == BUILTIN:
        raise ModelError("The built-in model comes with ghostfill: there is nothing to download.")
    with _progress(options.model) as on_weights:
        path = pull(options.model, options.revision, on_weights)
    # Only the branch that the cache calls its main one can be named by the id alone.
    name = options.model if options.revision == MAIN else str(path)
    _describe(replace(ModelFolder.open(str(path)), name=name))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ghostfill pull",
        description="Downloads a model into the Hugging Face cache. HF_TOKEN, HF_HOME and HF_ENDPOINT count.",
    )
    parser.add_argument("model", metavar="MODEL", help="an id on the hub: owner/name")
    parser.add_argument("--revision", default=MAIN, help="a branch, a tag or a commit (default: main)")
    return parser


@contextmanager
def _progress(model: str) -> Iterator[OnWeights]:
    """A bar on stderr, which leaves no trace."""
    columns = (BarColumn(), DownloadColumn(binary_units=True), TransferSpeedColumn(), TimeRemainingColumn())
    err = Console(stderr=True, highlight=False)
    with Progress(
        TextColumn(model), *columns, console=err, transient=True, disable=not err.is_terminal
    ) as bar:
        task = bar.add_task(model, total=None)

        def on_weights(total: int) -> OnBytes:
            bar.update(task, total=total)
            return lambda number: bar.advance(task, number)

        yield on_weights


def _describe(folder: ModelFolder) -> None:
    """Where it is, what it gets, what to write; raises ModelError if it cannot be used after all."""
    tokenizer = Tokenizer.from_folder(folder.path)
    choice = choose(folder)
    name = folder.name
    size = sum(file.stat().st_size for file in folder.path.iterdir() if file.is_file())
    out = console()
    out.print(f"{name} is complete: {size / GIB:.1f} GiB in {folder.path}", markup=False, soft_wrap=True)
    said = choice.refusal or f"FIM format {choice.fim.name}, reads {choice.fim.context_length:,} tokens."
    out.print(said, markup=False, soft_wrap=True)
    out.print(f"To use it, write in {user_file()}:", markup=False, soft_wrap=True)
    for line in _lines_to_write(folder, tokenizer, infills=not choice.refusal):
        out.print(f"  {line}", markup=False, soft_wrap=True)
    check_loadable(name, folder.config)


def _lines_to_write(folder: ModelFolder, tokenizer: Tokenizer, *, infills: bool) -> Iterator[str]:
    """For a model that completes, one that answers, or one that does both."""
    answers = _answers(folder, tokenizer)
    # Base models that infill may bring a template as well, and answer badly.
    is_asked = answers and (not infills or bool(_INSTRUCT.search(folder.name)))
    if infills or not answers:
        yield f'model = "{folder.name}"'
    if is_asked:
        yield "[chat]  # to explain and fix"
        yield f'model = "{folder.name}"'


def _answers(folder: ModelFolder, tokenizer: Tokenizer) -> bool:
    try:
        return bool(find_template(folder, tokenizer))
    except ModelError:
        return False
