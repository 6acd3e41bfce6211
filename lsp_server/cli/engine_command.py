"""`ghostfill engine`: the resident engine in this process, with the flags of `engine.__main__`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

FOLDER_STARTS = ("./", "../", ".\\", "..\\", "~")


def run(argv: list[str], cwd: Path) -> int:
    """Run an engine until it leaves; paths among its flags are meant from `cwd`."""
    # By name: this process becomes the engine, while the language server must have no way to torch.
    engine = import_module("engine.__main__")
    options = engine.parser().parse_args(argv)
    # argparse takes the last of two equal flags: what is appended replaces what was written.
    if options.model.startswith(FOLDER_STARTS):
        argv = [*argv, "--model", str(_from(cwd, Path(options.model)))]
    for flag, path in (("--socket", options.socket), ("--api-key-file", options.api_key_file)):
        if path is not None:
            argv = [*argv, flag, str(_from(cwd, path))]
    status: int = engine.main(argv)
    return status


def _from(cwd: Path, path: Path) -> Path:
    return (cwd / path.expanduser()).resolve()
