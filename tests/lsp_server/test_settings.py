"""Settings from four layers: which wins, what each may not say, and what is told when one is wrong."""

from __future__ import annotations

import ast
import inspect
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server import settings as settings_module
from lsp_server.settings import NARROW, Settings, load_settings, user_file
from lsp_server.settings_layer import camel_case, keys_of, snake_case

DEFAULTS = {
    "model": "builtin",
    "device": "auto",
    "dtype": "auto",
    "engine.url": None,
    "engine.api": "auto",
    "engine.apiKeyEnv": None,
    "engine.idleMinutes": 30,
    "engine.memoryGb": None,
    "engine.fimFormat": "auto",
    "engine.quantize": None,
    "engine.trustRemoteCode": False,
    "context.enabled": True,
    "context.budgetTokens": None,
    "context.deadlineMs": 50,
    "inline.enabled": True,
    "inline.debounceMs": "auto",
    "inline.multiline": "auto",
    "inline.maxLines": 12,
    "inline.maxTokens": 128,
    "inline.minConfidence": "auto",
    "inline.inComments": True,
    "inline.speculate": True,
    "languages.disabled": (),
    "privacy.exclude": (),
    "chat.model": None,
    "chat.url": None,
    "chat.apiKeyEnv": None,
    "stats.enabled": True,
}


@pytest.fixture(autouse=True)
def empty_config_home(tmp_path, monkeypatch):
    """The settings of whoever runs the tests do not count."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def value_of(settings, key):
    for name in snake_case(key).split("."):
        settings = getattr(settings, name)
    return settings


def load(options=None, configuration=None, roots=(), file=None):
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
def workspace(tmp_path):
    """Writes the workspace's own file and gives its folder."""

    def write(text):
        (tmp_path / ".ghostfill.toml").write_text(text)
        return tmp_path

    return write


@pytest.fixture
def user(tmp_path):
    """Writes the user's file and gives its path."""

    def write(text):
        (tmp_path / "user.toml").write_text(text)
        return tmp_path / "user.toml"

    return write


# Keys


def test_every_key_has_its_documented_default_and_no_other_key_exists():
    assert {camel_case(key) for key in keys_of(Settings)} == set(DEFAULTS)
    assert {key: value_of(Settings(), key) for key in DEFAULTS} == DEFAULTS
    assert load_well() == Settings()


def test_every_field_says_what_it_is_for():
    tree = ast.parse(inspect.getsource(settings_module))
    bare = [
        each.target.id
        for cls in ast.walk(tree)
        if isinstance(cls, ast.ClassDef)
        for each, after in zip(cls.body, [*cls.body[1:], None], strict=True)
        if isinstance(each, ast.AnnAssign)
        and "Settings" not in ast.unparse(each.annotation)
        and not (isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant))
    ]
    assert bare == []


@pytest.mark.parametrize("key", DEFAULTS)
def test_camel_case_and_snake_case_are_each_others_reverse(key):
    assert camel_case(snake_case(key)) == key


@pytest.mark.parametrize(
    "options",
    [
        {"inline": {"debounceMs": 50}},
        {"inline.debounceMs": 50},
        {"inline": {"debounce_ms": 50}},
        {"inline": {"debounceMs": 50.0}},
        {"ghostfill": {"inline": {"debounceMs": 50}}},
    ],
    ids=["nested", "dotted", "snake_case", "float", "in our section"],
)
def test_a_key_may_be_nested_or_dotted(options):
    assert load_well(options).inline.debounce_ms == 50


# Layers


def test_later_layers_win(user):
    file = user("[inline]\nmax_lines = 1\nmax_tokens = 2\ndebounce_ms = 3\n")

    settings = load_well(
        {"inline": {"maxTokens": 20, "debounceMs": 30}}, {"inline": {"debounceMs": 300}}, file=file
    )

    assert settings.inline.max_lines == 1
    assert settings.inline.max_tokens == 20
    assert settings.inline.debounce_ms == 300


def test_the_user_file_lies_in_the_users_config_folder(tmp_path):
    user_file().parent.mkdir(parents=True)
    user_file().write_text('model = "/models/mine"\n[engine]\nidle_minutes = 5\n')

    assert tmp_path in user_file().parents
    settings = load_well()
    assert (settings.model, settings.engine.idle_minutes) == ("/models/mine", 5.0)


def test_null_means_not_set_where_null_is_no_value():
    settings = load_well({"inline": {"maxLines": 3}}, {"inline": {"maxLines": None}, "privacy": None})

    assert settings.inline.max_lines == 3


def test_an_empty_text_means_none_where_there_is_none():
    assert load_well({"engine": {"url": ""}}).engine.url is None


def test_what_a_client_says_of_itself_is_no_setting():
    assert load_well({"client": {"status": True}}) == Settings()
    assert "unknown setting" in only_problem(None, {"server": {"status": True}})


# What an opened repository may not say


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model", "/tmp/evil"),
        ("device", "cpu"),
        ("dtype", "float32"),
        ("engine.url", "http://evil.example"),
        ("engine.apiKeyEnv", "AWS_SECRET"),
        ("engine.trustRemoteCode", True),
        ("chat.url", "http://evil.example"),
    ],
)
def test_restricted_keys_of_the_configuration_are_ignored_and_told(key, value):
    settings, problems = load(None, {key: value})

    assert settings == Settings()
    assert key in str(problems[0])
    assert load_well({key: value}) != Settings()


def test_all_restricted_keys_make_one_message():
    message = only_problem(None, {"model": "m", "engine": {"url": "u", "quantize": "int8"}})

    assert "engine.quantize, engine.url, model ignored" in message
    assert message.startswith("workspace/configuration: ")


def test_restricted_keys_that_change_nothing_are_not_worth_a_word():
    every_default = {key: list(value) if value == () else value for key, value in DEFAULTS.items()}

    settings = load_well({"model": "mine"}, {**every_default, "engine": {"url": "", "idleMinutes": 30}})

    assert settings.model == "mine"
    assert load_well({"model": "mine"}, {"model": "mine"}).model == "mine"


def test_the_configuration_can_only_add_to_what_is_never_read():
    settings = load_well({"privacy": {"exclude": ["a", "b"]}}, {"privacy": {"exclude": ["b", "c"]}})
    assert settings.privacy.exclude == ("a", "b", "c")

    settings = load_well({"privacy": {"exclude": ["a"]}}, {"privacy": {"exclude": []}})
    assert settings.privacy.exclude == ("a",)


def test_a_workspace_file_narrows(workspace):
    root = workspace(
        """
        [context]
        enabled = false
        budget_tokens = 2048
        deadline_ms = 20
        [inline]
        max_lines = 3
        max_tokens = 32
        multiline = "never"
        in_comments = false
        speculate = false
        [languages]
        disabled = ["markdown"]
        [privacy]
        exclude = ["data/**"]
        [stats]
        enabled = false
        """
    )

    settings = load_well({"languages": {"disabled": ["text"]}}, roots=[root])

    assert not settings.context.enabled
    assert settings.context.total_tokens(16384) == 2048
    assert settings.context.deadline_ms == 20
    assert (settings.inline.max_lines, settings.inline.max_tokens) == (3, 32)
    assert settings.inline.multiline == "never"
    assert settings.inline.in_comments is settings.inline.speculate is settings.stats.enabled is False
    assert settings.languages.disabled == ("text", "markdown")
    assert settings.privacy.exclude == ("data/**",)


def test_a_workspace_file_cannot_widen_what_it_may_narrow(workspace):
    root = workspace(
        """
        [context]
        enabled = true
        budget_tokens = 100000
        deadline_ms = 5000
        [inline]
        enabled = true
        max_lines = 500
        max_tokens = 4096
        multiline = "always"
        in_comments = true
        speculate = true
        [languages]
        disabled = []
        [privacy]
        exclude = []
        [stats]
        enabled = true
        """
    )
    narrow = {
        "context": {"enabled": False, "budgetTokens": 1000, "deadlineMs": 10},
        "inline": {
            "enabled": False,
            "maxLines": 1,
            "maxTokens": 8,
            "multiline": "never",
            "inComments": False,
            "speculate": False,
        },
        "languages": {"disabled": ["c"]},
        "privacy": {"exclude": ["secret"]},
        "stats": {"enabled": False},
    }

    with_file = load_well(narrow, roots=[root])

    without_file = load_well(narrow)
    assert with_file.context.total_tokens(4096) == without_file.context.total_tokens(4096) == 1000
    for key in NARROW:
        assert value_of(with_file, key) == value_of(without_file, key)


def test_a_workspace_budget_never_raises_the_default_of_a_device(workspace):
    context = load_well(roots=[workspace("context.budget_tokens = 8192")]).context

    assert context.total_tokens(4096) == 4096
    assert context.total_tokens(16384) == 8192


@pytest.mark.parametrize("key", sorted(set(map(snake_case, DEFAULTS)) - NARROW.keys()))
def test_a_workspace_file_can_set_nothing_else(workspace, key):
    values = {
        "engine.idle_minutes": 1,
        "engine.memory_gb": 1,
        "engine.quantize": "int8",
        "engine.trust_remote_code": True,
        "engine.api": "openai",
        "inline.debounce_ms": 0,
        "inline.min_confidence": 0,
    }
    root = workspace(f"{key} = {json.dumps(values.get(key, 'x'))}")

    settings, problems = load(roots=[root])

    assert settings == Settings()
    assert f"{key} ignored: a repository can only narrow settings." in str(problems[0])


def test_the_files_of_all_workspace_folders_narrow(tmp_path):
    for name, text in [("a", "inline.max_lines = 5"), ("b", "inline.max_lines = 3"), ("c", "")]:
        (tmp_path / name).mkdir()
        (tmp_path / name / ".ghostfill.toml").write_text(text)

    settings = load_well(roots=[tmp_path / "a", tmp_path / "b", tmp_path / "c", tmp_path / "gone"])

    assert settings.inline.max_lines == 3


# Anything


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
keys = st.sampled_from([*DEFAULTS, "inline", "engine", "client", "ghostfill"]) | st.text(max_size=8)
tables = st.recursive(
    st.dictionaries(keys, json_values, max_size=4),
    lambda inner: st.dictionaries(keys, inner, max_size=2),
    max_leaves=4,
)


@given(tables | json_values, tables | json_values)
def test_no_layer_makes_loading_fail_and_none_of_the_configuration_reaches_restricted_keys(
    options, configuration
):
    settings, problems = load_settings(options, configuration, [])
    without, _ = load_settings(options, None, [])

    assert all(str(problem) for problem in problems)
    for name in ("model", "device", "dtype", "engine", "chat"):
        assert getattr(settings, name) == getattr(without, name)
    assert set(settings.privacy.exclude) >= set(without.privacy.exclude)
