"""Instruct models to test with: the built-in weights behind a chat template, and DeepSeek's shapes.

The built-in weights answer something within a second, though not sensibly; DeepSeek's are random.
"""

from __future__ import annotations

import json
from pathlib import Path

from engine.chat_template import DEEPSEEK_V2
from engine.model_folder import BUILTIN_FOLDER
from engine_checkpoints import BOS, EOS, make_deepseek_checkpoint

# deepseek-ai/deepseek-coder-6.7b-instruct, tokenizer_config.json: not quite what its README says.
DEEPSEEK_V1_TEMPLATE = """\
{% if not add_generation_prompt is defined %}
{% set add_generation_prompt = false %}
{% endif %}
{%- set ns = namespace(found=false) -%}
{%- for message in messages -%}
    {%- if message['role'] == 'system' -%}
        {%- set ns.found = true -%}
    {%- endif -%}
{%- endfor -%}
{{bos_token}}{%- if not ns.found -%}
{{'You are an AI programming assistant, utilizing the Deepseek Coder model, developed by Deepseek Company, \
and you only answer questions related to computer science. For politically sensitive questions, security and \
privacy issues, and other non-computer science questions, you will refuse to answer\\n'}}
{%- endif %}
{%- for message in messages %}
    {%- if message['role'] == 'system' %}
{{ message['content'] }}
    {%- else %}
        {%- if message['role'] == 'user' %}
{{'### Instruction:\\n' + message['content'] + '\\n'}}
        {%- else %}
{{'### Response:\\n' + message['content'] + '\\n<|EOT|>\\n'}}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{% if add_generation_prompt %}
{{'### Response:'}}
{% endif %}"""

# Turns of plain text, in the words of a language that the built-in model reads.
BUILTIN_TEMPLATE = """\
{{- bos_token -}}
{%- for message in messages -%}
{{- '# ' + message['role'] + ':\\n' + message['content'] + '\\n\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '# assistant:\\n' -}}{%- endif -%}
"""


def make_builtin_instruct(folder: Path, template: str = BUILTIN_TEMPLATE) -> Path:
    """A folder with the built-in model and a chat template: to the engine a chat model of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in BUILTIN_FOLDER.glob("*.json"):
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "model.safetensors").symlink_to(BUILTIN_FOLDER / "model.safetensors")
    set_template(folder, template)
    return folder


def make_deepseek_instruct(folder: Path, with_template: bool = True, version: int = 1) -> Path:
    """A random DeepSeek-Coder instruct model; version 2's template on it where that is asked for.

    Without a template the documented one of version 1 is used, as the folder's ids of EOT tell.
    """
    make_deepseek_checkpoint(folder, instruct=True)
    source = DEEPSEEK_V1_TEMPLATE if version == 1 else DEEPSEEK_V2
    set_template(folder, source if with_template else None)
    return folder


def set_template(folder: Path, template: str | None) -> None:
    """Write a chat template into tokenizer_config.json, or take it out."""
    file = folder / "tokenizer_config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    config["chat_template"] = template
    if template is None:
        del config["chat_template"]
    config.setdefault("bos_token", BOS)
    config.setdefault("eos_token", EOS)
    file.write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")
