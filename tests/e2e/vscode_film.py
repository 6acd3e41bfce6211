"""A moving picture of a window: what a part of it shows, frame by frame. Knows no editor."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page

NUM_COLOURS = 128


class Film:
    """Takes frames of a part of a page."""

    def __init__(self, page: Page, area: Any) -> None:
        self._page = page
        self._area = area
        self._frames: list[Image.Image] = []
        self._times_ms: list[int] = []

    def take(self, milliseconds: int) -> None:
        """One frame, shown for so long."""
        frame = self._page.screenshot(clip=self._area)
        self._frames.append(Image.open(io.BytesIO(frame)).convert("RGB"))
        self._times_ms.append(milliseconds)

    def write(self, path: Path) -> None:
        """A GIF that goes on for ever; all frames share their colours."""
        width, height = self._frames[0].size
        sheet = Image.new("RGB", (width, height * len(self._frames)))
        for number, frame in enumerate(self._frames):
            sheet.paste(frame, (0, height * number))
        colours = sheet.quantize(NUM_COLOURS)
        frames = [frame.quantize(palette=colours, dither=Image.Dither.NONE) for frame in self._frames]
        frames[0].save(
            path, save_all=True, append_images=frames[1:], duration=self._times_ms, loop=0, optimize=False
        )
