"""Real configurations to run on random weights, and how long their prompts are. Plain values; no torch."""

from __future__ import annotations

from dataclasses import dataclass

BUILTIN = "builtin"


@dataclass(frozen=True, slots=True)
class Config:
    """A Llama by its sizes."""

    name: str
    layers: int
    hidden: int
    ffn: int
    heads: int
    kv_heads: int
    head_dim: int = 128
    vocab: int = 32256
    """Padded, as DeepSeek-Coder's is."""
    warm_tokens: int = 4096
    """Of prompt and answer, for keys and decoding."""
    cold_tokens: int = 16384
    suffix_tokens: int = 512
    """Behind the cursor, for a layout that reads them again at each key."""

    @property
    def matrix_parameters(self) -> int:
        """Weights that every token is multiplied with, the vocabulary head left out."""
        attention = 2 * self.hidden * (self.heads + self.kv_heads) * self.head_dim
        return self.layers * (attention + 3 * self.hidden * self.ffn)


CONFIGS = {
    config.name: config
    for config in (
        Config("deepseek-1.3b", 24, 2048, 5504, 16, 16),
        Config("deepseek-5.7bmqa", 32, 4096, 11008, 32, 1),
        Config("deepseek-6.7b", 32, 4096, 11008, 32, 32),
        Config("deepseek-33b", 62, 7168, 19200, 56, 8),
        Config("tiny", 2, 64, 128, 4, 2, 16, 512, 160, 384, 32),
    )
}
