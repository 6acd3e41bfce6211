"""The page of `ghostfill context --html` in a real browser: readable in any width and both colour schemes, by
keyboard and on paper; nothing is loaded, nothing runs, nothing is complained about."""

from __future__ import annotations

import base64
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browser import Browser, browser
from cli_home import Home
from context.imports_around import ImportNode, ImportsAround
from context_reports import report, row
from lsp_server.context_page import context_page
from lsp_server.context_report import Section

NUM_FILES = 16

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

LABELS = """[...document.querySelectorAll('svg.imports g')].map(group => {
  const [box, text] = ['rect', 'text'].map(name => group.querySelector(name).getBoundingClientRect());
  return [box.left, text.left, text.right, box.right, box.top, box.bottom];
})"""

CONTRASTS = """(() => {
  const channels = color => {
    const found = color.match(/[\\d.]+/g).map(Number);
    return color.startsWith('color(') ? found.map((x, i) => i < 3 ? x * 255 : x) : found;
  };
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const box = at.namespaceURI.endsWith('svg') && at.parentElement.querySelector(':scope > rect');
      const color = box ? getComputedStyle(box).fill : getComputedStyle(at).backgroundColor;
      const [r, g, b, alpha = 1] = channels(color);
      if (alpha === 1) return [r, g, b];
    }
  };
  const walker = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest('title')) continue;
    const style = getComputedStyle(element), isSvg = element.namespaceURI.endsWith('svg');
    const [a, b] = [light(channels(isSvg ? style.fill : style.color)), light(behind(element))];
    found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), walker.currentNode.data.trim()]);
  }
  return found;
})()"""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="module")
def page(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command writes for a file that imports many others and is imported by some."""
    folder = tmp_path_factory.mktemp("work")
    package = folder / "shop" / "core"
    package.mkdir(parents=True)
    (folder / "pyproject.toml").write_text("")
    for number in range(NUM_FILES):
        path = package / f"a_module_with_a_rather_long_name_{number}.py"
        path.write_text(f"class Part{number}:\n    def weigh(self) -> float:\n        return {number}.0\n")
    names = "".join(
        f"from shop.core.a_module_with_a_rather_long_name_{number} import Part{number}\n"
        for number in range(NUM_FILES)
    )
    total = "".join(f"    total += Part{number}().weigh()\n" for number in range(NUM_FILES))
    (package / "total.py").write_text(f"{names}\n\ndef total():\n    total = 0\n{total}    return to\n")
    for user in ("api", "cli"):
        (folder / "shop" / f"{user}.py").write_text("from shop.core.total import total\n")
    done = home.run("context", "shop/core/total.py", "--html", "page.html", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "page.html"


@pytest.fixture
def shown(chromium: Browser, page: Path) -> Browser:
    chromium.look()
    chromium.load(page.as_uri())
    return chromium


def test_the_page_loads_nothing_and_nothing_is_complained_about(shown: Browser, page: Path) -> None:
    assert shown.requests() == [page.as_uri()]
    assert shown.complaints() == []
    assert shown.value("document.scripts.length") == 0


def test_it_shows_the_segments_their_budget_and_the_imports(shown: Browser) -> None:
    text = shown.value("document.body.innerText")

    assert "shop/core/total.py:" in text
    assert "No engine is running" in text
    assert "defines Part" in text
    assert shown.value("document.querySelectorAll('.prompt tbody').length") > 3
    assert shown.value("[...document.querySelectorAll('.bar span')].every(e => e.clientWidth > 0)")
    assert shown.value("document.querySelectorAll('svg.imports g').length") == NUM_FILES + 3
    assert shown.value("document.querySelectorAll('svg.imports g.chosen').length") >= 3


@pytest.mark.parametrize("width", [1600, 1200, 700, 360])
def test_nothing_sticks_out_at_any_width(shown: Browser, width: int) -> None:
    shown.look(width=width)

    assert shown.value(OVERFLOW) <= 0
    for left, text_left, text_right, right, top, bottom in shown.value(LABELS):
        assert left <= text_left < text_right <= right
        assert bottom - top >= 18  # what is drawn smaller cannot be read


def test_no_two_boxes_of_the_picture_touch(shown: Browser) -> None:
    boxes = [(left, right, top, bottom) for left, _, _, right, top, bottom in shown.value(LABELS)]
    for number, (left, right, top, bottom) in enumerate(boxes):
        for left2, right2, top2, bottom2 in boxes[:number]:
            assert right < left2 or right2 < left or bottom < top2 or bottom2 < top


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_all_text_has_enough_contrast(shown: Browser, dark: bool) -> None:
    """As WCAG AA asks for."""
    shown.look(dark=dark)
    background = shown.value("getComputedStyle(document.body).backgroundColor")
    contrasts = shown.value(CONTRASTS)

    assert background == ("rgb(20, 23, 28)" if dark else "rgb(245, 246, 248)")
    assert len(contrasts) > 100
    assert [found for found in contrasts if found[0] < 4.5] == []


def test_a_segments_text_opens_by_keyboard(shown: Browser) -> None:
    first = "document.querySelector('.prompt details')"
    assert shown.value(f"{first}.querySelector('pre').checkVisibility()") is False
    shown.value(f"{first}.querySelector('summary').focus()")

    shown.press("Enter")

    assert shown.value(f"{first}.open")
    assert shown.value(f"{first}.querySelector('pre').checkVisibility()")
    shown.press("Tab")
    assert shown.value("document.activeElement.tagName") == "PRE"
    assert shown.value(OVERFLOW) <= 0


def test_it_prints(shown: Browser) -> None:
    pdf = base64.b64decode(shown.call("Page.printToPDF", printBackground=True)["data"])

    assert pdf.startswith(b"%PDF")
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") < 12


# A repository that attacks whoever looks


@pytest.fixture
def listener() -> Iterator[Any]:
    """A server that notes who asks it for something."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = []
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def attack(url: str) -> str:
    return (
        "</script></pre></code></style></title></svg>"
        f"<script>window.hacked = 1; fetch('{url}/script')</script>"
        f"<img src='{url}/image' onerror='window.hacked = 2'><link rel=stylesheet href='{url}/style'>"
        f"<style>@import '{url}/import'; body {{ background: url({url}/background) }}</style>"
        f"<iframe src='{url}/frame'></iframe><svg onload='window.hacked = 3'><image href='{url}/svg'/></svg>"
        f"<meta http-equiv=refresh content='0;url={url}/refresh'><base href='{url}/'>"
        f"\" style=\"background:url({url}/attribute)\" ' onmouseover='window.hacked = 4' x='"
    )


def hostile_page(text: str) -> str:
    nodes = (ImportNode(f"me{text}", 0), ImportNode(f"other{text}", 1))
    return context_page(
        report(
            row(Section.NEAR, text, 5, 150, text=text * 3, reason=text, kind=text),
            file=text,
            root=text,
            model=text,
            notes=(text,),
            imports=ImportsAround(nodes, ((nodes[0].path, nodes[1].path),)),
        )
    )


def test_what_a_repository_says_is_shown_and_never_done(
    chromium: Browser, listener: Any, tmp_path: Path
) -> None:
    text = attack(listener.url)
    page, control = tmp_path / "page.html", tmp_path / "control.html"
    page.write_text(hostile_page(text), encoding="utf-8")
    stays = text.replace("http-equiv=refresh", "")
    control.write_text(f"<!doctype html><body>{stays}", encoding="utf-8")
    chromium.look()
    chromium.load(page.as_uri())

    assert chromium.requests() == [page.as_uri()]
    assert chromium.complaints() == []
    assert chromium.value("window.hacked") is None
    assert chromium.value("document.body.textContent").count(text) >= 8
    assert chromium.value(OVERFLOW) <= 0
    assert listener.asked == []
    chromium.load(control.as_uri())  # the same text does all of it where nobody takes care
    assert listener.asked != []


def test_the_policy_holds_even_where_escaping_would_fail(
    chromium: Browser, listener: Any, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    inside = f"<script>window.hacked = 1</script><img src='{listener.url}/image'></main>"
    page.write_text(context_page(report()).replace("</main>", inside), encoding="utf-8")

    chromium.load(page.as_uri())

    assert chromium.value("document.scripts.length") == 1
    assert chromium.value("window.hacked") is None
    assert listener.asked == []
    blocked = [told for told in chromium.complaints() if "Content Security Policy" in str(told)]
    assert len(blocked) == 2
