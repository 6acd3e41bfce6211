"""What a tokenizer.json made from a SentencePiece model needs before texts are encoded piece by piece.

Such a vocabulary writes a space as "▁" and puts one in front of every text. Here it comes off: a prompt's
pieces are encoded on their own and joined, and a format that wants the space says so. Knows no ids.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

SPACE = "▁"
SPACE_BYTES = tuple(f"<0x{byte:02X}>" for byte in SPACE.encode())
"""The byte tokens of a "▁" that stands in a text and means itself."""

_LISTS = ("normalizers", "pretokenizers", "decoders")


def writes_spaces(spec: dict[str, Any]) -> bool:
    """Whether the tokenizer encodes a space as "▁"."""
    nodes = [*_nodes(spec.get("normalizer")), *_nodes(spec.get("pre_tokenizer"))]
    return any(
        node.get("type") == "Metaspace" or (node.get("type") == "Replace" and node.get("content") == SPACE)
        for node in nodes
    )


def without_dummy_space(spec: dict[str, Any]) -> dict[str, Any]:
    """The tokenizer with nothing put in front of a text, nor taken off when it comes back."""
    return spec | {key: _cleared(spec.get(key)) for key in ("normalizer", "pre_tokenizer", "decoder")}


class DummySpace(NamedTuple):
    """The space that the tokenizer as it stands puts in front of a text between two marks."""

    is_everywhere: bool = False
    """Else at most in front of a text that begins with no mark."""
    is_first: bool = False
    doubles: bool = False
    """Also in front of another space."""

    @classmethod
    def of(cls, spec: dict[str, Any]) -> Self:
        """Of a tokenizer.json."""
        for node in (*_nodes(spec.get("normalizer")), *_nodes(spec.get("pre_tokenizer"))):
            if node.get("type") == "Prepend" and node.get("prepend") == SPACE:
                return cls(is_everywhere=True, is_first=True, doubles=True)
            if node.get("type") == "Metaspace":
                old = "always" if node.get("add_prefix_space", True) else "never"
                scheme = node.get("prepend_scheme", old)
                return cls(is_everywhere=scheme == "always", is_first=scheme != "never")
        return cls()

    def before(self, text: str, *, is_first: bool) -> str:
        """The text with its space."""
        is_wanted = text and (self.is_first if is_first else self.is_everywhere)
        return f" {text}" if is_wanted and (self.doubles or text[0] not in (" ", SPACE)) else text


def _nodes(node: Any) -> list[dict[str, Any]]:
    if not isinstance(node, dict):
        return []
    return [node, *(found for key in _LISTS for child in node.get(key) or () for found in _nodes(child))]


def _cleared(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node.get("type") == "Prepend" or (node.get("type") == "Strip" and node.get("content") == " "):
        return None
    if node.get("type") == "Metaspace":
        return node | {"prepend_scheme": "never", "add_prefix_space": False}
    lists = {key: [_cleared(child) for child in node[key]] for key in _LISTS if key in node}
    return node | {key: [child for child in children if child is not None] for key, children in lists.items()}
