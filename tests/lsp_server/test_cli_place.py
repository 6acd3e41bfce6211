"""FILE:LINE:COL means the character that an editor shows there."""

from pathlib import Path

import pytest

from lsp_server.cli.place import Place, PlaceError, parse_place, read_text
from marked import hole

FILE = Path("/f.py")


@pytest.mark.parametrize(
    ("line", "column", "marked"),
    [
        pytest.param(1, 1, "|a\nb\n", id="the first character"),
        pytest.param(1, 2, "a|\nb\n", id="the end of a line"),
        pytest.param(2, 2, "a\nb|", id="the end of the text"),
        pytest.param(3, 1, "a\nb\n|", id="the empty line after the last line end"),
        pytest.param(1, 1, "|", id="an empty file"),
        pytest.param(2, 1, "a\r\n|b", id="after CRLF"),
        pytest.param(1, 2, "a|\r\nb", id="before CRLF"),
        pytest.param(1, 4, "a\u2028b|\n", id="U+2028 ends no line"),
        pytest.param(1, 3, "😋a|b", id="columns are characters"),
    ],
)
def test_a_place_is_one_offset(line: int, column: int, marked: str) -> None:
    expected = hole(marked)

    assert Place(FILE, line, column).offset_in(expected.text) == expected.offset


@pytest.mark.parametrize("place", [(0, 1), (3, 1), (1, 0), (1, 3), (2, 2)])
def test_outside_the_text_there_is_no_place(place: tuple[int, int]) -> None:
    with pytest.raises(PlaceError, match=r"there is no (line|column)"):
        Place(FILE, *place).offset_in("a\n")


def test_a_file_name_may_hold_colons() -> None:
    assert parse_place("a:1:2:3", Path("/cwd")) == Place(Path("/cwd/a:1"), 2, 3)


@pytest.mark.parametrize("written", ["", "a", "a:1", ":1:2", "a:1:x", "a:-1:2", "a:1:2:"])
def test_what_is_no_place_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is not FILE:LINE:COL"):
        parse_place(written, Path("/cwd"))


def test_bytes_that_are_not_utf_8_are_replaced(tmp_path: Path) -> None:
    """The rest of the file can still be completed."""
    file = tmp_path / "latin.py"
    file.write_bytes("name = 'ü'\r\n".encode("latin-1"))

    assert read_text(file) == "name = '\ufffd'\r\n"


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "bom.py"
    file.write_bytes(b"\xef\xbb\xbfa = 1\n")

    assert read_text(file) == "a = 1\n"
