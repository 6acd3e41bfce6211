"""Pages are private, one per document, and do not pile up."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from lsp_server.page_store import MAX_PAGES, PageError, keep_page


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "ghostfill" / "context"


def test_a_page_is_for_its_user_alone(state: Path) -> None:
    old_mask = os.umask(0)
    try:
        page = keep_page("<p>é</p>", "file:///a.py", "a.py")
    finally:
        os.umask(old_mask)

    assert page.read_text(encoding="utf-8") == "<p>é</p>"
    assert page.parent == state
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) & 0o077 == 0


def test_the_page_of_a_document_is_replaced_and_others_stay() -> None:
    first = keep_page("1", "file:///x/a.py", "a.py")
    other = keep_page("2", "file:///y/a.py", "a.py")

    assert keep_page("3", "file:///x/a.py", "a.py") == first
    assert (first.read_text(), other.read_text()) == ("3", "2")
    assert sorted(first.parent.iterdir()) == sorted((first, other))


def test_the_oldest_pages_go() -> None:
    pages = []
    for number in range(MAX_PAGES + 3):
        pages.append(keep_page("x", f"file:///{number}.py", "a.py"))
        os.utime(pages[-1], (number, number))

    keep_page("x", "file:///new.py", "new.py")

    left = set(pages[0].parent.iterdir())
    assert len(left) == MAX_PAGES
    assert set(pages) & left == set(pages[-MAX_PAGES + 1 :])


@pytest.mark.parametrize("name", ["../../x", "a/b\\c", "\0", "", ".", "x" * 500, "🦀", "a b<c>.py", "\udcff"])
def test_any_name_makes_a_file_of_that_folder(name: str, state: Path) -> None:
    page = keep_page("x", f"file:///{name}", name)

    assert page.parent == state
    assert page.read_text() == "x"
    assert page.suffix == ".html"
    assert page.as_uri().isascii()


def test_a_link_that_lies_in_the_way_is_replaced_not_followed(state: Path, tmp_path: Path) -> None:
    page = keep_page("1", "file:///a.py", "a.py")
    precious = tmp_path / "precious"
    precious.write_text("mine")
    page.unlink()
    page.symlink_to(precious)

    keep_page("2", "file:///a.py", "a.py")

    assert precious.read_text() == "mine"
    assert page.read_text() == "2"


def test_what_cannot_be_written_is_said_with_its_path(state: Path) -> None:
    page = keep_page("1", "file:///a.py", "a.py")
    page.unlink()
    page.mkdir()

    with pytest.raises(PageError, match=r"a\.py\.html cannot be written: "):
        keep_page("2", "file:///a.py", "a.py")
