"""The body of `POST /v1/completions`, read and written: OpenAI's shape plus the object `ghostfill`.

Knows the shape of JSON and the loaded model's prompt form; runs nothing.
"""

from __future__ import annotations

import time
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from engine.api import (
    MAX_DRAFT_CHARS,
    MAX_DRAFTS,
    Completion,
    CompletionRequest,
    FinishReason,
    Priority,
    Shape,
    StopRules,
    TextPiece,
    scores_to_json,
)
from engine.errors import NoInfillError
from engine.fim import Part, Piece, assemble
from engine.runtime.json_body import (
    BadRequestError,
    choice,
    integer,
    is_texts,
    object_of,
    read_object,
    stop_strings,
    typed,
)

if TYPE_CHECKING:
    from engine.runtime.resident import ResidentModel

OPENAI_REASON = {FinishReason.EOS: "stop", FinishReason.STOP: "stop"}
MAX_TOKENS = 4096
MAX_ANSWERS = 4
MAX_HEAL = 1000
"""Characters: a line is cut at its last boundary, so it is a word in practice."""


def parse_completion(body: bytes, resident: ResidentModel) -> tuple[CompletionRequest, bool]:
    """The request and whether to stream; raises BadRequestError or NoInfillError with what is wrong.

    A key that is null counts as left out, as OpenAI's clients write it.
    """
    data = read_object(body)
    extension = object_of(data.get("ghostfill"), "ghostfill")
    is_stream = typed(data, "stream", bool, False)
    num_answers = integer(data, "n", 1, 1, MAX_ANSWERS)
    if is_stream and num_answers > 1:
        raise BadRequestError("n above 1 cannot be streamed: leave stream out, or ask for one answer")
    rules = extension.get("stop_rules")
    request = CompletionRequest(
        prompt_ids=tuple(_prompt_ids(data, resident)),
        max_tokens=integer(data, "max_tokens", 128, 0, MAX_TOKENS),
        stop=stop_strings(data.get("stop")),
        document=typed(extension, "document", str, None),
        stop_rules=None if rules is None else _stop_rules(object_of(rules, "ghostfill.stop_rules")),
        max_ms=integer(extension, "max_ms", None, 1, 600_000),
        num_answers=num_answers,
        priority=choice(extension, "priority", Priority.VISIBLE),
        heal=_heal(extension),
        drafts=_drafts(extension.get("drafts")),
    )
    return request, is_stream


def _prompt_ids(data: dict[str, Any], resident: ResidentModel) -> list[int]:
    prompt, suffix = data.get("prompt"), typed(data, "suffix", str, "")
    if isinstance(prompt, str):
        ids = _encode(prompt, suffix, resident)
    elif not isinstance(prompt, list) or not all(
        type(i) is int and 0 <= i < resident.num_ids for i in prompt
    ):
        raise BadRequestError(f"prompt must be text, or token ids from 0 to {resident.num_ids - 1}")
    elif suffix:
        raise BadRequestError("a prompt of token ids holds its suffix already; leave suffix out")
    else:
        ids = prompt
    if not ids:
        raise BadRequestError("prompt must not be empty")
    if len(ids) >= resident.context_length:
        raise BadRequestError(
            f"the prompt of {len(ids)} tokens does not fit the model's context of {resident.context_length} "
            "tokens, which also holds the answer"
        )
    return ids


def _encode(prompt: str, suffix: str, resident: ResidentModel) -> list[int]:
    """The whole prompt as the model was trained to read it; without a suffix, from left to right."""
    layout = resident.layout
    assert layout is not None
    if suffix and not layout.fim.can_infill:
        raise NoInfillError(resident.refusal)
    if not suffix:
        pieces = [Piece(layout.fim.bos, Part.MARK)] if layout.fim.bos else []
        return layout.encode([*pieces, Piece(prompt, Part.PREFIX)])
    return layout.encode(assemble(layout.fim, layout.order, (), None, prompt, suffix))


def _heal(extension: dict[str, Any]) -> str:
    heal = typed(extension, "heal", str, "")
    if len(heal) > MAX_HEAL:
        raise BadRequestError(f"heal must have at most {MAX_HEAL} characters")
    return str(heal)


def _drafts(value: Any) -> tuple[str, ...]:
    texts = [] if value is None else value
    if not is_texts(texts) or len(texts) > MAX_DRAFTS or any(len(text) > MAX_DRAFT_CHARS for text in texts):
        raise BadRequestError(
            f"drafts must be a list of at most {MAX_DRAFTS} strings of at most {MAX_DRAFT_CHARS} characters"
        )
    return tuple(texts)


def _stop_rules(rules: dict[str, Any]) -> StopRules:
    if unknown := rules.keys() - {field.name for field in fields(StopRules)}:
        raise BadRequestError(f"ghostfill.stop_rules has no {', '.join(sorted(unknown))}")
    next_lines, closers = rules.get("next_lines", []), typed(rules, "closers", str, None)
    if closers is not None and not set(closers) <= set(")]}"):
        raise BadRequestError("ghostfill.stop_rules.closers must hold closing brackets only")
    if not is_texts(next_lines):
        raise BadRequestError("ghostfill.stop_rules.next_lines must be a list of strings")
    return StopRules(
        shape=choice(rules, "shape", Shape.LINE),
        line_prefix=typed(rules, "line_prefix", str, ""),
        line_suffix=typed(rules, "line_suffix", str, ""),
        next_lines=tuple(next_lines),
        max_lines=integer(rules, "max_lines", StopRules().max_lines, 1, MAX_TOKENS),
        grows=typed(rules, "grows", bool, False),
        closers=closers,
    )


def to_openai(request_id: str, model: str, part: TextPiece | Completion) -> dict[str, Any]:
    """A piece of streamed text, or a whole completion, as OpenAI's `text_completion` object."""
    answer: dict[str, Any] = {
        "id": request_id,
        "object": "text_completion",
        "created": int(time.time()),
        "model": model,
    }
    if isinstance(part, TextPiece):
        return answer | {
            "choices": [_to_choice(0, part.text, None)],
            "ghostfill": {"scores": scores_to_json(part.scores)},
        }
    num_prompt, num_decoded = part.timings.prompt_tokens, part.timings.decoded_tokens
    return answer | {
        "choices": [
            _to_choice(index, each.text, OPENAI_REASON.get(each.finish_reason, "length"))
            for index, each in enumerate((part, *part.alternatives))
        ],
        "usage": {
            "prompt_tokens": num_prompt,
            "completion_tokens": num_decoded,
            "total_tokens": num_prompt + num_decoded,
        },
        "ghostfill": part.to_json(),
    }


def _to_choice(index: int, text: str, finish_reason: str | None) -> dict[str, Any]:
    return {"index": index, "text": text, "finish_reason": finish_reason, "logprobs": None}
