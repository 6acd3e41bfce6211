"""One window of VS Code in a browser: what a user sees in it, and the keys they press.

Knows no server and no scene; waits for what is shown, never for a time.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Error, Frame, Page

from pictures import ROOT

KEY_DELAY_MS = 25
REVERT_KEY = "Control+Alt+Shift+R"
KEYS = [{"key": "ctrl+alt+shift+r", "command": "workbench.action.files.revert"}]
"""What the user has bound beside VS Code's own keys: the palette is slow."""
FAILED = ROOT / "build" / "pictures" / "vscode-failed.png"

WATCH = """
window.seen = {status: [], toasts: []};
new MutationObserver(() => {
  for (const item of document.querySelectorAll('.statusbar-item[id^="ghostfill"]')) {
    const icon = item.querySelector('.codicon');
    const status = [
      icon ? [...icon.classList].find(name => name.startsWith('codicon-') && !name.includes('modifier')) : '',
      item.textContent.trim(), item.getAttribute('aria-label') ?? '',
    ];
    if (status.join() !== seen.status.at(-1)?.join()) seen.status.push(status);
  }
  for (const toast of document.querySelectorAll('.notification-toast .notification-list-item-message'))
    if (toast.textContent && !seen.toasts.includes(toast.textContent)) seen.toasts.push(toast.textContent);
}).observe(document, {subtree: true, childList: true, characterData: true, attributes: true});
"""
"""Keeps what was ever shown: some states are shorter than a look from outside."""

LINES = """
[...document.querySelectorAll('EDITOR .lines-content > .view-lines > .view-line')]
  .sort((a, b) => parseFloat(a.style.top) - parseFloat(b.style.top))
  .map(line => {
    const copy = line.cloneNode(true);
    copy.querySelectorAll('[class*=ghost-text]').forEach(ghost => ghost.remove());
    return copy.textContent.replaceAll('\\u00a0', ' ');
  })
"""
EDITOR, PROPOSED = ".editor-instance > .monaco-editor", ".editor-instance .editor.modified > .monaco-editor"

GHOST_TEXT = """
(() => {
  const text = elements => [...elements].map(each => each.textContent.replaceAll('\\u00a0', ' '));
  const inside = text(document.querySelectorAll('.editor-instance [class*=ghost-text-decoration]'));
  const below = [...document.querySelectorAll('.editor-instance .suggest-preview-text .view-line')]
    .sort((a, b) => parseFloat(a.style.top) - parseFloat(b.style.top));
  return [inside.join(''), ...text(below)].join('\\n');
})()
"""

ROWS = "[...document.querySelectorAll('{}')].map(row => row.getAttribute('aria-label') ?? row.textContent)"


class StatusItem(NamedTuple):
    """What the item in the status bar shows: the name of its icon, its text, and what is said of it."""

    icon: str
    text: str
    label: str


class Window:
    """A window with one file open."""

    def __init__(self, page: Page, file: Path) -> None:
        self.page = page
        self.file = file
        page.add_init_script(WATCH)

    def load(self, url: str) -> None:
        """Opens it, and waits for the text of its file."""
        self.page.goto(url, wait_until="domcontentloaded")
        self.until("the file is shown", lambda: any(self.lines()), 60)

    def close(self) -> None:
        """Closes the window; what is unsaved is lost."""
        self.page.context.close()

    def until(self, what: str, is_true: Callable[[], Any], seconds: float = 30.0) -> Any:
        """Waits for something to become true, and gives it."""
        deadline = time.monotonic() + seconds
        while not (value := is_true()):
            if time.monotonic() > deadline:
                FAILED.parent.mkdir(parents=True, exist_ok=True)
                self.page.screenshot(path=FAILED)
                pytest.fail(f"{what}: not within {seconds:.0f} s. {self._state()}\nSee {FAILED}")
            self.page.wait_for_timeout(15)
        return value

    def press(self, *keys: str) -> None:
        """Keys by the browser's names: `Tab`, `Escape`, `Control+ArrowRight`, `Alt+]`."""
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Text as a fast user types it."""
        self.page.keyboard.type(text, delay=KEY_DELAY_MS)

    def run(self, title: str) -> None:
        """Runs a command by its title in the palette."""
        self.press("F1")
        self.page.locator(".quick-input-widget input").wait_for()
        self.page.keyboard.type(title)
        self.until(f"the palette offers {title}", lambda: title in self.quick_picks())
        self.press(*["ArrowDown"] * self.quick_picks().index(title), "Enter")

    def quick_picks(self) -> list[str]:
        """What the list at the top of the window offers, without keys and remarks."""
        return [row.partition(", ")[0] for row in self._rows(".quick-input-widget .monaco-list-row")]

    def pick(self, label: str) -> None:
        """Picks from the list at the top, once it offers this."""
        row = self.page.locator(".quick-input-widget .monaco-list-row", has_text=label).first
        row.click()

    def cursor_line(self) -> int:
        """From 0; -1 where no editor has the focus."""
        where = self.page.locator("[id='status.editor.selection']")
        found = re.search(r"Ln (\d+)", where.inner_text()) if where.count() else None
        return int(found[1]) - 1 if found else -1

    def code_actions(self) -> list[str]:
        """What the light bulb's menu offers at the cursor, where no bulb needs be seen.

        Asks again where VS Code says that there is nothing: it does so while it still looks at an older text,
        whatever the server has answered.
        """
        nothing = self.page.locator(".monaco-editor-overlaymessage", has_text="No code actions")
        offered = ".action-widget .monaco-list-row.action"
        while not self._rows(offered):
            self.press("Control+.")
            self.until("actions are offered", lambda: self._rows(offered) or nothing.count())
            if nothing.count():
                self.press("Escape")
                self.until("the message is gone", lambda: not nothing.count())
        return self._rows(offered)

    def choose(self, action: str) -> None:
        """Chooses one of the actions that are offered."""
        focused = ".action-widget .monaco-list-row.action.focused"
        for _ in self._rows(".action-widget .monaco-list-row.action"):
            if self._rows(focused)[0].startswith(action):
                self.press("Enter")
                return
            self.press("ArrowDown")
        pytest.fail(f"{action} is not offered")

    def rewrite(self, text: str) -> None:
        """The file holds this text now, saved; the cursor is at its end and the editor has the focus."""
        self.file.write_text(text, encoding="utf-8")
        self.press("Control+1")
        self.press(REVERT_KEY)
        self.until_lines(*text.split("\n"))
        self.press("Control+End")

    def lines(self) -> list[str]:
        """The lines of the editor that are in sight, without ghost text."""
        return list(self.page.evaluate(LINES.replace("EDITOR", EDITOR)))

    def proposed(self) -> list[str]:
        """The lines of what a diff proposes."""
        return list(self.page.evaluate(LINES.replace("EDITOR", PROPOSED)))

    def until_lines(self, *lines: str) -> None:
        """Waits until the editor shows exactly these lines."""
        self.until(f"the text is {lines}", lambda: self.lines() == list(lines))

    def until_last_line(self, line: str) -> None:
        """Waits until the last line is this."""
        self.until(f"the last line is {line!r}", lambda: self.lines()[-1] == line)

    def ghost_text(self) -> str:
        """What is offered behind the cursor, as it is drawn: without what already stands there."""
        return str(self.page.evaluate(GHOST_TEXT))

    def until_ghost_text(self, text: str) -> None:
        """Waits until exactly this is offered; an empty text is nothing."""
        self.until(f"the ghost text is {text!r}", lambda: self.ghost_text() == text)

    def statuses(self) -> list[StatusItem]:
        """What the item in the status bar has shown since the window was opened."""
        return [StatusItem(*each) for each in self.page.evaluate("seen.status")]

    def status(self) -> StatusItem:
        """What it shows now."""
        return (self.statuses() or [StatusItem("", "", "")])[-1]

    def until_status(self, icon: str, label: str = "", seconds: float = 120.0) -> StatusItem:
        """Waits until it shows this icon, and says something with `label` in it."""

        def is_shown() -> bool:
            status = self.status()
            return status.icon == f"codicon-{icon}" and label in status.label

        self.until(f"the status is {icon} {label!r}", is_shown, seconds)
        return self.status()

    def toasts(self) -> list[str]:
        """The notifications that were shown."""
        return list(self.page.evaluate("seen.toasts"))

    def until_toast(self, text: str, seconds: float = 30.0) -> str:
        """Waits until a notification with this in it was shown, and gives it."""
        return str(
            self.until(
                f"it is said: {text!r}", lambda: next((t for t in self.toasts() if text in t), ""), seconds
            )
        )

    def press_button(self, name: str) -> None:
        """Presses a button of a notification."""
        self.page.locator(".notification-toast .monaco-button", has_text=name).first.click()

    def until_frame(self, text: str) -> Frame:
        """Waits until a page inside of the window shows this, and gives that page."""

        def find() -> Frame | None:
            return next((frame for frame in self.page.frames[1:] if text in _text_of(frame)), None)

        found = self.until(f"a page shows {text!r}", find)
        assert isinstance(found, Frame)
        return found

    def _rows(self, selector: str) -> list[str]:
        return list(self.page.evaluate(ROWS.format(selector)))

    def _state(self) -> str:
        parts = {"Lines": self.lines(), "Ghost text": self.ghost_text(), "Status": self.statuses()[-4:]}
        return "\n".join(f"{name}: {part}" for name, part in {**parts, "Said": self.toasts()}.items())


def _text_of(frame: Frame) -> str:
    """What a frame shows; nothing while it is being loaded."""
    try:
        return str(frame.evaluate("document.body?.innerText"))
    except Error:
        return ""
