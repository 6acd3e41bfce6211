"""What is told when a layer of settings is wrong; the rest of it applies."""

from __future__ import annotations

from pathlib import Path

import pytest

from lsp_server.settings import Settings, load_settings
from lsp_server.settings_layer import MAX_PROBLEMS

NO_FILE = Path("no such folder/ghostfill.toml")


def load(options=None, configuration=None, roots=(), file=NO_FILE):
    return load_settings(options, configuration, roots, file)


def load_well(*args, **kwargs):
    settings, problems = load(*args, **kwargs)
    assert problems == []
    return settings


def only_problem(*args, **kwargs):
    _, problems = load(*args, **kwargs)
    assert len(problems) == 1
    return str(problems[0])


@pytest.fixture
def user(tmp_path):
    """Writes the user's file and gives its path."""

    def write(text):
        (tmp_path / "user.toml").write_text(text)
        return tmp_path / "user.toml"

    return write


def test_an_unknown_key_is_told_with_the_nearest_and_the_rest_applies(user):
    settings, problems = load({"inline": {"debounce": 50, "maxLines": 3}})
    assert settings.inline.max_lines == 3
    assert [str(problem) for problem in problems] == [
        'initializationOptions: unknown setting "inline.debounce"; did you mean inline.debounceMs?'
    ]

    message = only_problem(file=user("[inline]\ndebounce = 50\n"))
    assert message.endswith("did you mean inline.debounce_ms?")


def test_an_unknown_key_like_no_other_is_told_alone():
    message = only_problem({"zzzzqqqq": {"deep": 1}})

    assert message == 'initializationOptions: unknown setting "zzzzqqqq".'


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("inline.maxLines", "many", "a whole number from 1 to 1000"),
        ("inline.maxLines", 0, "a whole number from 1 to 1000"),
        ("inline.maxLines", 2.5, "a whole number from 1 to 1000"),
        ("inline.maxLines", True, "a whole number from 1 to 1000"),
        ("inline.maxLines", 10**400, "a whole number from 1 to 1000"),
        ("inline.debounceMs", "soon", '"auto" or a whole number from 0 to 60000'),
        ("inline.debounceMs", -1, '"auto" or a whole number from 0 to 60000'),
        ("inline.minConfidence", float("nan"), '"auto" or a number from 0 to 1'),
        ("engine.idleMinutes", float("inf"), "a number of at least 0"),
        ("inline.enabled", 1, "true or false"),
        ("inline.multiline", "sometimes", '"auto" or "never" or "always"'),
        ("model", 5, "a string"),
        ("model", "", "a string"),
        ("engine.url", ["x"], "a string or null"),
        ("languages.disabled", "python", "a list of strings"),
        ("languages.disabled", [1], "a list of strings"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_expected_and_the_default_stays(key, value, expected):
    settings, problems = load({key: value})

    assert settings == Settings()
    assert str(problems[0]).startswith(f"initializationOptions: {key} must be {expected}, not ")


def test_a_wrong_value_leaves_what_earlier_layers_said(user):
    settings, _ = load({"inline": {"maxLines": "x"}}, file=user("inline.max_lines = 2"))

    assert settings.inline.max_lines == 2


def test_a_section_that_is_no_table_is_told():
    assert only_problem({"inline": True}).endswith("inline is a section of settings and cannot be True.")


@pytest.mark.parametrize("data", [[], "text", 5, True])
def test_options_that_are_no_table_are_told(data):
    assert "expected a table of settings" in only_problem(data)


def test_many_problems_of_one_layer_are_summed_up():
    _, problems = load({f"unknown{number}": 1 for number in range(100)})

    assert len(problems) == MAX_PROBLEMS + 1
    assert str(problems[-1]) == "initializationOptions: 95 more keys are wrong."


@pytest.mark.parametrize(
    "content",
    [b"[inline\n", b"\xff\xfe", b"a = " + b"[" * 50_000, b"a = 1\na = 2\n"],
    ids=["no TOML", "no UTF-8", "too deep", "twice"],
)
def test_a_broken_file_is_told_and_the_other_layers_apply(tmp_path, content):
    file = tmp_path / "ghostfill.toml"
    file.write_bytes(content)

    settings, problems = load({"model": "mine"}, file=file)

    assert settings.model == "mine"
    assert str(problems[0]).startswith(f"{file}: is not valid TOML and is ignored: ")


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    file = tmp_path / "ghostfill.toml"
    file.write_bytes(b"#" * (1 << 21))

    assert "too large" in only_problem(file=file)


def test_what_is_no_file_is_not_opened(tmp_path):
    (tmp_path / ".ghostfill.toml").mkdir()

    assert load_well(roots=[tmp_path]) == Settings()


def test_a_huge_number_in_a_file_is_told(user):
    assert only_problem(file=user("inline.max_lines = 0x" + "f" * 5000)).endswith("not a huge number.")
