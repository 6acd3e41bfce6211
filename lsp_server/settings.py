"""What can be set, with its defaults, and the four layers that settings come from.

Later layers win: defaults, the user's file, `initializationOptions`, the client's configuration. The last
may come from the opened repository, so it cannot say where code is sent, what is started or that more is
read; the repository's own `.ghostfill.toml` can only narrow. Knows no LSP type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from lsp_server.settings_layer import NOT_A_KEY, Between, Layer, Problem, build, read_layer

SECTION = "ghostfill"
"""The section of the client's configuration that is ours."""
CLIENT_KEY = "client"
"""In `initializationOptions`, what the client itself can do; not a setting."""
USER_FILE = "ghostfill.toml"
WORKSPACE_FILE = ".ghostfill.toml"
MAX_FILE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Where completions are computed."""

    url: str | None = None
    """Address of a remote engine; null is the local resident one."""
    api: Literal["auto", "ghostfill", "openai", "llamacpp", "ollama"] = "auto"
    """What the server at `engine.url` speaks."""
    api_key_env: str | None = None
    """Name of the environment variable that holds the key."""
    idle_minutes: Annotated[float, Between(0)] = 30.0
    """The local engine leaves after so long without a request."""
    memory_gb: Annotated[float, Between(0.1)] | None = None
    """Most memory that weights and KV cache may take together."""
    fim_format: str = "auto"
    """A row of the table of FIM formats."""
    quantize: Literal["int8"] | None = None
    """How weights are stored in memory."""
    trust_remote_code: bool = False
    """Run Python code that comes with a model."""


@dataclass(frozen=True, slots=True)
class ContextSettings:
    """What of the repository the model sees."""

    enabled: bool = True
    """Show the model other files than the one that is edited."""
    budget_tokens: Annotated[int, Between(256)] | None = None
    """Tokens of prompt and answer together; null is 16384 on a GPU and 4096 on a CPU."""
    deadline_ms: Annotated[int, Between(0, 60_000)] = 50
    """An automatic request waits no longer for context."""
    ceiling_tokens: int | None = field(default=None, metadata=NOT_A_KEY)
    """What `.ghostfill.toml` shrinks the budget to, whatever it is."""

    def total_tokens(self, default: int) -> int:
        """Tokens of prompt and answer, on a device whose default budget is `default`."""
        budget = self.budget_tokens or default
        return budget if self.ceiling_tokens is None else min(budget, self.ceiling_tokens)


@dataclass(frozen=True, slots=True)
class InlineSettings:
    """When completions are offered, and how much text."""

    enabled: bool = True
    """Offer completions at all."""
    debounce_ms: Literal["auto"] | Annotated[int, Between(0, 60_000)] = "auto"
    """Pause in typing before a request; 0 is none, `auto` learns from typing and engine."""
    multiline: Literal["auto", "never", "always"] = "auto"
    """Offer more than one line."""
    max_lines: Annotated[int, Between(1, 1000)] = 12
    """Most lines of one completion."""
    max_tokens: Annotated[int, Between(1, 8192)] = 128
    """Most tokens of one completion."""
    min_confidence: Literal["auto"] | Annotated[float, Between(0, 1)] = "auto"
    """How sure the model must be of a completion's first line for it to be shown unasked; 0 shows all."""
    in_comments: bool = True
    """Offer completions inside comments and strings while typing."""
    speculate: bool = True
    """Compute what comes after the shown completion while the engine is idle."""


@dataclass(frozen=True, slots=True)
class LanguagesSettings:
    """Where completions are offered."""

    disabled: tuple[str, ...] = ()
    """Ids of languages without completions."""


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """What is never read."""

    exclude: tuple[str, ...] = ()
    """Globs of files, beside the built-in list of secrets and .gitignore."""


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """The instruct model behind explain and fix."""

    model: str | None = None
    """A Hugging Face id, a local folder, or a name that the server at `chat.url` lists."""
    url: str | None = None
    """Address of a server that speaks OpenAI's API; null is the engine that completes."""
    api_key_env: str | None = None
    """Name of the environment variable that holds the key for `chat.url`."""


@dataclass(frozen=True, slots=True)
class StatsSettings:
    """What is counted."""

    enabled: bool = True
    """Count completions shown and accepted, in a local file only."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings; frozen, a change of configuration makes new ones."""

    model: str = "builtin"
    """`builtin`, a Hugging Face id or a local folder; with `engine.url` it names the tokenizer."""
    device: str = "auto"
    """`auto`, `cuda`, `cuda:N`, `mps` or `cpu`."""
    dtype: str = "auto"
    """`auto`, `bfloat16`, `float16` or `float32`."""
    engine: EngineSettings = field(default_factory=EngineSettings)
    context: ContextSettings = field(default_factory=ContextSettings)
    inline: InlineSettings = field(default_factory=InlineSettings)
    languages: LanguagesSettings = field(default_factory=LanguagesSettings)
    privacy: PrivacySettings = field(default_factory=PrivacySettings)
    chat: ChatSettings = field(default_factory=ChatSettings)
    stats: StatsSettings = field(default_factory=StatsSettings)


RESTRICTED = ("model", "device", "dtype", "engine", "chat")
"""Keys and sections that only the user may set: they redirect code or start programs."""


def load_settings(
    initialization_options: object, configuration: object, roots: Iterable[Path], file: Path | None = None
) -> tuple[Settings, list[Problem]]:
    """The settings in effect, and what was ignored on the way; never fails.

    `roots` are the workspace's folders; `file` is the user's file, by default the one in the usual place.
    """
    layers = [
        _read_file(file or user_file()),
        _read_client(initialization_options, "initializationOptions"),
        _read_client(configuration, "workspace/configuration"),
    ]
    values = layers[0].values | layers[1].values
    _add_configuration(values, layers[2])
    for root in roots:
        layer = _read_file(root / WORKSPACE_FILE)
        _narrow(values, layer)
        layers.append(layer)
    return build(Settings, values), [problem for layer in layers for problem in layer.problems]


def user_file() -> Path:
    """Where the user's settings are, whether or not the file exists."""
    from platformdirs import user_config_path

    return user_config_path("ghostfill", appauthor=False) / USER_FILE


def _read_client(data: object, source: str) -> Layer:
    if isinstance(data, Mapping) and data.keys() == {SECTION}:
        data = data[SECTION]
    return read_layer(Settings, data, source, is_snake=False, ignore=CLIENT_KEY)


def _read_file(path: Path) -> Layer:
    try:
        if not path.is_file():
            return Layer(str(path))
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        return _unreadable(path, f"cannot be read and is ignored: {error.strerror}.")
    if len(content) > MAX_FILE_BYTES:
        return _unreadable(path, "is too large for settings and is ignored.")
    import tomllib

    try:
        data = tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:
        return _unreadable(path, f"is not valid TOML and is ignored: {error}.")
    return read_layer(Settings, data, str(path), is_snake=True)


def _unreadable(path: Path, text: str) -> Layer:
    layer = Layer(str(path))
    layer.report(text)
    return layer


def _add_configuration(values: dict[str, Any], layer: Layer) -> None:
    """Editors send defaults for what nobody set: only a restricted value that differs is worth a word."""
    before = build(Settings, values)
    ignored = []
    for key, value in layer.values.items():
        if key.partition(".")[0] in RESTRICTED:
            if value not in (_get(before, key), _get(Settings(), key)):
                ignored.append(layer.spellings[key])
        elif key == "privacy.exclude":
            values[key] = _union(_get(before, key), value)
        else:
            values[key] = value
    if ignored:
        layer.report(
            f"{', '.join(sorted(ignored))} ignored, as an opened repository could set it there. Set it in "
            f"{user_file()} or in the editor's global settings, and restart the editor."
        )


def _narrow(values: dict[str, Any], layer: Layer) -> None:
    """Apply a workspace's file: each key only in the direction of less."""
    for key in layer.values.keys() & NARROW.keys():
        at = "context.ceiling_tokens" if key == "context.budget_tokens" else key
        values[at] = NARROW[key](_get(build(Settings, values), at), layer.values[key])
    if ignored := sorted(layer.values.keys() - NARROW.keys()):
        layer.report(f"{', '.join(ignored)} ignored: a repository can only narrow settings.")


def _get(settings: Settings, key: str) -> Any:
    value: Any = settings
    for name in key.split("."):
        value = getattr(value, name)
    return value


def _union(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(old + new))


def _fewer_lines(old: str, new: str) -> str:
    return min(old, new, key=("never", "auto", "always").index)


def _both(old: bool, new: bool) -> bool:
    return old and new


def _lower_ceiling(old: int | None, new: int | None) -> int | None:
    return min((each for each in (old, new) if each is not None), default=None)


NARROW: dict[str, Callable[[Any, Any], Any]] = {
    "context.enabled": _both,
    "context.budget_tokens": _lower_ceiling,
    "context.deadline_ms": min,
    "inline.enabled": _both,
    "inline.multiline": _fewer_lines,
    "inline.max_lines": min,
    "inline.max_tokens": min,
    "inline.in_comments": _both,
    "inline.speculate": _both,
    "languages.disabled": _union,
    "privacy.exclude": _union,
    "stats.enabled": _both,
}
"""What a workspace's file may set: the narrower of the value in effect and its own."""
