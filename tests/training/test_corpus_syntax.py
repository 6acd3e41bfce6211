"""Files that do not parse go, in every language of the corpus."""

import pytest

from context.languages import PYTHON_GRAMMAR
from training.corpus.repository import SourceFile
from training.corpus.syntax import MAX_BROKEN, broken_share, has_syntax_error

SOUND = {
    ("a.py", "python"): "def f(x):\n    return [y for y in x]\n",
    ("a.js", "javascript"): "const f = async (x) => { await x?.y; };\n",
    ("a.ts", "typescript"): "interface A<T> { b: T | null }\n",
    ("a.tsx", "typescript"): "const a = <b>{c}</b>;\n",
    ("a.go", "go"): "package a\n\nfunc F[T any](x T) (int, error) { return 0, nil }\n",
    ("a.rs", "rust"): "fn f<'a>(x: &'a str) -> Option<&'a str> { Some(x) }\n",
    ("a.java", "java"): "record A(int b) { int c() { return switch (b) { case 1 -> 2; default -> 3; }; } }\n",
    ("a.c", "c"): "int f(const char *s) { return s ? *s : 0; }\n",
    ("a.cpp", "cpp"): "template <typename T> auto f(T &&x) -> decltype(x) { return x; }\n",
    ("a.h", "c"): "#pragma once\nnamespace a { class B { public: B() = default; }; }\n",
}


@pytest.mark.parametrize(("name", "text"), SOUND.items(), ids=lambda value: value[0])
def test_sound_code_stays_and_torn_code_goes(name: tuple[str, str], text: str) -> None:
    path, language = name
    torn = text + "((( }} = return ]\n" * 3

    assert has_syntax_error(SourceFile(path, language, text)) is None
    assert has_syntax_error(SourceFile(path, language, torn)) is not None


@pytest.mark.parametrize("language", ["c", "cpp"])
def test_one_odd_macro_breaks_no_c_file(language: str) -> None:
    text = "int f(int x) { return x; }\n" * 40 + "FOREACH(x, list) BEGIN_LOOP { g(x); } END(\n"

    share = has_syntax_error(SourceFile("a.c", language, text))

    assert share is None


def test_what_the_grammar_does_not_know_yet_breaks_no_typescript_file() -> None:
    text = "export type * from './shapes';\n" + "export function area(x: number) { return x * x; }\n" * 40

    assert has_syntax_error(SourceFile("a.ts", "typescript", text)) is None
    assert MAX_BROKEN.keys() == {"c", "cpp", "typescript"}


def test_the_share_counts_the_outermost_errors_once() -> None:
    assert broken_share("x = 1\n", PYTHON_GRAMMAR) == 0
    assert 0 < broken_share("x = 1\n" * 100 + "def (:\n", PYTHON_GRAMMAR) < 0.1
    assert broken_share(")" * 50, PYTHON_GRAMMAR) == pytest.approx(1, abs=0.1)
