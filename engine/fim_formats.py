"""FIM formats as data: one row per model family. Knows no checkpoint; `fim` says which row a model gets.

Each row names its source. "Recalled" marks what no source at hand confirmed; budgets are ours, not the
family's. Where a family documents no repository layout, files stand under comment headers at the head of the
prefix: to the model that is one file.
"""

from __future__ import annotations

from typing import TypedDict

from engine.fim_format import FimFormat, Order


class _Marks(TypedDict):
    begin: str
    hole: str
    end: str


class _Files(TypedDict):
    header: str
    gap: str


class _Budget(TypedDict):
    max_context_tokens: int
    max_prefix_tokens: int
    max_suffix_tokens: int


EOT = "<|EOT|>"
_EOS = "<｜end▁of▁sentence｜>"
_BOS = "<｜begin▁of▁sentence｜>"
_DEEPSEEK: _Marks = {"begin": "<｜fim▁begin｜>", "hole": "<｜fim▁hole｜>", "end": "<｜fim▁end｜>"}
_STARCODER: _Marks = {"begin": "<fim_prefix>", "hole": "<fim_suffix>", "end": "<fim_middle>"}
_BARRED: _Marks = {"begin": "<|fim_prefix|>", "hole": "<|fim_suffix|>", "end": "<|fim_middle|>"}
_COMMENTED: _Files = {"header": "{leader} {path}\n", "gap": "\n\n"}
_ONE_FILE_PSM = "begin context header prefix hole suffix end"
_LARGE: _Budget = {"max_context_tokens": 8192, "max_prefix_tokens": 4096, "max_suffix_tokens": 1024}
_SMALL: _Budget = {"max_context_tokens": 4096, "max_prefix_tokens": 2048, "max_suffix_tokens": 512}

_ROWS = (
    # README of deepseek-ai/DeepSeek-Coder, "Code Insertion" and "Repository Level Code Completion".
    FimFormat(
        name="deepseek-coder",
        orders=(Order.PSM,),
        psm=_ONE_FILE_PSM,
        bos=_BOS,
        **_DEEPSEEK,
        stops=(_EOS, EOT),
        **_COMMENTED,
        empty_suffix="\n",
        context_length=16384,
        **_LARGE,
    ),
    # engine/builtin/MODEL_CARD.md.
    FimFormat(
        name="builtin",
        orders=(Order.SPM, Order.PSM),
        psm="context header begin prefix hole suffix end",
        spm="context header begin hole suffix end prefix",
        bos=_BOS,
        **_DEEPSEEK,
        stops=(_EOS, EOT),
        header="#{path}\n",
        gap="",
        empty_suffix="",
        # Trained on windows of at most 8,192 tokens, in the product's prompt form on at most 3,072. It
        # reads a short, targeted context best: of 200 cross-file lines of six packages it wrote 40 right
        # with none, 59 with 256 tokens of ours, 51 with 512, 52 with 1,024.
        context_length=8192,
        max_context_tokens=256,
        max_prefix_tokens=1536,
        max_suffix_tokens=512,
        # Of 240 lines of httpx and click with only closers behind the cursor it wrote 47 right without them
        # in the prompt and 35 with them, the first name of 75 and 48.
        hides_closers=True,
    ),
    # README of deepseek-ai/DeepSeek-Coder-V2, "Code Insertion"; nothing on repositories, so as version 1
    # does. It reads 128K; beyond this no budget of ours goes.
    FimFormat(
        name="deepseek-coder-v2",
        orders=(Order.PSM,),
        psm=_ONE_FILE_PSM,
        bos=_BOS,
        **_DEEPSEEK,
        stops=(_EOS, EOT),
        **_COMMENTED,
        empty_suffix="\n",
        context_length=32768,
        **_LARGE,
    ),
    # QwenLM/Qwen2.5-Coder: README (marks, "Repository-Level Code Completion"), examples/
    # Qwen2.5-Coder-repolevel-fim.py (the current file's path before its prefix mark); issue 343.
    FimFormat(
        name="qwen2.5-coder",
        orders=(Order.PSM,),
        psm="context file header begin prefix hole suffix end",
        bos="",
        **_BARRED,
        stops=("<|endoftext|>", "<|fim_pad|>", "<|file_sep|>", "<|repo_name|>", "<|im_start|>", "<|im_end|>"),
        file_mark="<|file_sep|>",
        repo_mark="<|repo_name|>",
        repo_name="{repository}\n",
        header="{path}\n",
        gap="\n",
        empty_suffix="",
        context_length=32768,
        **_LARGE,
    ),
    # The StarCoder 2 paper (arXiv 2402.19173), section 5.1: the path stands inside the prefix, no line end
    # between files; bigcode-project/starcoder2 issue 10: <file_sep> as a stop. Recalled: half of the FIM
    # training was SPM, with the marks in this order.
    FimFormat(
        name="starcoder2",
        orders=(Order.PSM, Order.SPM),
        psm="context file begin header prefix hole suffix end",
        spm="context file begin hole suffix end header prefix",
        bos="",
        **_STARCODER,
        stops=("<|endoftext|>", "<file_sep>"),
        file_mark="<file_sep>",
        repo_mark="<repo_name>",
        repo_name="{repository}",
        header="{path}\n",
        gap="",
        empty_suffix="",
        context_length=16384,
        **_LARGE,
    ),
    # meta-llama/codellama, llama/generation.py (infilling_prompt_tokens) and llama/tokenizer.py: the marks'
    # spaces belong to the marks; SentencePiece's space stands before the prefix, never before the suffix.
    # The paper advises PSM, or SPM with healing (ggml-org/llama.cpp issue 2818). No repository layout (issue
    # 209).
    FimFormat(
        name="codellama",
        orders=(Order.PSM, Order.SPM),
        psm=_ONE_FILE_PSM,
        spm="begin hole suffix end context header prefix",
        bos="<s>",
        begin="▁<PRE>",
        hole="▁<SUF>",
        end="▁<MID>",
        stops=("▁<EOT>", "</s>"),
        lead=" ",
        **_COMMENTED,
        empty_suffix="",
        context_length=16384,
        **_LARGE,
    ),
    # mistralai/mistral-common, encode_fim of the tokenizers v2 and v3: no middle mark, SentencePiece's space
    # before the prefix only. Files: continuedev/continue, AutocompleteTemplate.ts; not confirmed by Mistral.
    FimFormat(
        name="codestral",
        orders=(Order.SPM,),
        spm="hole suffix begin context header prefix",
        bos="<s>",
        begin="[PREFIX]",
        hole="[SUFFIX]",
        end="",
        stops=("</s>", "[PREFIX]", "[SUFFIX]"),
        lead=" ",
        header="+++++ {path}\n",
        gap="\n",
        empty_suffix="",
        context_length=32768,
        **_LARGE,
    ),
    # ai.google.dev/gemma/docs/codegemma/prompt-structure: marks, no white space beside them, an empty suffix
    # is fine, the separator is for contexts of several files. Recalled: <bos> first. That it stands
    # between the files, and a path in a comment, is our choice.
    FimFormat(
        name="codegemma",
        orders=(Order.PSM,),
        psm="context file begin header prefix hole suffix end",
        bos="<bos>",
        **_BARRED,
        stops=("<|file_separator|>", "<eos>", "<end_of_turn>"),
        file_mark="<|file_separator|>",
        marks_first_file=False,
        header="{leader} {path}\n",
        gap="",
        empty_suffix="",
        context_length=8192,
        **_SMALL,
    ),
    # ibm-granite/granite-code-models issues 3 ("the same way as StarCoder's FIM") and 9 (both orders).
    # Nothing on repositories. The long versions read 128K, the others say less in their config.json.
    FimFormat(
        name="granite-code",
        orders=(Order.PSM, Order.SPM),
        psm=_ONE_FILE_PSM,
        spm="begin hole suffix end context header prefix",
        bos="",
        **_STARCODER,
        stops=("<|endoftext|>", "<fim_pad>"),
        **_COMMENTED,
        empty_suffix="",
        context_length=32768,
        **_SMALL,
    ),
    # ibm-granite/granite-4.0-language-models, README (all models fill in the middle); marks and stops as
    # continuedev/continue sends them. Nothing on repositories.
    FimFormat(
        name="granite-4",
        orders=(Order.PSM,),
        psm=_ONE_FILE_PSM,
        bos="",
        **_BARRED,
        stops=("<|end_of_text|>", "<|fim_pad|>"),
        **_COMMENTED,
        empty_suffix="",
        context_length=32768,
        **_LARGE,
    ),
    # Model card of stabilityai/stable-code-3b; the stop <file_sep> as continuedev/continue has it.
    FimFormat(
        name="stable-code",
        orders=(Order.PSM,),
        psm=_ONE_FILE_PSM,
        bos="",
        **_STARCODER,
        stops=("<|endoftext|>", "<fim_pad>", "<file_sep>"),
        **_COMMENTED,
        empty_suffix="",
        context_length=16384,
        **_LARGE,
    ),
    # Model card of JetBrains/Mellum-4b (example with context files, as its GGUF versions repeat it).
    FimFormat(
        name="mellum",
        orders=(Order.SPM,),
        spm="context file header hole suffix begin prefix end",
        bos="",
        **_STARCODER,
        stops=("<|endoftext|>", "<filename>"),
        file_mark="<filename>",
        header="{path}\n",
        gap="\n",
        empty_suffix="",
        context_length=8192,
        **_SMALL,
    ),
)

FORMATS: dict[str, FimFormat] = {row.name: row for row in _ROWS}
PLAIN = "plain"


def plain_format(bos: str, context_length: int) -> FimFormat:
    """From left to right, for a model that cannot fill in the middle: repository text, then the prefix."""
    return FimFormat(
        name=PLAIN,
        orders=(Order.PSM,),
        psm="context header prefix",
        bos=bos,
        begin="",
        hole="",
        end="",
        stops=(_EOS, EOT),
        **_COMMENTED,
        empty_suffix="",
        context_length=context_length,
        max_context_tokens=8192,
        max_prefix_tokens=4096,
        max_suffix_tokens=0,
    )
