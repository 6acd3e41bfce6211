"""Copies of the file at the cursor are no source, whatever they are called; files of its kind are."""

from __future__ import annotations

import os

import pytest

from context import Plan

LINES = [f"    wheel_{number} = turn(wheel_{number}, spoke={number})\n" for number in range(30)]
BODY = (
    "from gear import turn\n\n\ndef ride("
    + ", ".join(f"wheel_{n}" for n in range(30))
    + "):\n"
    + "".join(LINES)
)
ANSWER = "    return the_answer(wheel_7)\n"
GEAR = {"gear.py": "def turn(wheel, spoke): ...\n", "kin/other.py": "def helper(): ...\n"}
SOURCE = """export interface Wheel { spokes: number; rim: string }
export function ride(wheel: Wheel, bell: number): number {
  const turned = turn(wheel, bell)
  const braked = brake(turned, wheel.rim)
  if (braked > bell) {
    reportSpeed(braked)
  }
  const coasting = coast(braked, wheel.spokes)
  const distance = measureDistance(coasting, startingPoint)
  logJourney(distance, finishLine, passengers)
  |
}
"""
BUILT = """"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.ride = ride;
function ride(wheel, bell) {
    const turned = turn(wheel, bell);
    const braked = brake(turned, wheel.rim);
    if (braked > bell) {
        reportSpeed(braked);
    }
    const coasting = coast(braked, wheel.spokes);
    const distance = measureDistance(coasting, startingPoint);
    logJourney(distance, finishLine, passengers);
    return theAnswer(coasting);
}
"""
DECLARED = """export interface Wheel { spokes: number; rim: string }
export declare function ride(wheel: Wheel, bell: number): number;
export declare const theAnswer: number;
"""


def emitted(plan: Plan) -> str:
    return "".join(segment.text + segment.path for segment in plan.segments)


def vendored(*, changed: int = 0, missing: int = 0) -> str:
    """The whole file with the answer, some of its lines in other words, some not there yet."""
    lines = [f"    old_{n} = spin(old_{n})\n" if n < changed else line for n, line in enumerate(LINES)]
    return BODY.replace("".join(LINES), "".join(lines[: len(lines) - missing])) + ANSWER


@pytest.mark.parametrize(
    "copy",
    [vendored(), vendored(changed=2), vendored(missing=1), "x = 1\n" * 3 + vendored() + "y = 2\n" * 300],
    ids=["the same", "a version of it", "an older version", "a bundle"],
)
@pytest.mark.parametrize("name", ["vendor/ride.py", "other_name.py", "a/b/c/copied.py"])
@pytest.mark.parametrize("is_saved", [True, False], ids=["saved", "not saved"])
def test_a_copy_says_nothing(workspace, name: str, copy: str, is_saved: bool) -> None:
    saved = {"ride.py": BODY + ANSWER} if is_saved else {}
    context = workspace.open({**GEAR, **saved, name: copy})

    plan = workspace.plan(context, "ride.py", BODY + "    |\n", 4000)

    assert "answer" not in emitted(plan)
    assert "spoke" in emitted(plan)


def test_an_open_copy_says_nothing(workspace) -> None:
    context = workspace.open(GEAR)
    context.set_open(workspace.root / "notes.py", vendored())

    assert "answer" not in emitted(workspace.plan(context, "ride.py", BODY + "    |\n", 4000))


@pytest.mark.parametrize("name", ["build_of/ride.js", "lib/ride.cjs", "ride.js", "ride.mjs", "types/ride.js"])
def test_what_was_built_of_the_file_says_nothing(workspace, name: str) -> None:
    context = workspace.open({name: BUILT, "kin.ts": "export function brake(a: Wheel, rim: string) {}\n"})

    plan = workspace.plan(context, "ride.ts", SOURCE, 4000)

    assert "theAnswer" not in emitted(plan)
    assert "brake" in emitted(plan)


@pytest.mark.parametrize(
    ("name", "answer"),
    [("ride.d.ts", DECLARED), ("dist/ride.js", BUILT), ("build/esm/ride.js", BUILT), ("ride.min.js", BUILT)],
)
def test_declarations_beside_it_and_build_folders_say_nothing(workspace, name: str, answer: str) -> None:
    context = workspace.open({name: answer, "kin.ts": "export const kin = 1\n"})

    plan = workspace.plan(context, "ride.ts", SOURCE, 4000)

    assert "theAnswer" not in emitted(plan)
    assert "kin.ts" in emitted(plan)


def test_the_source_says_nothing_to_what_was_built_of_it(workspace) -> None:
    answer = SOURCE.replace("|", "return theAnswer(coasting)")
    context = workspace.open({"src/ride.ts": answer, "kin.js": "exports.kin = 1\n"})

    plan = workspace.plan(context, "lib/ride.js", BUILT.replace("return theAnswer(coasting);", "|"), 4000)

    assert "theAnswer" not in emitted(plan)


def test_a_stub_says_nothing_to_its_module(workspace) -> None:
    context = workspace.open({"ride.pyi": "def the_answer() -> int: ...\n", "kin.py": "def kin(): ...\n"})

    plan = workspace.plan(context, "ride.py", "def the_|", 4000)

    assert "answer" not in emitted(plan)
    assert "kin" in emitted(plan)


def test_a_link_to_another_file_is_no_copy_of_this_one(workspace) -> None:
    context = workspace.open(GEAR)
    os.link(workspace.root / "kin" / "other.py", workspace.root / "kin" / "again.py")

    assert "helper" in emitted(workspace.plan(context, "kin/new.py", "|", 4000))


def test_a_file_that_begins_alike_is_a_source(workspace) -> None:
    """Whoever starts a file from another wants to see the other."""
    head = "import gear\nfrom gear import turn\n\n\nclass Rider:\n    def ride(self):\n        turn(self)\n"
    context = workspace.open({**GEAR, "first.py": head + "    def stop(self):\n        brake_hard(self)\n"})

    assert "stop" in emitted(workspace.plan(context, "second.py", head.replace("Rider", "Other") + "    |\n"))


def test_files_of_one_name_and_one_language_are_sources(workspace) -> None:
    """Tables of many languages hold the same names."""
    names = "".join(f"NAME_{number} = 'value {{tag}} {number}'\n" for number in range(30))
    context = workspace.open(
        {f"locale/{tag}/formats.py": names.format(tag=tag) for tag in ("de", "en", "fr")}
    )

    plan = workspace.plan(context, "locale/nl/formats.py", names.format(tag="nl") + "|", 4000)

    assert "value de 7" in emitted(plan)
