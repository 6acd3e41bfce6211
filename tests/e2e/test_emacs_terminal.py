"""A user's first hour with ghostfill in a real Emacs in a terminal: the real server, the built-in model."""

from __future__ import annotations

import os
import signal

from cli_home import Home
from emacs_scene import ENGINE_START_S, Open, installed_fixture, open_scene_fixture  # noqa: F401  (the fixtures)
from story import BLOCK, HEAD, LINE

BROKEN = HEAD + "    for item in inventory.items:\n        print(item.name\n"


def test_from_the_start_of_the_engine_to_an_accepted_line(open_scene: Open, home: Home) -> None:
    """The state is in the mode line; the text uses names of another file; TAB keeps it."""
    home.end_engines()
    desk = open_scene(LINE)
    desk.until_state(r"loading builtin \d+%", 60)
    desk.until_offered(LINE, ENGINE_START_S)
    desk.until_state("ready")
    desk.until_cursor(LINE.text + LINE.typed)
    desk.terminal.press("Tab")
    assert desk.saved() == LINE.accepted + "\n"  # Emacs' own habit when it saves Python
    desk.terminal.press("C-_", "C-_")
    desk.until_text(LINE.text + LINE.typed)


def test_words_and_lines_of_a_block(open_scene: Open) -> None:
    """Several lines are shown behind the cursor, taken piece by piece, and stay where they were."""
    desk = open_scene(BLOCK, rows=16)
    desk.until_offered(BLOCK)
    desk.until_state("ready")
    desk.until_cursor(BLOCK.text + BLOCK.typed)
    desk.until_state("ready")
    desk.picture("emacs.svg", "Emacs")
    first = BLOCK.offered.split("\n")[0]
    desk.terminal.press("M-f")
    desk.until_cursor(BLOCK.text + BLOCK.typed + " inventory")
    desk.until_text(BLOCK.accepted)
    desk.terminal.press("C-e")
    desk.until_cursor(BLOCK.text + BLOCK.typed + first)
    desk.until_text(BLOCK.accepted)
    desk.terminal.press("M-Down")
    desk.until_cursor(BLOCK.accepted)
    assert desk.saved() == BLOCK.accepted + "\n"


def test_typing_on_dismissing_and_asking(open_scene: Open) -> None:
    """What fits is typed through, what does not is gone; C-g hides it, and a command asks again."""
    desk = open_scene(LINE)
    desk.until_offered(LINE)
    desk.terminal.type("price(")
    desk.until_cursor(LINE.text + LINE.typed + "price(")
    desk.until_text(LINE.accepted)
    desk.terminal.press("C-g")
    desk.until_text(LINE.text + LINE.typed + "price(")
    desk.command("\\")
    desk.until_text(LINE.accepted)
    desk.terminal.type("x")
    desk.terminal.until("the old offer is gone", lambda: "price(item.unit" not in "\n".join(desk.text()))


def test_other_completions(open_scene: Open) -> None:
    desk = open_scene(LINE)
    desk.until_offered(LINE)
    desk.terminal.press("M-n")
    desk.until_state(r"ready 2/\d")
    other = desk.text()
    desk.terminal.press("M-p")
    desk.until_state(r"ready 1/\d")
    desk.until_text(LINE.accepted)
    assert other != desk.text()


def test_switches(open_scene: Open) -> None:
    """Off is off: in the mode line, in words, and on the screen; on brings the text back."""
    desk = open_scene(LINE)
    desk.until_offered(LINE)
    for keys, state in ((["t"], "off"), (["l"], "off")):
        desk.command(*keys)
        desk.until_state(state)
        desk.until_text(LINE.text + LINE.typed)
        desk.command(*keys)
        desk.until_text(LINE.accepted)
    desk.command("z")
    desk.until_state("snoozed")
    desk.terminal.until_shown("snoozed for 5 minutes")
    desk.until_text(LINE.text + LINE.typed)
    desk.terminal.press("C-u", "0")
    desk.command("z")
    desk.until_text(LINE.accepted)


def test_the_engine_may_die(open_scene: Open, home: Home) -> None:
    """It is started again, the mode line says so, and what is typed then is completed."""
    desk = open_scene(LINE)
    desk.until_offered(LINE)
    pids = home.engine_pids()
    assert len(pids) == 1
    os.kill(pids[0], signal.SIGKILL)
    desk.terminal.press("C-a", "C-k")
    typed = "        print(item.quantity, form"
    desk.terminal.type(typed)
    desk.until_state(r"(loading builtin \d+%|busy|error|warning)")
    desk.terminal.until("another engine runs", lambda: home.engine_pids() not in ([], pids), ENGINE_START_S)
    desk.command("\\")  # unasked, a cold engine on a busy machine may be too late with its first answer
    desk.terminal.until("ghost text is shown", lambda: len(desk.text()[10]) > len(typed), ENGINE_START_S)


def test_the_context_is_a_report(open_scene: Open) -> None:
    desk = open_scene(LINE, rows=30)
    desk.until_state("ready", ENGINE_START_S)
    desk.terminal.type(LINE.typed)
    desk.command("x")
    desk.terminal.until_shown("open as a page")
    desk.terminal.until_shown("inventory.py")
    assert any("tokens  cached" in row for row in desk.terminal.screen())
    desk.picture("emacs-context.svg", "Emacs: what the model would see")
    desk.terminal.press("q")
    desk.terminal.until("it is gone", lambda: "open as a page" not in "\n".join(desk.terminal.screen()))


def test_an_explanation_comes_into_a_buffer_of_its_own(open_scene: Open) -> None:
    desk = open_scene(LINE, rows=34)
    desk.until_state("ready")
    desk.terminal.press("C-p")
    desk.command("e")
    desk.terminal.until_shown("*ghostfill explain*")
    desk.terminal.until(
        "it is all there",
        lambda: (
            "The model reads" not in "\n".join(desk.terminal.screen())
            and "report" in said(desk.terminal.screen())
        ),
        120,
    )
    desk.picture("emacs-explain.svg", "Emacs: explain")
    desk.terminal.press("q")
    desk.terminal.until("it is gone", lambda: "*ghostfill explain*" not in "\n".join(desk.terminal.screen()))


def test_a_fix_is_looked_at_first(open_scene: Open) -> None:
    desk = open_scene(BROKEN, rows=34)
    desk.until_state("ready")
    desk.terminal.press("C-p")
    desk.command("f")
    desk.terminal.until_shown("Apply? (y or n)", 60)
    assert any(row.startswith("-        print(item.name") for row in desk.terminal.screen())
    desk.terminal.press("y")
    desk.terminal.until_shown("one undo takes it back")
    fixed = desk.saved()
    compile(fixed, "main.py", "exec")
    desk.terminal.press("C-_")
    desk.until_text(BROKEN)


def test_a_docstring_is_written(open_scene: Open) -> None:
    text = HEAD.replace('    """Print every item with its price."""\n', "") + "    print(inventory)\n"
    desk = open_scene(text)
    desk.until_state("ready")
    desk.terminal.press("C-p", "C-p")
    desk.command("d")
    desk.terminal.until_shown("one undo takes it back", 60)
    documented = desk.saved()
    assert '"""' in documented.partition("def report")[2]
    assert documented.endswith("    print(inventory)\n")
    desk.terminal.press("C-_")
    desk.until_text(text)


def test_the_doctor_and_the_status(open_scene: Open) -> None:
    desk = open_scene(LINE, rows=40, columns=160)
    desk.until_state("ready")
    desk.command("?")
    desk.terminal.until_shown(": builtin on cpu (workspace ")
    desk.terminal.press("M-x")
    desk.terminal.type("ghostfill-doctor\r")
    desk.terminal.until_shown("*ghostfill doctor*")
    desk.terminal.until_shown("1 buffer(s)")

    def is_over() -> bool:
        desk.terminal.press("M->")
        return any('"ghostfill doctor" ended with status' in row for row in desk.terminal.screen())

    desk.terminal.until("the program's own doctor has said all", is_over, 120)


def said(screen: list[str]) -> str:
    """The rows below the first mode line."""
    at = next((at for at, row in enumerate(screen) if row.startswith("-UU")), 0)
    return "\n".join(screen[at + 1 :])
