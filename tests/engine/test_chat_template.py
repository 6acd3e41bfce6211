"""Prompts of instruct models: the ids that transformers makes of them, and no mark from what users write."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_families import CHAT_FAMILIES, ChatFamily
from engine.api import Message, Role
from engine.chat_template import ChatTemplate
from engine.errors import ModelError
from engine.model_folder import ModelFolder
from engine.tokens import Tokenizer
from engine_checkpoints import BOS, EOS, EOT, MARK_IDS, make_tokenizer
from engine_families import byte_level, family_json
from instruct_model import DEEPSEEK_V1_TEMPLATE, set_template

SYSTEM, USER, ASSISTANT = Role.SYSTEM, Role.USER, Role.ASSISTANT
NO_TOKENS: dict[str, str] = {}
TEMPLATES = {
    row: ChatTemplate(
        family.template,
        Tokenizer.from_json(family.tokenizer_json),
        row,
        {key: token for key, token in (("bos_token", family.bos), ("eos_token", family.eos)) if token},
    )
    for row, family in CHAT_FAMILIES.items()
}
TOKENIZERS = {row: Tokenizer.from_json(family.tokenizer_json) for row, family in CHAT_FAMILIES.items()}
rows = pytest.mark.parametrize("row", CHAT_FAMILIES)

snippets = st.sampled_from(
    [
        "def add(a, b):\n    return a + b\n",
        " ",
        "  \n",
        "\n\n",
        "\t",
        "x < 3 and y > [0]",
        "<",
        "<|",
        ">",
        "|>",
        "]",
        "😋 naïve",
        "日本語",
        "User: ",
        "{{ bos_token }}",
        "{% for %}",
        "\\n",
        "\x1c\x85",
        "\xa0\u2003",
    ]
)
letters = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="▁"), max_size=5)
harmless = st.lists(st.one_of(snippets, letters), min_size=1, max_size=6).map("".join)
private_use = st.text(st.characters(min_codepoint=0xF0000, max_codepoint=0xF0009), min_size=1, max_size=3)
all_marks = st.sampled_from(sorted({mark for each in TOKENIZERS.values() for mark in each.marks}))
hostile = st.lists(st.one_of(all_marks, private_use, snippets), min_size=1, max_size=8).map("".join)


def oracle(family: ChatFamily, messages: list[Message]) -> list[int]:
    """Rendered by transformers, then read whole by `tokenizers`, which looks for marks everywhere."""
    from transformers.utils.chat_template_utils import render_jinja_template

    tokens = {key: token for key, token in (("bos_token", family.bos), ("eos_token", family.eos)) if token}
    chat = [{"role": str(each.role), "content": each.content} for each in messages]
    rendered, _ = render_jinja_template(
        [chat], chat_template=family.template, add_generation_prompt=True, **tokens
    )
    ids: list[int] = raw_tokenizer(family.tokenizer_json).encode(rendered[0], add_special_tokens=False).ids
    return ids


@cache
def raw_tokenizer(source: str) -> Any:
    from tokenizers import Tokenizer as RawTokenizer

    return RawTokenizer.from_str(source)


def is_harmless(row: str, messages: list[Message]) -> bool:
    return not any(mark in each.content for mark in TOKENIZERS[row].marks for each in messages)


@rows
@given(told=harmless, asked=harmless, answered=harmless, again=harmless)
def test_harmless_messages_become_the_ids_that_transformers_makes_of_them(
    row: str, told: str, asked: str, answered: str, again: str
) -> None:
    family = CHAT_FAMILIES[row]
    talk = [Message(USER, asked), Message(ASSISTANT, answered), Message(USER, again)]
    if family.takes_system:
        talk.insert(0, Message(SYSTEM, told))
    if not is_harmless(row, talk):
        return

    assert TEMPLATES[row].encode(talk) == oracle(family, talk)


@rows
def test_one_question_becomes_the_ids_that_transformers_makes_of_it(row: str) -> None:
    talk = [Message(USER, "What does this do?\n\nif a < b:\n\treturn [a, b]")]

    assert TEMPLATES[row].encode(talk) == oracle(CHAT_FAMILIES[row], talk)


@pytest.mark.parametrize("row", [row for row, family in CHAT_FAMILIES.items() if not family.takes_system])
def test_where_the_template_takes_no_system_message_the_user_says_it(row: str) -> None:
    talk = [Message(SYSTEM, "Answer briefly."), Message(USER, "Why?")]

    ids = TEMPLATES[row].encode(talk)

    assert ids == oracle(CHAT_FAMILIES[row], [Message(USER, "Answer briefly.\n\nWhy?")])


@rows
@given(content=hostile)
def test_marks_in_a_message_stay_text(row: str, content: str) -> None:
    """The prompt has the marks of a harmless message, and the text of this one."""
    family, tokenizer = CHAT_FAMILIES[row], TOKENIZERS[row]
    if row == "phi-3":
        content = content.strip()  # its marks take white space along

    ids = TEMPLATES[row].encode([Message(USER, content)])

    plain = TEMPLATES[row].encode([Message(USER, "Why?")])
    marks = tokenizer.known_mark_ids()
    assert [i for i in ids if i in marks] == [i for i in plain if i in marks]
    said = content.strip() if family.trims else content
    assert tokenizer.decode(ids) == tokenizer.decode(plain).replace("Why?", said)


@given(content=hostile)
def test_a_message_cannot_complete_a_mark_that_the_template_begins(content: str) -> None:
    template = "<|im_{{ messages[0].content }}|im_end|>{{ messages[0].content }}<|im_end|>"
    tokenizer = Tokenizer.from_json(family_json("qwen2.5-coder"))
    chat = ChatTemplate(template, tokenizer, "m", NO_TOKENS)

    for text in (content, "end|>", "start|>", "<", "<|im_end|"):
        ids = chat.encode([Message(USER, text)])
        assert [i for i in ids if i in tokenizer.known_mark_ids()] == [tokenizer.mark_id("<|im_end|>")]
        assert tokenizer.decode(ids) == f"<|im_{text}|im_end|>{text}"


def test_a_template_that_looks_into_contents_does_not_find_its_marks_there() -> None:
    """As Qwen3's does: what stands behind `</think>` in an answer is not all of the answer."""
    template = "{% set said = messages[0].content %}{{ said.split('</think>')[-1] }}<|im_end|>"
    tokenizer = Tokenizer.from_json(byte_level(["<|im_end|>", "<think>", "</think>"]))

    ids = ChatTemplate(template, tokenizer, "m", NO_TOKENS).encode([Message(USER, "a </think> b")])

    assert tokenizer.decode(ids) == "a </think> b"


def test_private_characters_in_messages_and_template_stay_what_they_are() -> None:
    tokenizer = Tokenizer.from_json(family_json("qwen2.5-coder"))
    chat = ChatTemplate("\U000f0000{{ messages[0].content }}", tokenizer, "m", NO_TOKENS)
    content = "\U000f0001<|im_end|>\U000f0002"

    assert tokenizer.decode(chat.encode([Message(USER, content)])) == "\U000f0000" + content


def test_messages_that_leave_no_private_character_are_refused() -> None:
    content = "".join(map(chr, [*range(0xF0000, 0xFFFFE), *range(0x100000, 0x10FFFE)]))

    with pytest.raises(ModelError, match="private use"):
        TEMPLATES["gemma"].encode([Message(USER, content)])


def test_a_broken_character_does_not_break_the_prompt() -> None:
    """A lone surrogate, as an editor sends it for a broken file."""
    chat = TEMPLATES["qwen2.5-coder"]

    assert "a?b" in TOKENIZERS["qwen2.5-coder"].decode(chat.encode([Message(USER, "a\ud800b")]))


@pytest.mark.parametrize(
    "pre_tokenizer",
    [
        {"prepend_scheme": "always"},
        {"prepend_scheme": "first"},
        {"prepend_scheme": "never"},
        {"prepend_scheme": None, "add_prefix_space": True},
    ],
)
@pytest.mark.parametrize("content", ["x", " x", "", "a b"])
def test_a_space_that_the_tokenizer_puts_before_texts_stands_where_it_puts_it(
    pre_tokenizer: dict[str, Any], content: str
) -> None:
    spec = json.loads(family_json("codestral"))
    spec["pre_tokenizer"] = {
        key: value for key, value in (spec["pre_tokenizer"] | pre_tokenizer).items() if value is not None
    }
    for template in (
        "{{ messages[0].content }}[INST]{{ messages[0].content }}",
        "[INST]{{ messages[0].content }}",
    ):
        family = ChatFamily(template, json.dumps(spec))
        tokenizer = Tokenizer.from_json(family.tokenizer_json)
        talk = [Message(USER, content)]

        assert ChatTemplate(template, tokenizer, "m", NO_TOKENS).encode(talk) == oracle(family, talk)


def test_the_longer_of_two_marks_that_begin_alike_is_meant() -> None:
    family = ChatFamily("<s><s>>{{ messages[0].content }}", byte_level(["<s>", "<s>>"]))
    tokenizer = Tokenizer.from_json(family.tokenizer_json)
    talk = [Message(USER, "x")]

    ids = ChatTemplate(family.template, tokenizer, "m", NO_TOKENS).encode(talk)

    assert ids == oracle(family, talk)
    assert ids[1] == tokenizer.mark_id("<s>>")


@pytest.mark.parametrize(
    ("row", "ends"),
    [
        ("deepseek-coder", ["<|EOT|>", EOS]),
        ("qwen2.5-coder", ["<|im_end|>", "<|endoftext|>"]),
        ("llama-3", ["<|eot_id|>", "<|end_of_text|>"]),
        ("mistral", ["</s>"]),
        ("gemma", ["<eos>", "<end_of_turn>"]),
        ("granite", ["<|end_of_text|>"]),
    ],
)
def test_an_answer_ends_at_the_turn_ends_that_the_tokenizer_has(row: str, ends: list[str]) -> None:
    assert TEMPLATES[row].stop_ids == {TOKENIZERS[row].mark_id(mark) for mark in ends}


# ---- which template a model gets


def opened(folder: Path, **config: Any) -> ChatTemplate:
    shape = {"architectures": ["LlamaForCausalLM"], "vocab_size": 32256} | config
    (folder / "config.json").write_text(json.dumps(shape), encoding="utf-8")
    model = ModelFolder.open(str(folder), needs_weights=False)
    return ChatTemplate.of(model, Tokenizer.from_folder(folder))


def text_of(chat: ChatTemplate, folder: Path, *messages: Message) -> str:
    """The prompt as text, marks written out."""
    names = {token_id: mark for mark, token_id in MARK_IDS.items()}
    tokenizer = Tokenizer.from_folder(folder)
    return "".join(names.get(i) or tokenizer.decode([i]) for i in chat.encode(messages))


def test_tokens_of_tokenizer_config_may_be_objects(tmp_path: Path) -> None:
    make_tokenizer(tmp_path, instruct=True)
    set_template(tmp_path, "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}")

    assert text_of(opened(tmp_path), tmp_path, Message(USER, "a")) == f"{BOS}a{EOT}"


@pytest.mark.parametrize(
    "entry",
    [
        [{"name": "tool_use", "template": "tools"}, {"name": "default", "template": "this"}],
        [{"name": "only", "template": "this"}],
    ],
)
def test_of_several_templates_the_default_one_counts(tmp_path: Path, entry: Any) -> None:
    make_tokenizer(tmp_path)
    set_template(tmp_path, entry)

    assert text_of(opened(tmp_path), tmp_path, Message(USER, "a")) == "this"


def test_a_template_beside_the_tokenizer_config_counts(tmp_path: Path) -> None:
    make_tokenizer(tmp_path)
    (tmp_path / "chat_template.json").write_text('{"chat_template": "json"}', encoding="utf-8")
    assert text_of(opened(tmp_path), tmp_path, Message(USER, "a")) == "json"
    (tmp_path / "chat_template.jinja").write_text("jinja", encoding="utf-8")
    assert text_of(opened(tmp_path), tmp_path, Message(USER, "a")) == "jinja"


TALK = (Message(USER, "Sort it."), Message(ASSISTANT, "Sorted."), Message(USER, "Why?"))


def test_version_1_without_a_template_gets_what_its_readme_says(tmp_path: Path) -> None:
    make_tokenizer(tmp_path, instruct=True)
    set_template(tmp_path, None)
    chat = opened(tmp_path, eos_token_id=MARK_IDS[EOT])

    assert text_of(chat, tmp_path, *TALK) == (
        f"{BOS}You are an AI programming assistant, utilizing the DeepSeek Coder model, developed by "
        "DeepSeek Company, and you only answer questions related to computer science. For politically "
        "sensitive questions, security and privacy issues, and other non-computer science questions, you "
        "will refuse to answer.\n"
        "### Instruction:\nSort it.\n### Response:\nSorted.\n<|EOT|>\n"
        "### Instruction:\nWhy?\n### Response:\n"
    )
    told = text_of(chat, tmp_path, Message(SYSTEM, "Be brief."), Message(USER, "Why?"))
    assert told == f"{BOS}Be brief.\n### Instruction:\nWhy?\n### Response:\n"


def test_version_2_without_a_template_gets_what_its_readme_says(tmp_path: Path) -> None:
    """No space after the last colon: with one it answers in Chinese, its authors say."""
    make_tokenizer(tmp_path)
    chat = opened(tmp_path, architectures=["DeepseekV2ForCausalLM"])

    assert text_of(chat, tmp_path, Message(SYSTEM, "Be brief."), *TALK) == (
        f"{BOS}Be brief.\n\nUser: Sort it.\n\nAssistant: Sorted.{EOS}User: Why?\n\nAssistant:"
    )


def test_version_1_with_its_own_template_gets_that(tmp_path: Path) -> None:
    make_tokenizer(tmp_path, instruct=True)
    set_template(tmp_path, DEEPSEEK_V1_TEMPLATE)

    text = text_of(opened(tmp_path), tmp_path, Message(USER, "Why?"))

    assert "utilizing the Deepseek Coder model" in text
    assert text.endswith("refuse to answer\n### Instruction:\nWhy?\n### Response:\n")


@pytest.mark.parametrize(
    ("name", "config", "instead"),
    [
        ("deepseek-coder-1.3b-base", {"eos_token_id": MARK_IDS[EOS]}, "-instruct"),
        ("DeepSeek-Coder-V2-Lite-Base", {"architectures": ["DeepseekV2ForCausalLM"]}, "-instruct"),
        ("starcoder2-3b", {"architectures": ["Starcoder2ForCausalLM"]}, "-instruct"),
    ],
)
def test_a_base_model_is_refused_with_a_model_to_name_instead(
    tmp_path: Path, name: str, config: dict[str, Any], instead: str
) -> None:
    make_tokenizer(tmp_path / name)

    with pytest.raises(ModelError, match="is not an instruct model") as refusal:
        opened(tmp_path / name, **config)
    assert "chat.model" in str(refusal.value)
    assert instead in str(refusal.value)


def test_the_built_in_model_is_refused() -> None:
    model = ModelFolder.open("builtin")

    with pytest.raises(ModelError, match="builtin is not an instruct model"):
        ChatTemplate.of(model, Tokenizer.from_folder(model.path))


def test_an_id_of_a_base_model_is_refused_with_its_sibling(tmp_path: Path) -> None:
    make_tokenizer(tmp_path)
    name = "deepseek-ai/DeepSeek-Coder-V2-Lite-Base"
    model = ModelFolder(tmp_path, name, {}, {}, {}, has_chat_template=False)

    with pytest.raises(ModelError, match="for example deepseek-ai/DeepSeek-Coder-V2-Lite-Instruct"):
        ChatTemplate.of(model, Tokenizer.from_folder(tmp_path))


def test_a_template_that_refuses_the_messages_says_why() -> None:
    with pytest.raises(ModelError, match="The chat template of mistral refuses: Conversation roles must"):
        TEMPLATES["mistral"].encode([Message(USER, "a"), Message(USER, "b")])


def test_a_template_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    make_tokenizer(tmp_path)
    (tmp_path / "chat_template.jinja").write_bytes(b"\xff\xfe")

    with pytest.raises(ModelError, match=r"chat_template\.jinja cannot be read"):
        opened(tmp_path)
