"""Messages to prompt ids, by the chat template that an instruct model brings; contents never become marks.

Pure text and ids: knows no weights, no server and no editor. How a template runs is `template_sandbox`'s.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Self

from engine.api import Message, Role
from engine.errors import ModelError
from engine.fim import EOT, is_instruct
from engine.known_models import instruct_of
from engine.model_folder import ModelFolder, read_json
from engine.sentencepiece import DummySpace
from engine.template_sandbox import Render, compile_template
from engine.tokens import Tokenizer

TURN_ENDS = (
    EOT,
    "<|im_end|>",
    "<|eot_id|>",
    "<end_of_turn>",
    "<|end_of_turn|>",
    "<|end|>",
    "<|end_of_text|>",
    "<|endoftext|>",
    "<｜end▁of▁sentence｜>",
)
"""An instruct model ends its answer with one of these that it has, whatever its config calls its end."""

# README of deepseek-ai/DeepSeek-Coder, "Chat Model Inference". A system message replaces the first sentence,
# as in the template that its models bring.
DEEPSEEK_V1 = """\
{{- bos_token -}}
{%- if messages[0].role != 'system' -%}
{{- 'You are an AI programming assistant, utilizing the DeepSeek Coder model, developed by DeepSeek Company, \
and you only answer questions related to computer science. For politically sensitive questions, security and \
privacy issues, and other non-computer science questions, you will refuse to answer.\\n' -}}
{%- endif -%}
{%- for message in messages -%}
{%- if message.role == 'system' -%}{{- message.content + '\\n' -}}
{%- elif message.role == 'user' -%}{{- '### Instruction:\\n' + message.content + '\\n' -}}
{%- else -%}{{- '### Response:\\n' + message.content + '\\n<|EOT|>\\n' -}}
{%- endif -%}
{%- endfor -%}
{{- '### Response:\\n' -}}
"""
# README of deepseek-ai/DeepSeek-Coder-V2, "Chat Completion": no space after the last colon.
DEEPSEEK_V2 = """\
{{- bos_token -}}
{%- for message in messages -%}
{%- if message.role == 'system' -%}{{- message.content + '\\n\\n' -}}
{%- elif message.role == 'user' -%}{{- 'User: ' + message.content + '\\n\\n' -}}
{%- else -%}{{- 'Assistant: ' + message.content + '<｜end▁of▁sentence｜>' -}}
{%- endif -%}
{%- endfor -%}
{{- 'Assistant:' -}}
"""

_EXAMPLE = "deepseek-ai/deepseek-coder-6.7b-instruct"
_WHITE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""What `tokenizers` calls white space; Python's own also has four separators."""
_PRIVATE_USE = (range(0xF0000, 0xFFFFE), range(0x100000, 0x10FFFE))


class ChatTemplate:
    """How one instruct model is asked."""

    def __init__(self, source: str, tokenizer: Tokenizer, name: str, tokens: Mapping[str, str]) -> None:
        spec: dict[str, Any] = json.loads(tokenizer.source)
        self._tokenizer = tokenizer
        self._name = name
        self._source_chars = set(source)
        self._render: Render = compile_template(source, name)
        self._tokens = tokens
        self._added = {str(token["content"]): token for token in spec.get("added_tokens") or ()}
        # Where two marks begin at one place the longer one is meant, as `tokenizers` has it.
        longest_first = sorted(filter(None, tokenizer.marks), key=len, reverse=True)
        self._marks = re.compile(f"({'|'.join(map(re.escape, longest_first)) or '(?!)'})")
        self._mark_ends = {mark[end] for mark in longest_first for end in (0, -1)}
        self._dummy_space = DummySpace.of(spec)
        self.stop_ids: frozenset[int] = tokenizer.known_mark_ids((*TURN_ENDS, tokens.get("eos_token", "")))
        """An answer is over at one of these."""

    @classmethod
    def of(cls, folder: ModelFolder, tokenizer: Tokenizer) -> Self:
        """The template of a model; raises ModelError where it has none, or one that cannot be read."""
        named = ((key, folder.named_token(key)) for key in folder.tokenizer_config if key.endswith("_token"))
        tokens = {key: token for key, token in named if token}
        return cls(find_template(folder, tokenizer), tokenizer, folder.name, tokens)

    def encode(self, messages: Sequence[Message]) -> list[int]:
        """Ids of the prompt, up to where the answer begins; raises ModelError if the template refuses it."""
        twins = self._twins(messages)
        text = self._rendered([Message(each.role, each.content.translate(twins)) for each in messages])
        back = {ord(twin): chr(char) for char, twin in twins.items()}
        ids: list[int] = []
        for index, part in enumerate(self._parts(text)):
            if index % 2:
                ids.append(self._tokenizer.mark_id(part))
            else:
                run = self._dummy_space.before(part.translate(back), is_first=index == 0)
                ids += self._tokenizer.encode(run)
        return ids

    def _twins(self, messages: Sequence[Message]) -> dict[int, str]:
        """For every character that a mark begins or ends with, a private one that nobody uses here.

        Contents wear them while the template runs: it may trim and measure them, but nothing in them, nor
        what they would make of the template's own characters, can be taken for a mark.
        """
        used = self._source_chars.union(*(each.content for each in messages))
        free = (chr(code) for code in chain(*_PRIVATE_USE) if chr(code) not in used)
        try:
            return {ord(char): next(free) for char in sorted(self._mark_ends)}
        except StopIteration:
            raise ModelError("The messages use every character that Unicode keeps for private use.") from None

    def _rendered(self, messages: Sequence[Message]) -> str:
        """What the template makes of the messages; a system message that it does not take is the user's."""
        told = [each.content for each in messages if each.role is Role.SYSTEM]
        try:
            text = self._run(messages)
        except ModelError:
            if not told:
                raise
        else:
            if all(content.strip() in text for content in told):
                return text
        return self._run(folded(messages))

    def _run(self, messages: Sequence[Message]) -> str:
        plain = [{"role": str(each.role), "content": each.content} for each in messages]
        more = {"tools": None, "documents": None, "add_generation_prompt": True}
        num_chars = sum(len(each.content) for each in messages)
        return self._render({**self._tokens, "messages": plain, **more}, num_chars)

    def _parts(self, text: str) -> Iterator[str]:
        """Text, mark, text, mark, ... text; a mark may take white space beside it along, as Phi's do."""
        parts = self._marks.split(text)
        for index in range(1, len(parts), 2):
            added = self._added[parts[index]]
            if added.get("lstrip"):
                parts[index - 1] = parts[index - 1].rstrip(_WHITE)
            if added.get("rstrip"):
                parts[index + 1] = parts[index + 1].lstrip(_WHITE)
        return iter(parts)


def folded(messages: Sequence[Message]) -> list[Message]:
    """The same with what the system says at the head of the user's first message."""
    told = "\n\n".join(each.content for each in messages if each.role is Role.SYSTEM)
    said = [each for each in messages if each.role is not Role.SYSTEM]
    first = next((index for index, each in enumerate(said) if each.role is Role.USER), None)
    if first is None:
        return [Message(Role.USER, told), *said]
    said[first] = Message(Role.USER, f"{told}\n\n{said[first].content}")
    return said


def find_template(folder: ModelFolder, tokenizer: Tokenizer) -> str:
    """The text of the model's template, or the documented one of its family; raises ModelError."""
    file = folder.path / "chat_template.jinja"
    try:
        if file.is_file():
            return file.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise ModelError(f"{file} cannot be read ({error}): download the model again.") from error
    beside = read_json(folder.path / "chat_template.json", {})
    for config in (folder.tokenizer_config, beside):
        if source := _chosen(config.get("chat_template")):
            return source
    if source := _documented(folder, tokenizer):
        return source
    raise ModelError(_no_instruct(folder.name))


def _chosen(entry: Any) -> str:
    """The template of an entry: a text, or several with names, of which one is the default."""
    if isinstance(entry, list):
        named = {each.get("name"): each.get("template") for each in entry if isinstance(each, dict)}
        entry = named.get("default") or next(iter(named.values()), None)
    return entry if isinstance(entry, str) else ""


def _documented(folder: ModelFolder, tokenizer: Tokenizer) -> str:
    """DeepSeek's, as its authors wrote it down; empty for a base model and for another family."""
    architectures = folder.config.get("architectures") or []
    is_base = "base" in folder.name.lower()
    if "DeepseekV2ForCausalLM" in architectures and not is_base:
        return DEEPSEEK_V2
    if "LlamaForCausalLM" in architectures and EOT in tokenizer.marks and is_instruct(folder):
        return DEEPSEEK_V1
    return ""


def _no_instruct(name: str) -> str:
    return (
        f"{name} is not an instruct model: it brings no chat template. "
        f"Name one in the setting 'chat.model', for example {instruct_of(name) or _EXAMPLE}."
    )
