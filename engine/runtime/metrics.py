"""The engine's figures in Prometheus' text format. Knows names and numbers; knows no engine."""

from __future__ import annotations

from collections.abc import Mapping

PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_COUNTERS = {
    "requests": "Completions asked for.",
    "finished": "Completions that ran to their end.",
    "cancelled": "Completions whose client left or asked for a newer one.",
    "errors": "Completions that failed.",
    "prefilled_tokens": "Prompt tokens computed.",
    "reused_tokens": "Prompt tokens found in a slot.",
    "prefill_chunks": "Passes over prompts.",
    "decode_steps": "Passes over answers.",
    "drafted_tokens": "Draft tokens verified.",
    "accepted_tokens": "Draft tokens that were right.",
    "chat_loads": "Chat models loaded, or tried to.",
}
_GAUGES = {
    "slots_in_use": "Slots that hold a sequence.",
    "kv_tokens": "Tokens whose keys and values are held.",
    "kv_tokens_reserved": "Tokens that slots have room for.",
    "kv_tokens_limit": "Tokens that slots may have room for.",
    "chat_models": "Chat models beside the completion model.",
    "chat_slots_in_use": "Slots of the chat model that hold a sequence.",
    "chat_kv_tokens": "Tokens whose keys and values the chat model holds.",
    "chat_kv_tokens_reserved": "Tokens that the chat model's slots have room for.",
    "chat_kv_tokens_limit": "Tokens that the chat model's slots may have room for.",
}


def to_prometheus(figures: Mapping[str, int]) -> str:
    """One metric for each known figure; one that is not there yet is left out."""
    counters = [(f"{name}_total", "counter", text, figures.get(name)) for name, text in _COUNTERS.items()]
    gauges = [(name, "gauge", text, figures.get(name)) for name, text in _GAUGES.items()]
    return "".join(
        f"# HELP ghostfill_{name} {text}\n# TYPE ghostfill_{name} {kind}\nghostfill_{name} {value}\n"
        for name, kind, text, value in [*counters, *gauges]
        if value is not None
    )
