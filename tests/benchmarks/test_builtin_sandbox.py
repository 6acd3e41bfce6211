"""A program passes only if it runs to its end in time, and can do little harm meanwhile."""

import socket
import time

import pytest

from benchmarks.builtin_model import sandbox
from benchmarks.builtin_model.sandbox import passes

RIGHT = "def double(x):\n    return 2 * x\n\nassert double(2) == 4\n"


@pytest.fixture(params=["apart", "beside us"])
def _spaces(request, monkeypatch):
    """With a network and process space of its own, where there is one, and without."""
    if request.param == "beside us":
        monkeypatch.setattr(sandbox, "_apart", tuple)


@pytest.mark.usefixtures("_spaces")
@pytest.mark.parametrize(
    ("program", "is_right"),
    [
        pytest.param(RIGHT, True, id="right"),
        pytest.param("import math, re, collections, hashlib\nassert math.sqrt(4) == 2\n", True, id="imports"),
        pytest.param("print('x' * 1000)\n", True, id="prints"),
        pytest.param("print('ends without a line end', end='')\n", True, id="open line"),
        pytest.param(RIGHT.replace("== 4", "== 5"), False, id="wrong"),
        pytest.param("def f(:\n", False, id="no program"),
        pytest.param("import os\nos._exit(0)\n", False, id="leaves early"),
        pytest.param("raise SystemExit(0)\n", False, id="leaves politely"),
        pytest.param("import ctypes\nctypes.string_at(0)\n", False, id="ctypes"),
        pytest.param("x = []\nwhile True:\n    x.append(bytearray(2**24))\n", False, id="memory"),
        pytest.param("while True:\n    print('x' * 2**16)\n", False, id="endless output"),
        pytest.param("while True:\n    pass\n", False, id="endless loop"),
        pytest.param("def f():\n    return f()\nf()\n", False, id="recursion"),
        pytest.param("import os\nos.fork()\n", False, id="forks"),
        pytest.param("import subprocess\nsubprocess.run(['true'])\n", False, id="starts a program"),
        pytest.param("import socket\nsocket.socket()\n", False, id="opens a socket"),
        pytest.param("import os\nassert {*os.environ} <= {'LC_CTYPE'}\n", True, id="environment"),
        pytest.param("import os\nassert os.listdir() == ['out'], os.listdir()\n", True, id="folder"),
    ],
)
def test_what_passes(program, is_right):
    assert passes(program) is is_right


@pytest.mark.usefixtures("_spaces")
def test_a_hang_fails_and_is_ended(monkeypatch):
    monkeypatch.setattr(sandbox, "WALL_SECONDS", 1.0)
    begun = time.monotonic()
    assert not passes("import time\ntime.sleep(60)\n")
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize(
    "action",
    [
        "open({path!r}, 'w').write('x' * 2**24)",
        "import os\nos.open({path!r}, os.O_WRONLY | os.O_CREAT)",
        "import pathlib\npathlib.Path({path!r}).write_text('x')",
        "import os\nos.remove({kept!r})",
        "import shutil\nshutil.rmtree({folder!r})",
        "import os\nos.rename({kept!r}, {path!r})",
        "import os\nos.system('rm ' + {kept!r})",
    ],
)
def test_no_file_is_written_moved_or_removed(tmp_path, action):
    kept, path = tmp_path / "kept.txt", tmp_path / "new.txt"
    kept.write_text("as it was")
    program = action.format(path=str(path), kept=str(kept), folder=str(tmp_path))
    assert not passes(f"{program}\n")
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {"kept.txt": "as it was"}


def test_nothing_is_sent_to_a_listener_on_this_machine(monkeypatch):
    """A program that gets past the refusal finds no network either, where it has a space of its own."""
    if not sandbox._apart():
        pytest.skip("no network spaces here")
    monkeypatch.setattr(sandbox, "_CHILD", sandbox._CHILD.replace("event.startswith(refused)", "False"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        call = f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 1)\n"
        assert not passes(call)
        monkeypatch.setattr(sandbox, "_apart", tuple)
        assert passes(call), "the program itself can call"
