"""FIM formats as data: one row per model family, and how a row is chosen and written out.

Pure text: knows no token ids, no budget and no engine. Sources: the DeepSeek-Coder README (infilling and
repository-level sections) and `engine/builtin/MODEL_CARD.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from engine.api import Segment
from engine.errors import ModelError, NoInfillError

if TYPE_CHECKING:
    from engine.model_folder import ModelFolder


class Order(StrEnum):
    """Which part of the document stands first in the prompt."""

    PSM = "psm"
    SPM = "spm"


class Part(StrEnum):
    """What a piece of a prompt is."""

    MARK = "mark"
    CONTEXT = "context"
    HEADER = "header"
    PREFIX = "prefix"
    SUFFIX = "suffix"


class Piece(NamedTuple):
    """A run of the prompt that is tokenised on its own."""

    text: str
    part: Part


@dataclass(frozen=True, slots=True)
class FimFormat:
    """One model family's way to be asked for the middle."""

    name: str
    orders: tuple[Order, ...]
    """The orders the family was trained on, the best first."""
    bos: str
    begin: str
    hole: str
    end: str
    stops: tuple[str, ...]
    """Marks that end a middle."""
    context_inside_prefix: bool
    """Repository text is the head of the prefix (after `begin`), else it stands before `begin`."""
    header: str
    """Written before each file's text; `{leader}` is the language's comment leader, `{path}` the path."""
    gap: str
    """Written between two files, after the line end of the first."""
    empty_suffix: str
    """Stands in for an empty suffix, which training hardly ever saw."""
    context_length: int
    """Tokens the family was trained to read, prompt and answer together."""
    max_context_tokens: int
    max_prefix_tokens: int
    max_suffix_tokens: int

    @property
    def can_infill(self) -> bool:
        """False for the plain format, which only goes on from left to right."""
        return bool(self.begin)

    @property
    def marks(self) -> tuple[str, ...]:
        """Every mark that occurs in a prompt or ends an answer."""
        return tuple(mark for mark in (self.bos, self.begin, self.hole, self.end, *self.stops) if mark)

    def file_header(self, path: str, leader: str = "#") -> str:
        """The line that names a file, with its line end."""
        return self.header.format(leader=leader, path=path)

    def segment_text(self, segment: Segment, leader: str = "#") -> str:
        """A segment as it stands in a prompt."""
        return self.file_header(segment.path, leader) + segment.text + self.gap


_DEEPSEEK_MARKS = {
    "bos": "<｜begin▁of▁sentence｜>",
    "begin": "<｜fim▁begin｜>",
    "hole": "<｜fim▁hole｜>",
    "end": "<｜fim▁end｜>",
}
_EOS = "<｜end▁of▁sentence｜>"
EOT = "<|EOT|>"

FORMATS: dict[str, FimFormat] = {
    row.name: row
    for row in (
        FimFormat(
            name="deepseek-coder",
            orders=(Order.PSM,),
            **_DEEPSEEK_MARKS,
            stops=(_EOS, EOT),
            context_inside_prefix=True,
            header="{leader} {path}\n",
            gap="\n\n",
            empty_suffix="\n",
            context_length=16384,
            max_context_tokens=8192,
            max_prefix_tokens=4096,
            max_suffix_tokens=1024,
        ),
        FimFormat(
            name="builtin",
            orders=(Order.SPM, Order.PSM),
            **_DEEPSEEK_MARKS,
            stops=(_EOS, EOT),
            context_inside_prefix=False,
            header="#{path}\n",
            gap="",
            empty_suffix="",
            # Trained on windows of at most 8,192 tokens, in the product's prompt form on at most 3,072. It
            # reads a short, targeted context best: of 200 cross-file lines of six packages it wrote 40 right
            # with none, 59 with 256 tokens of ours, 51 with 512, 52 with 1,024.
            context_length=8192,
            max_context_tokens=256,
            max_prefix_tokens=1536,
            max_suffix_tokens=512,
        ),
    )
}

PLAIN = "plain"


def plain_format(bos: str, context_length: int) -> FimFormat:
    """From left to right, for a model that cannot fill in the middle: repository text, then the prefix."""
    return FimFormat(
        name=PLAIN,
        orders=(Order.PSM,),
        bos=bos,
        begin="",
        hole="",
        end="",
        stops=(_EOS, EOT),
        context_inside_prefix=True,
        header="{leader} {path}\n",
        gap="\n\n",
        empty_suffix="",
        context_length=context_length,
        max_context_tokens=8192,
        max_prefix_tokens=4096,
        max_suffix_tokens=0,
    )


def assemble(
    fim: FimFormat,
    order: Order,
    segments: Sequence[Segment],
    path: str | None,
    prefix: str,
    suffix: str,
    leader: str = "#",
) -> list[Piece]:
    """The prompt in pieces: marks, one per segment, the header (none without a path), prefix and suffix.

    The pieces joined are the prompt byte for byte; empty ones are left out. Marks that occur inside the texts
    are not marks: only pieces whose part is MARK may become control tokens.
    """
    if order not in fim.orders:
        raise ModelError(f"{fim.name} was not trained on the order {order}; use {fim.orders[0]}.")
    context = [Piece(fim.segment_text(segment, leader), Part.CONTEXT) for segment in segments]
    header = Piece("" if path is None else fim.file_header(path, leader), Part.HEADER)
    bos, begin, hole, end = (Piece(mark, Part.MARK) for mark in (fim.bos, fim.begin, fim.hole, fim.end))
    head = [begin, *context, header] if fim.context_inside_prefix else [*context, header, begin]
    before, after = Piece(prefix, Part.PREFIX), Piece(suffix or fim.empty_suffix, Part.SUFFIX)
    body = [before, hole, after, end] if order is Order.PSM else [hole, after, end, before]
    return [piece for piece in (bos, *head, *body) if piece.text]


def detect(folder: ModelFolder, wanted: str = "auto") -> FimFormat:
    """The format of a model, by what lies beside it, then architecture and vocabulary, then its name.

    Marks alone decide nothing: the built-in model and DeepSeek-Coder share them. Raises NoInfillError for a
    model that was not trained to fill in the middle, ModelError for an unknown `wanted`.
    """
    if wanted != "auto":
        return _row(wanted)
    named = folder.ghostfill.get("fim")
    if isinstance(named, str):
        return _row(named)
    if _is_instruct(folder):
        raise NoInfillError(
            f"{folder.name} is an instruct model: it was not trained to fill in the middle. "
            "Use the base model of the same family (for example deepseek-coder-6.7b-base)."
        )
    if _is_deepseek_coder(folder):
        return FORMATS["deepseek-coder"]
    raise NoInfillError(
        f"{folder.name} is not known to fill in the middle ({_shape(folder)}). If it does, name its format "
        f"in engine.fimFormat ({', '.join(FORMATS)}); without one it completes only at the end of a file."
    )


def _is_instruct(folder: ModelFolder) -> bool:
    if folder.has_chat_template or _named_token(folder, "eos_token") == EOT:
        return True
    # DeepSeek-Coder's vocabulary, and its id of EOT.
    return folder.config.get("vocab_size") == 32256 and folder.config.get("eos_token_id") == 32021


class Choice(NamedTuple):
    """How a model is prompted."""

    fim: FimFormat
    refusal: str
    """Why the model cannot fill in the middle; empty if it can."""


def choose(folder: ModelFolder, wanted: str = "auto") -> Choice:
    """The detected format, or left-to-right completion and why; raises ModelError as `detect` does."""
    try:
        return Choice(detect(folder, wanted), "")
    except NoInfillError as error:
        length = int(folder.config.get("max_position_embeddings") or 2048)
        return Choice(plain_format(_named_token(folder, "bos_token"), length), str(error))


def _named_token(folder: ModelFolder, key: str) -> str:
    """A token that tokenizer_config.json names (`bos_token`, `eos_token`), plain or as an object; else ''."""
    token = folder.tokenizer_config.get(key)
    if isinstance(token, dict):
        token = token.get("content")
    return token if isinstance(token, str) else ""


def _row(name: str) -> FimFormat:
    try:
        return FORMATS[name]
    except KeyError:
        raise ModelError(f"FIM format {name!r} is unknown; there are: {', '.join(FORMATS)}.") from None


def _is_deepseek_coder(folder: ModelFolder) -> bool:
    """DeepSeek-Coder v1: Llama with a vocabulary of 32,256.

    7b-base-v1.5 is a Llama too, knows the marks and has 102,400 rows, but had no FIM training.
    """
    config = folder.config
    if config.get("architectures") != ["LlamaForCausalLM"]:
        return False
    if config.get("vocab_size") != 32256:
        return False
    return config.get("bos_token_id") == 32013 or "deepseek-coder" in folder.name.lower()


def _shape(folder: ModelFolder) -> str:
    architectures = folder.config.get("architectures") or ["no architecture named"]
    return f"{architectures[0]}, vocabulary of {folder.config.get('vocab_size', 'unknown size')}"
