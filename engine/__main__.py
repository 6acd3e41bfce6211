"""`python -P -m engine`: read the flags, take the lock and the socket, then serve until idle.

torch is imported after all that, so a second engine that finds the lock taken is gone at once.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

from engine.errors import GhostfillError
from engine.runtime_dir import EngineFiles, runtime_dir


def main(argv: list[str] | None = None) -> int:
    """Run an engine; 0 when it left in good order or another one already runs, 1 on failure."""
    options = parser().parse_args(argv)
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # Before anything imports the hub's client, which reads it once. Only `ghostfill pull` contacts the hub.
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        from engine.launch import check_build, require_local_extra

        check_build()
        require_local_extra()
        from engine.runtime.process import EngineProcess

        files = EngineFiles.of(
            runtime_dir(),
            options.model,
            options.device,
            options.dtype,
            options.fim_format,
            options.quantize,
        )
        return EngineProcess(options, files).run()
    except GhostfillError as error:
        print(f"ghostfill engine: {error}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """The flags of `ghostfill engine`."""
    flags = argparse.ArgumentParser(prog="ghostfill engine", description="The resident engine.")
    flags.add_argument(
        "--model", default="builtin", help="builtin, a folder, or an id in the local hub cache"
    )
    flags.add_argument("--device", default="auto", help="auto, cuda, cuda:N, mps or cpu")
    flags.add_argument("--dtype", default="auto", choices=["auto", "float32", "bfloat16", "float16"])
    flags.add_argument("--fim-format", default="auto", help="a row of the format table")
    flags.add_argument(
        "--quantize", default=None, choices=["int8"], help="keep the weights as int8 (default: as they come)"
    )
    flags.add_argument("--memory-gb", type=float, default=None, help="for weights and KV cache together")
    flags.add_argument("--idle-minutes", type=float, default=30.0, help="leave after so long; 0: never")
    flags.add_argument(
        "--chat-model", default=None, help="answers chat; with --host the only one (default: as asked for)"
    )
    flags.add_argument("--trust-remote-code", action="store_true", help="run code that the model brings")
    where = flags.add_argument_group("where to listen (default: a socket that ghostfill serve finds)")
    where.add_argument("--socket", type=Path, default=None)
    where.add_argument("--host", default=None)
    where.add_argument("--port", type=int, default=8017)
    where.add_argument("--api-key-file", type=Path, default=None, help="needed with a --host of the network")
    flags.add_argument("--log-prompts", action="store_true", help="write prompts to the log")
    return flags


if __name__ == "__main__":
    sys.exit(main())
