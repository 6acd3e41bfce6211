"""What else there is in a real VS Code: actions in the light bulb, pages at the side, switches.

The real server, engine and built-in model.
"""

from __future__ import annotations

import pytest

from cli_home import Home
from pictures import picture_path
from story import LINE
from vscode_driver import VSCode
from vscode_scene import INLINE, Scene, code_fixture  # noqa: F401  (the fixture)
from vscode_window import Window

LABEL = '''"""Labels for the shelf."""

from inventory import Item, format_price


def label(item: Item) -> str:
    return item.name + " " + format_price(item.unit_price)'''
BROKEN = LABEL[:-1]
SHOWN = LINE.offered[:-1]


@pytest.fixture(scope="module")
def scene(code: VSCode, home: Home) -> Scene:
    return Scene(code, home)


@pytest.fixture(scope="module")
def the_window(scene: Scene) -> Window:
    """The window of all tests, with a ready engine."""
    window = scene.open(width=1200, height=680)
    window.until_status("sparkle", "builtin")
    return window


@pytest.fixture
def window(the_window: Window) -> Window:
    """With nothing at its side."""
    if the_window.page.locator(".editor-group-container").count() > 1:
        the_window.run("View: Close Editors in Other Groups")
    return the_window


class TestLightBulb:
    def test_a_fix_is_shown_as_a_diff_and_applied_when_the_user_says_so(
        self, scene: Scene, window: Window
    ) -> None:
        window.rewrite(BROKEN)
        assert "Fix with ghostfill: syntax error" in scene.light_bulb(window)
        window.choose("Fix with ghostfill")
        window.until("the diff is shown", lambda: window.proposed() == LABEL.split("\n"))
        window.until_toast("Apply the fix to main.py?")
        window.page.screenshot(path=picture_path("vscode-fix.png"))
        window.press_button("Apply")
        window.until_lines(*LABEL.split("\n"))

    def test_a_discarded_fix_changes_nothing(self, scene: Scene, window: Window) -> None:
        window.rewrite(BROKEN)
        scene.light_bulb(window)
        window.choose("Fix with ghostfill")
        window.until("the diff is shown", lambda: window.proposed() == LABEL.split("\n"))
        window.press_button("Discard")
        window.until_lines(*BROKEN.split("\n"))

    def test_a_function_gets_a_docstring(self, scene: Scene, window: Window) -> None:
        window.rewrite(LABEL)
        assert "Document 'label' with ghostfill" in scene.light_bulb(window)
        window.choose("Document 'label'")
        *before, signature, body = LABEL.split("\n")
        window.until("a line is added", lambda: len(window.lines()) == len(LABEL.split("\n")) + 1)
        docstring = window.lines()[-2]
        assert docstring.startswith('    """')
        assert docstring.endswith('."""')
        assert window.lines() == [*before, signature, docstring, body]


class TestAtTheSide:
    def test_an_explanation_with_the_files_that_it_is_made_from(self, scene: Scene, window: Window) -> None:
        window.rewrite(LINE.accepted)
        window.press("Control+Home", *["ArrowDown"] * 7)
        scene.light_bulb(window)
        window.choose("Explain 'report' with ghostfill")
        page = window.until_frame("Print every item with its price.")
        window.until("it is complete", lambda: "inventory.py" in page.inner_text("footer"))
        assert "format_price" in page.inner_text("main")
        window.page.screenshot(path=picture_path("vscode-explain.png"))

    def test_the_context_of_the_next_completion_with_its_files(self, window: Window) -> None:
        window.rewrite(LINE.accepted)
        window.run("Ghostfill: Show Context of the Next Completion")
        page = window.until_frame("The prompt in order")
        assert "inventory.py" in page.inner_text("body")
        window.page.screenshot(path=picture_path("vscode-context.png"))
        window.until_lines(*LINE.accepted.split("\n"))


class TestSwitches:
    def test_toggle_turns_ghost_text_off_and_on(self, scene: Scene, window: Window) -> None:
        window.run("Ghostfill: Turn Completions On or Off")
        window.until_status("circle-slash", "Inline completion is off.")
        self.nothing_is_offered(scene, window)
        window.run("Ghostfill: Turn Completions On or Off")
        window.until_status("sparkle")
        window.rewrite(LINE.text)
        window.type(LINE.typed)
        window.until_ghost_text(SHOWN)

    def test_snooze_ends_when_the_user_says_so(self, scene: Scene, window: Window) -> None:
        window.run("Ghostfill: Snooze Completions...")
        window.pick("5 minutes")
        window.until_status("bell-slash", "snoozed")
        self.nothing_is_offered(scene, window)
        window.run("Ghostfill: Snooze Completions...")
        window.pick("End the snooze")
        window.until_status("sparkle")
        window.rewrite(LINE.text)
        window.type(LINE.typed)
        window.until_ghost_text(SHOWN)

    def test_the_item_in_the_status_bar_opens_a_menu(self, window: Window) -> None:
        window.page.locator(".statusbar-item[id^=ghostfill]").click()
        window.pick("Turn completions on or off for python")
        window.until_status("circle-slash", "off for python")
        window.run("Ghostfill: Turn Completions On or Off for This Language")
        window.until_status("sparkle")

    def nothing_is_offered(self, scene: Scene, window: Window) -> None:
        """Types where else something is offered."""
        window.rewrite(LINE.text)
        num_asked = len(scene.received(INLINE))
        window.type(LINE.typed)
        before = (LINE.text + LINE.typed).rpartition("\n")[2]
        request = window.until("it is asked", lambda: scene.newest_request(before, num_asked))
        window.until("it is answered", lambda: scene.answers(request))
        assert [answer["result"]["items"] for answer in scene.answers(request)] == [[]]
        assert window.ghost_text() == ""
