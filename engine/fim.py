"""Which FIM format a model gets: by what lies beside it, its shape and its name. No weights, no token ids.

Marks alone decide nothing, as families share them and hand them on to models that never saw them used. What a
format is stands in `fim_format`, the rows with their sources in `fim_formats`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.errors import ModelError, NoInfillError
from engine.fim_format import REPOSITORY, FimFormat, Order, Part, Piece, assemble
from engine.fim_formats import EOT, FORMATS, PLAIN, plain_format
from engine.known_models import base_of

if TYPE_CHECKING:
    from engine.model_folder import ModelFolder

__all__ = [
    "EOT",
    "FORMATS",
    "PLAIN",
    "REPOSITORY",
    "Choice",
    "FimFormat",
    "Order",
    "Part",
    "Piece",
    "assemble",
    "choose",
    "detect",
    "is_instruct",
    "parse_format",
    "plain_format",
]


@dataclass(frozen=True, slots=True)
class Family:
    """How the checkpoints of one row are told from others that have the same marks."""

    row: str
    architectures: frozenset[str]
    vocab_sizes: frozenset[int] = frozenset()
    """Rows of the embedding; empty where the name is enough."""
    names: tuple[str, ...] = ()
    """One of these occurs in the model's name, in lower case; empty where the shape is enough."""
    foreign_names: tuple[str, ...] = ()
    """Occur in the names of relatives that were not trained to infill."""
    bos_token_id: int | None = None
    """Tells as much as a name."""
    may_chat: bool = False
    """A chat template is no sign against it: its instruct models infill too, or its base models have one."""

    def has(self, folder: ModelFolder) -> bool:
        """Whether the model is of this family."""
        config, name = folder.config, folder.name.lower()
        return (
            not self.architectures.isdisjoint(config.get("architectures") or ())
            and (not self.vocab_sizes or config.get("vocab_size") in self.vocab_sizes)
            and (not self.names or self._is_named(config, name))
            and not any(part in name for part in self.foreign_names)
        )

    def _is_named(self, config: dict[str, Any], name: str) -> bool:
        has_bos = self.bos_token_id is not None and config.get("bos_token_id") == self.bos_token_id
        return has_bos or any(part in name for part in self.names)


_LLAMA = frozenset({"LlamaForCausalLM"})

FAMILIES = (
    # Version 1 is known by its vocabulary. 7b-base-v1.5 is a Llama too and knows the marks, but has 102,400
    # rows and had no FIM training.
    Family("deepseek-coder", _LLAMA, frozenset({32256}), ("deepseek-coder",), bos_token_id=32013),
    # The general DeepSeek-V2-Lite has the same shape and marks; the name tells base from instruct.
    Family(
        "deepseek-coder-v2",
        frozenset({"DeepseekV2ForCausalLM"}),
        frozenset({102400}),
        ("deepseek-coder-v2-lite-base", "deepseek-coder-v2-base"),
        may_chat=True,
    ),
    # The general Qwen2.5 has the same shape and marks. Instruct: QwenLM/Qwen3-Coder issue 206.
    Family(
        "qwen2.5-coder",
        frozenset({"Qwen2ForCausalLM"}),
        names=("qwen2.5-coder", "qwen2.5_coder"),
        may_chat=True,
    ),
    Family("starcoder2", frozenset({"Starcoder2ForCausalLM"}), frozenset({49152})),
    # 7B and 13B, base and instruct (meta-llama/codellama issue 2). Those for Python and 34B have 32,000 rows;
    # other Llamas with 32,016 were tuned without infilling, and of 70B its authors say yes and no.
    Family(
        "codellama",
        _LLAMA,
        frozenset({32016}),
        ("codellama", "code-llama"),
        ("python", "70b"),
        may_chat=True,
    ),
    # Codestral 22B is one model for both; Mistral 7B has the same shape and marks.
    Family(
        "codestral",
        frozenset({"MistralForCausalLM"}),
        frozenset({32768}),
        ("codestral",),
        may_chat=True,
    ),
    Family(
        "codegemma",
        frozenset({"GemmaForCausalLM"}),
        frozenset({256000}),
        ("codegemma",),
        ("-it",),
        may_chat=True,
    ),
    Family(
        "granite-code",
        frozenset({"LlamaForCausalLM", "GPTBigCodeForCausalLM"}),
        frozenset({49152}),
        ("granite-3b-code", "granite-8b-code", "granite-20b-code", "granite-34b-code"),
    ),
    # ibm-granite/granite-4.0-language-models says it of base and instruct models.
    Family(
        "granite-4",
        frozenset({"GraniteMoeHybridForCausalLM", "GraniteForCausalLM"}),
        names=("granite-4.0",),
        may_chat=True,
    ),
    Family(
        "stable-code",
        frozenset({"StableLmForCausalLM", "StableLMEpochForCausalLM"}),
        names=("stable-code-3b",),
    ),
    # Its tuned versions (sft, dpo) were tuned on infilling.
    Family("mellum", _LLAMA, names=("mellum-4b",), may_chat=True),
)


def parse_format(wanted: str) -> tuple[str, Order | None]:
    """A format's name as settings have it, `row` or `row:order`, and the order if one is named.

    Raises ModelError for an unknown order; the row is not looked up.
    """
    name, colon, order = wanted.partition(":")
    if colon and order not in list(Order):
        raise ModelError(f"FIM order {order!r} of {wanted!r} is unknown; there are: {', '.join(Order)}.")
    return name, Order(order) if colon else None


def detect(folder: ModelFolder, wanted: str = "auto") -> FimFormat:
    """The format of a model, by what lies beside it, then architecture and vocabulary, then its name.

    Raises NoInfillError for a model that is not known to be trained to fill in the middle, ModelError for an
    unknown `wanted`.
    """
    name, _ = parse_format(wanted)
    if name != "auto":
        return _row(name)
    named = folder.ghostfill.get("fim")
    if isinstance(named, str):
        return _row(named)
    family = next((family for family in FAMILIES if family.has(folder)), None)
    if is_instruct(folder) and not (family and family.may_chat):
        base = base_of(folder.name) or "the base model of the same family (deepseek-coder-6.7b-base, say)"
        raise NoInfillError(
            f"{folder.name} is an instruct model: it was not trained to fill in the middle. Name {base} in "
            "'model' to complete code, and this one in 'chat.model' to explain and fix."
        )
    if family is not None:
        return FORMATS[family.row]
    raise NoInfillError(
        f"{folder.name} is not known to fill in the middle ({_shape(folder)}). If it does, name its format "
        f"in engine.fimFormat ({', '.join(FORMATS)}); without one it completes only at the end of a file."
    )


def is_instruct(folder: ModelFolder) -> bool:
    """Whether the model was tuned to answer, as far as its files tell."""
    if folder.has_chat_template or folder.named_token("eos_token") == EOT:
        return True
    # DeepSeek-Coder's vocabulary, and its id of EOT.
    return folder.config.get("vocab_size") == 32256 and folder.config.get("eos_token_id") == 32021


class Choice(NamedTuple):
    """How a model is prompted."""

    fim: FimFormat
    refusal: str
    """Why the model cannot fill in the middle; empty if it can."""
    order: Order


def choose(folder: ModelFolder, wanted: str = "auto") -> Choice:
    """The detected format, or left-to-right completion and why; raises ModelError as `detect` does."""
    try:
        fim = detect(folder, wanted)
    except NoInfillError as error:
        length = int(folder.config.get("max_position_embeddings") or 2048)
        plain = plain_format(folder.named_token("bos_token"), length)
        return Choice(plain, str(error), plain.order)
    _, order = parse_format(wanted)
    if order is not None and not fim.allows(order):
        raise ModelError(f"{fim.name} was not trained on the order {order}; use {fim.order}.")
    return Choice(fim, "", order or fim.order)


def _row(name: str) -> FimFormat:
    try:
        return FORMATS[name]
    except KeyError:
        raise ModelError(f"FIM format {name!r} is unknown; there are: {', '.join(FORMATS)}.") from None


def _shape(folder: ModelFolder) -> str:
    architectures = folder.config.get("architectures") or ["no architecture named"]
    return f"{architectures[0]}, vocabulary of {folder.config.get('vocab_size', 'unknown size')}"
