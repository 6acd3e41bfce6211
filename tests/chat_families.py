"""Chat templates of instruct models as their tokenizer_config.json has them, on small tokenizers.

Facts to test against. Where a template also speaks of tools, that part is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine_families import QWEN_WORDS, byte_level, family_json
from instruct_model import DEEPSEEK_V1_TEMPLATE

_ALTERNATE = (
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
)


@dataclass(frozen=True, slots=True)
class ChatFamily:
    """One template, its tokenizer and what it does to messages."""

    template: str
    tokenizer_json: str
    bos: str = ""
    eos: str = ""
    takes_system: bool = True
    trims: bool = False
    """Contents lose the white space around them."""


def _phi_json() -> str:
    """Phi-3's marks swallow the white space behind them."""
    import json

    spec = json.loads(byte_level(["<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"]))
    for token in spec["added_tokens"]:
        token["rstrip"] = True
    return json.dumps(spec)


CHAT_FAMILIES = {
    "deepseek-coder": ChatFamily(
        DEEPSEEK_V1_TEMPLATE,
        byte_level(["<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<|EOT|>"]),
        bos="<｜begin▁of▁sentence｜>",
        eos="<|EOT|>",
    ),
    "deepseek-coder-v2": ChatFamily(
        "{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}"
        "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}"
        "{{ 'User: ' + message['content'] + '\n\n' }}{% elif message['role'] == 'assistant' %}"
        "{{ 'Assistant: ' + message['content'] + eos_token }}{% elif message['role'] == 'system' %}"
        "{{ message['content'] + '\n\n' }}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}",
        family_json("deepseek-coder-v2"),
        bos="<｜begin▁of▁sentence｜>",
        eos="<｜end▁of▁sentence｜>",
    ),
    "qwen2.5-coder": ChatFamily(
        "{%- if messages[0]['role'] == 'system' %}\n"
        "    {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}\n"
        "{%- else %}\n"
        "    {{- '<|im_start|>system\\nYou are Qwen, created by Alibaba Cloud. "
        "You are a helpful assistant.<|im_end|>\\n' }}\n"
        "{%- endif %}\n"
        "{%- for message in messages %}\n"
        '    {%- if (message.role == "user") or (message.role == "system" and not loop.first)'
        ' or (message.role == "assistant" and not message.tool_calls) %}\n'
        "        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}\n"
        "    {%- endif %}\n"
        "{%- endfor %}\n"
        "{%- if add_generation_prompt %}\n"
        "    {{- '<|im_start|>assistant\\n' }}\n"
        "{%- endif %}\n",
        family_json("qwen2.5-coder"),
        eos="<|im_end|>",
    ),
    "llama-3": ChatFamily(
        "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = "
        "'<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + "
        "'<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}"
        "{{ content }}{% endfor %}{% if add_generation_prompt %}"
        "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
        byte_level(
            [
                "<|begin_of_text|>",
                "<|end_of_text|>",
                "<|start_header_id|>",
                "<|end_header_id|>",
                "<|eot_id|>",
            ],
            QWEN_WORDS,
        ),
        bos="<|begin_of_text|>",
        eos="<|eot_id|>",
        trims=True,
    ),
    "codellama": ChatFamily(
        "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}"
        "{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}"
        "{% set system_message = false %}{% endif %}{% for message in loop_messages %}" + _ALTERNATE + ""
        "{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\\n' + system_message"
        " + '\\n<</SYS>>\\n\\n' + message['content'] %}{% else %}{% set content = message['content'] %}"
        "{% endif %}{% if message['role'] == 'user' %}"
        "{{ bos_token + '[INST] ' + content | trim + ' [/INST]' }}"
        "{% elif message['role'] == 'assistant' %}{{ ' '  + content | trim + ' ' + eos_token }}{% endif %}"
        "{% endfor %}",
        family_json("codellama"),
        bos="<s>",
        eos="</s>",
        trims=True,
    ),
    "mistral": ChatFamily(
        "{{ bos_token }}{% for message in messages %}" + _ALTERNATE + ""
        "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
        "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token}}{% else %}"
        "{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}",
        family_json("codestral"),
        bos="<s>",
        eos="</s>",
        takes_system=False,
    ),
    "gemma": ChatFamily(
        "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
        "{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}"
        + _ALTERNATE
        + "{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}"
        "{% set role = message['role'] %}{% endif %}"
        "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}",
        family_json("codegemma"),
        bos="<bos>",
        eos="<eos>",
        takes_system=False,
        trims=True,
    ),
    "starcoder2": ChatFamily(
        "{{bos_token}}{{'You are an exceptionally intelligent coding assistant that consistently delivers "
        "accurate and reliable responses to user instructions.\n\n'}}\n"
        "{%- for message in messages %}\n"
        "    {%- if message['role'] == 'system' %}\n"
        "{{ raise_exception('System messages are not allowed in this template.') }}\n"
        "    {%- else %}\n"
        "        {%- if message['role'] == 'user' %}\n"
        "{{'### Instruction\n' + message['content'] + '\n\n'}}\n"
        "        {%- else %}\n"
        "{{'### Response\n' + message['content'] + eos_token}}\n"
        "        {%- endif %}\n"
        "    {%- endif %}\n"
        "{%- endfor %}\n"
        "{{'### Response\n'}}",
        family_json("starcoder2"),
        bos="<|endoftext|>",
        eos="<|endoftext|>",
        takes_system=False,
    ),
    "granite": ChatFamily(
        "{%- for message in messages %}\n"
        "    {{- '<|start_of_role|>' + message['role'] + '<|end_of_role|>' + message['content'] "
        "+ '<|end_of_text|>\\n' }}\n"
        "    {%- if loop.last and add_generation_prompt %}\n"
        "    {{- '<|start_of_role|>assistant<|end_of_role|>' }}\n"
        "    {%- endif %}\n"
        "{%- endfor %}",
        byte_level(["<|end_of_text|>", "<|start_of_role|>", "<|end_of_role|>", "<|tool_call|>"]),
        eos="<|end_of_text|>",
    ),
    # It says nothing of what the system says.
    "phi-3": ChatFamily(
        "{% for message in messages %}{% if (message['role'] == 'user') %}"
        "{{'<|user|>' + '\n' + message['content'] + '<|end|>' + '\n' + '<|assistant|>' + '\n'}}"
        "{% elif (message['role'] == 'assistant') %}{{message['content'] + '<|end|>' + '\n'}}{% endif %}"
        "{% endfor %}",
        _phi_json(),
        bos="",
        eos="<|endoftext|>",
        takes_system=False,
    ),
}
