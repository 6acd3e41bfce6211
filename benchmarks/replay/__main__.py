"""Ghost text as somebody meets it who types: `python -m benchmarks.replay [--quick]`.

The real server and engine over stdio, the built-in model, typed into in real time. What is typed, by whom and
what is counted is described in the modules beside this one. Progress and tables go to stderr; the last line
on stdout is the result. Times are real, so a machine that does other work makes them worse.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.context_quality.corpus import Corpus
from benchmarks.context_quality.packages import REPORTED, Package
from benchmarks.replay import table
from benchmarks.replay.live import type_all
from benchmarks.replay.recording import recording_path
from benchmarks.replay.rerun import rerun
from benchmarks.replay.selfcheck import check_stretches
from benchmarks.replay.session import CONTEXT, NONE, Session
from benchmarks.replay.stretches import choose
from benchmarks.report import RESULTS, finish

PACKAGES = tuple(package for package in REPORTED if package.language == "python")
QUICK_PACKAGES = ("flask", "httpx", "marshmallow")
QUICK_KEYS, FULL_KEYS = 250, 450
RECORDED_MINUTES = 25.0
"""All of it: 21 minutes, once its pauses are shortened."""


def main() -> None:
    """Replay what the flags ask for and report."""
    flags = _flags().parse_args()
    typed = _type(flags)
    recorded = [] if flags.no_recording or flags.quick else _rerun(flags)
    drawn = table.charts(typed, recorded)
    details = table.markdown(typed, recorded, list(drawn))
    if not recorded:
        details += "\nWithout the recorded session.\n"
    print(details, file=sys.stderr)
    if flags.json_out:
        flags.json_out.write_text(json.dumps(_study(typed, recorded), indent=1) + "\n", encoding="utf-8")
    is_full = not (flags.quick or flags.packages or flags.keys or flags.no_recording) and _is_usual(flags)
    for name, text in drawn.items() if is_full else ():
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / name).write_text(text, encoding="utf-8")
    finish("replay", table.figures(typed, recorded), quick=not is_full, details=details)


def _type(flags: argparse.Namespace) -> list[Session]:
    names = flags.packages or (QUICK_PACKAGES if flags.quick else tuple(each.name for each in PACKAGES))
    keys = flags.keys or (QUICK_KEYS if flags.quick else FULL_KEYS)
    return [
        _type_package(package, condition, keys, flags)
        for package in PACKAGES
        if package.name in names
        for condition in flags.conditions
    ]


def _type_package(package: Package, condition: str, keys: int, flags: argparse.Namespace) -> Session:
    corpus = Corpus.read(package.name, package.language, package.unpacked())
    stretches = choose(corpus, keys, flags.seed, auto_close=flags.auto_close)
    check_stretches(stretches)
    session = type_all(corpus.root, stretches, condition, flags.seed)
    _tell(session, f"{len(stretches)} stretches")
    return session


def _rerun(flags: argparse.Namespace) -> list[Session]:
    path = recording_path()
    if path is None:
        print("replay: the recorded session is not there and is left out", file=sys.stderr)
        return []
    sessions = [rerun(path, condition, flags.recording_minutes) for condition in flags.recording_conditions]
    for session in sessions:
        _tell(session, path.name)
    return sessions


def _tell(session: Session, what: str) -> None:
    """Progress, beside the result."""
    tally = session.tally
    print(
        f"replay: {session.source} {session.condition}, {what}: {tally.keys} keys,"
        f" saved {tally.saved(1):.3f}, shown {tally.shown}, accepted {tally.accepted}, wrong {tally.wrong},"
        f" flicker {len(tally.flickers)}, {session.seconds:.0f} s",
        file=sys.stderr,
        flush=True,
    )


def _study(typed: Sequence[Session], recorded: Sequence[Session]) -> dict[str, Any]:
    """Everything that was answered, for study."""
    return {
        "figures": table.figures(typed, recorded),
        "sessions": [
            {
                "source": session.source,
                "condition": session.condition,
                "flickers": [[each.kind, each.typed, each.old, each.new] for each in session.tally.flickers],
                "refusals": session.refusals,
                "asked": [each.as_json() for each in session.asked],
            }
            for session in (*typed, *recorded)
        ],
    }


def _is_usual(flags: argparse.Namespace) -> bool:
    usual = _flags().parse_args([])
    names = ("seed", "auto_close", "conditions", "recording_conditions", "recording_minutes")
    return all(getattr(flags, name) == getattr(usual, name) for name in names)


def _flags() -> argparse.ArgumentParser:
    flags = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=__doc__)
    flags.add_argument("--quick", action="store_true", help="three packages, one short stretch, no recording")
    flags.add_argument("--packages", type=_words, help="some of the packages, by name")
    flags.add_argument("--keys", type=int, help="typed per package and condition, about")
    flags.add_argument(
        "--conditions", type=_conditions, default=(CONTEXT, NONE), help="context,none or one of them"
    )
    flags.add_argument(
        "--auto-close", choices=("on", "off", "part"), default="part", help="brackets close themselves"
    )
    flags.add_argument("--no-recording", action="store_true", help="leave the recorded session out")
    flags.add_argument("--recording-minutes", type=float, default=RECORDED_MINUTES, help="at most")
    flags.add_argument("--recording-conditions", type=_conditions, default=(CONTEXT,), help="as --conditions")
    flags.add_argument("--seed", type=int, default=1, help="of stretches and rhythm")
    flags.add_argument("--json-out", type=Path, help="every request and its answer, for study")
    return flags


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _conditions(text: str) -> tuple[str, ...]:
    words = _words(text)
    if not {*words} <= {CONTEXT, NONE}:
        raise argparse.ArgumentTypeError(f"{text}: {CONTEXT} and {NONE} are the conditions")
    return words


if __name__ == "__main__":
    main()
