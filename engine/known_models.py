"""Models that fill in the middle or answer, as facts, and which fits a device. No torch, files or network.

Knows numbers alone: what a device has is told to it. Shapes are those of the models' config.json files;
parameters are counted, not rounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

GPU_TOKENS, CPU_TOKENS = 16_384, 4_096
"""Default budgets: so many tokens of keys and values must fit beside the weights."""
SLACK = 1.1
"""Activations, buffers and what an allocator leaves unused."""
INT8_BYTES = 1.05
"""Per parameter: a byte, its share of a row's scale, and what stays in bfloat16."""
MIN_TOKENS_PER_SECOND = 5.0
"""A CPU that decodes slower is no help to somebody who types."""
MIN_CONTEXT = 8_192
"""A model that reads less has no room for a repository beside the file, and is not offered."""
EFFICIENCY = 0.75
"""Of the memory's bandwidth, what decoding reaches."""


@dataclass(frozen=True, slots=True)
class KnownModel:
    """One model's size and terms."""

    name: str
    """Its id on the hub."""
    parameters: int
    read_parameters: int
    """Of them, what one decoded token reads: not the input embedding, nor the experts that are not asked."""
    layers: int
    kv_numbers: int
    """Kept of one token by one layer: keys and values of all KV heads, or a latent that stands for both."""
    context_length: int
    licence: str
    """One word; look it up before you use the model at work."""
    fim_format: str
    """Its row in the table of FIM formats; empty for an instruct model."""
    has_experts: bool = False
    is_llama: bool = True
    """Built like Llama: int8 is for such models."""

    @property
    def kv_bytes_per_token(self) -> int:
        """What a token keeps in bfloat16, over all layers."""
        return 2 * self.layers * self.kv_numbers

    @property
    def weight_bytes(self) -> int:
        """All weights in bfloat16."""
        return 2 * self.parameters


@dataclass(frozen=True, slots=True)
class Room:
    """What a device offers to a model."""

    kind: str
    """`cuda`, `mps` or `cpu`."""
    memory_bytes: int
    """That a model may take."""
    bandwidth: float | None = None
    """Of memory, bytes a second; asked for on a CPU alone."""
    number_bytes: int = 2
    """Of a weight that is not quantised: 4 on a CPU without bfloat16."""

    @property
    def num_tokens(self) -> int:
        """The default budget here."""
        return CPU_TOKENS if self.kind == "cpu" else GPU_TOKENS

    @property
    def loading_bytes(self) -> int:
        """What loading may take for a moment: weights come before they are quantised."""
        return 3 * self.memory_bytes // 2 if self.kind == "cpu" else self.memory_bytes


@dataclass(frozen=True, slots=True)
class Fit:
    """What a model takes in a room."""

    model: KnownModel
    quantize: str | None
    weight_bytes: float
    kv_bytes: float
    number_bytes: int
    """Of a weight that is not quantised."""
    tokens_per_second: float | None
    """At best, with the budget full; None where it need not be feared."""

    @property
    def num_bytes(self) -> int:
        """All that it takes."""
        return int(SLACK * (self.weight_bytes + self.kv_bytes))

    def fits(self, room: Room) -> bool:
        """Whether it can be loaded and used there."""
        is_loadable = self.number_bytes * self.model.parameters <= room.loading_bytes
        return is_loadable and SLACK * (self.weight_bytes + self.kv_bytes) <= room.memory_bytes


def largest_fit(room: Room, quantize: str | None = None) -> Fit | None:
    """The known model with the most parameters that fits and is fast enough; None if none does."""
    return _largest(KNOWN_MODELS, room, quantize)


def largest_instruct(room: Room, quantize: str | None = None) -> Fit | None:
    """The same of instruct models; `room` is what the completion model leaves."""
    return _largest(INSTRUCT_MODELS, room, quantize)


def fit_of(model: KnownModel, room: Room, quantize: str | None = None) -> Fit:
    """What one model takes there, whether it fits or not."""
    per_parameter = INT8_BYTES if quantize == "int8" else float(room.number_bytes)
    # On a CPU slots may keep float32, which one query reads faster than bfloat16.
    per_token = model.kv_bytes_per_token * (2 if room.kind == "cpu" else 1)
    kv = float(per_token * min(room.num_tokens, model.context_length))
    read = model.read_parameters * per_parameter + kv
    speed = None if room.bandwidth is None else EFFICIENCY * room.bandwidth / read
    return Fit(model, quantize, model.parameters * per_parameter, kv, room.number_bytes, speed)


def _largest(models: Iterable[KnownModel], room: Room, quantize: str | None) -> Fit | None:
    fits = [fit for fit in _offered(models, room, quantize) if fit.fits(room) and _is_fast(fit)]
    return max(fits, key=lambda fit: fit.model.parameters, default=None)


def _offered(models: Iterable[KnownModel], room: Room, quantize: str | None) -> Iterator[Fit]:
    for model in models:
        if model.context_length < MIN_CONTEXT or (quantize and not model.is_llama):
            continue
        if model.has_experts and room.kind == "cpu":
            continue  # one by one they are slow there, whatever little they read
        yield fit_of(model, room, quantize)


def _is_fast(fit: Fit) -> bool:
    return fit.tokens_per_second is None or fit.tokens_per_second >= MIN_TOKENS_PER_SECOND


def _heads(kv_heads: int, head_dim: int = 128) -> int:
    return 2 * kv_heads * head_dim


Row = tuple[str, int, int, int, int]
"""Size as in the name, parameters, those that a token reads, layers, numbers a layer keeps of a token."""


def _family(
    name: str, licence: str, fim: str, context_length: int, *rows: Row, is_llama: bool = True
) -> tuple[KnownModel, ...]:
    return tuple(
        KnownModel(
            name.format(size), number, read, layers, kept, context_length, licence, fim, is_llama=is_llama
        )
        for size, number, read, layers, kept in rows
    )


KNOWN_MODELS: tuple[KnownModel, ...] = (
    *_family(
        "deepseek-ai/deepseek-coder-{}-base",
        "deepseek",
        "deepseek-coder",
        16_384,
        ("1.3b", 1_346_471_936, 1_280_411_648, 24, _heads(16)),
        ("5.7bmqa", 5_700_325_376, 5_568_204_800, 32, _heads(1)),
        ("6.7b", 6_740_512_768, 6_608_392_192, 32, _heads(32)),
        ("33b", 33_342_991_360, 33_111_780_352, 62, _heads(8)),
    ),
    KnownModel(
        "deepseek-ai/DeepSeek-Coder-V2-Lite-Base",
        parameters=15_706_484_224,
        read_parameters=2_451_435_008,
        layers=27,
        kv_numbers=512 + 64,  # its latent, and the part of the keys that turns with the position
        context_length=163_840,
        licence="deepseek",
        fim_format="deepseek-coder-v2",
        has_experts=True,
        is_llama=False,
    ),
    *_family(
        "Qwen/Qwen2.5-Coder-{}",
        "apache-2.0",
        "qwen2.5-coder",
        32_768,
        ("0.5B", 494_032_768, 494_032_768, 24, _heads(2, 64)),
        ("1.5B", 1_543_714_304, 1_543_714_304, 28, _heads(2)),
        ("7B", 7_615_616_512, 7_070_619_136, 28, _heads(4)),
        ("14B", 14_770_033_664, 13_991_465_984, 48, _heads(8)),
        ("32B", 32_763_876_352, 31_985_308_672, 64, _heads(8)),
    ),
    *_family(
        "Qwen/Qwen2.5-Coder-{}",
        "non-commercial",
        "qwen2.5-coder",
        32_768,
        ("3B", 3_085_938_688, 3_085_938_688, 36, _heads(2)),
    ),
    *_family(
        "bigcode/starcoder2-{}",
        "openrail-m",
        "starcoder2",
        16_384,
        ("3b", 3_030_371_328, 3_030_371_328, 30, _heads(2)),
        ("7b", 7_173_923_840, 7_173_923_840, 32, _heads(4)),
        ("15b", 15_957_889_024, 15_655_899_136, 40, _heads(4)),
        is_llama=False,
    ),
    *_family(
        "google/codegemma-{}",
        "gemma",
        "codegemma",
        8_192,
        ("2b", 2_506_172_416, 2_506_172_416, 18, _heads(1, 256)),
        ("7b", 8_537_680_896, 8_537_680_896, 28, _heads(16, 256)),
        is_llama=False,
    ),
    *_family(
        "ibm-granite/granite-{}",
        "apache-2.0",
        "granite-code",
        2_048,
        ("3b-code-base-2k", 3_482_503_680, 3_482_503_680, 32, _heads(32, 80)),
    ),
    *_family(
        "ibm-granite/granite-{}",
        "apache-2.0",
        "granite-code",
        4_096,
        ("8b-code-base-4k", 8_054_910_976, 8_054_910_976, 36, _heads(8)),
    ),
    *_family(
        "stabilityai/stable-code-{}",
        "stabilityai",
        "stable-code",
        16_384,
        ("3b", 2_795_443_200, 2_666_664_960, 32, _heads(32, 80)),
        is_llama=False,
    ),
    *_family(
        "JetBrains/Mellum-{}-base",
        "apache-2.0",
        "mellum",
        8_192,
        ("4b", 4_019_248_128, 3_717_258_240, 30, _heads(24)),
    ),
    *_family(
        "codellama/CodeLlama-{}-hf",
        "llama2",
        "codellama",
        16_384,
        ("7b", 6_738_546_688, 6_607_409_152, 32, _heads(32)),
        ("13b", 13_016_028_160, 12_852_106_240, 40, _heads(40)),
    ),
    *_family(
        "mistralai/Codestral-{}-v0.1",
        "non-production",
        "codestral",
        32_768,
        ("22B", 22_247_282_688, 22_045_956_096, 56, _heads(8)),
    ),
)

_INSTRUCT_NAMES = {
    **{
        f"deepseek-ai/deepseek-coder-{size}-base": f"deepseek-ai/deepseek-coder-{size}-instruct"
        for size in ("1.3b", "6.7b", "33b")
    },
    "deepseek-ai/DeepSeek-Coder-V2-Lite-Base": "deepseek-ai/DeepSeek-Coder-V2-Lite-Instruct",
    **{
        f"Qwen/Qwen2.5-Coder-{size}": f"Qwen/Qwen2.5-Coder-{size}-Instruct"
        for size in ("0.5B", "1.5B", "3B", "7B", "14B", "32B")
    },
    "bigcode/starcoder2-15b": "bigcode/starcoder2-15b-instruct-v0.1",
    "google/codegemma-7b": "google/codegemma-7b-it",
    **{f"codellama/CodeLlama-{size}-hf": f"codellama/CodeLlama-{size}-Instruct-hf" for size in ("7b", "13b")},
}
"""Of base models: what their authors tuned to answer, in the same shape."""

INSTRUCT_MODELS: tuple[KnownModel, ...] = tuple(
    replace(model, name=_INSTRUCT_NAMES[model.name], fim_format="")
    for model in KNOWN_MODELS
    if model.name in _INSTRUCT_NAMES
)


def instruct_of(name: str) -> str:
    """The instruct model of a base model; empty if none is known."""
    return _INSTRUCT_NAMES.get(name, "")


def base_of(name: str) -> str:
    """The base model of an instruct model; empty if none is known."""
    return next((base for base, instruct in _INSTRUCT_NAMES.items() if instruct == name), "")
