"""Templates run with what transformers gives them; broken, endless and greedy ones end in a sentence."""

from __future__ import annotations

import sys
from datetime import datetime

import pytest

from engine.errors import MissingExtraError, ModelError
from engine.template_sandbox import MAX_ADDED_CHARS, MAX_LOOP_STEPS, MAX_TEMPLATE_CHARS, compile_template

MESSAGES = [{"role": "user", "content": "Why?"}]


def render(source: str) -> str:
    return compile_template(source, "m")({"messages": MESSAGES, "tools": None}, 4)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{% if tools %}\n  tools\n{% endif %}\n{{ messages[0]['content'] }}", "Why?"),
        ("  {% set x = 1 %}\n{{ x }}", "1"),
        ("{{ {'a': '<é>'} | tojson }}", '{"a": "<é>"}'),
        ("{% for n in range(9) %}{% if n == 2 %}{% break %}{% endif %}{{ n }}{% endfor %}", "01"),
        ("a{% generation %}b{{ 1 }}{% endgeneration %}c", "ab1c"),
        ("{% set ns = namespace(n=1) %}{% set ns.n = 2 %}{{ ns.n }}", "2"),
        ("{{ '-' * 20 }}", "-" * 20),
        ("{{ 6 * 7 }}", "42"),
        ("{{ missing }}", ""),
    ],
)
def test_templates_have_what_transformers_gives_them(source: str, text: str) -> None:
    assert render(source) == text


def test_templates_know_the_day() -> None:
    assert render("{{ strftime_now('%Y') }}") in {str(datetime.now().year + more) for more in (-1, 0, 1)}


@pytest.mark.parametrize(
    "source",
    [
        "{% if %}",
        "{{ x",
        "{% for a in b %}",
        "{% nosuchtag %}",
        "{{ x | nosuchfilter }}",
        "{{ " + "(" * 5000,
        "{% for a in b %}" * 30 + "{% endfor %}" * 30,
        "x" * (MAX_TEMPLATE_CHARS + 1),
    ],
)
def test_a_broken_template_is_refused_when_it_is_read(source: str) -> None:
    with pytest.raises(ModelError, match=r"The chat template of m .*another one in the setting"):
        compile_template(source, "m")


LONG_LOOP = f"{{% for a in range({MAX_LOOP_STEPS}) %}}"


@pytest.mark.parametrize(
    "source",
    [
        "{{ 1 / 0 }}",
        "{{ messages[5].content }}",
        "{{ messages + 'a' }}",
        "{{ none.x.y }}",
        "{{ nosuchfunction() }}",
        "{% for a in range(10**30) %}{% endfor %}",
        LONG_LOOP + "{% for b in range(10) %}{% endfor %}{% endfor %}",
        LONG_LOOP + "{{ '" + "x" * (MAX_ADDED_CHARS // MAX_LOOP_STEPS + 1) + "' }}{% endfor %}",
        "{{ 'a' * 1000000000 }}",
        "{{ 1000000000 * [1] }}",
        "{{ 9 ** 9 ** 9 }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ lipsum(1000000) }}",
        "{{ messages.append(1) }}",
        "{{ messages.__class__.__mro__[1].__subclasses__() }}",
        "{{ raise_exception.__globals__['sys'] }}",
        "{{ '{0.__class__.__mro__[1].__subclasses__}'.format(messages) }}",
        "{% include '/etc/passwd' %}",
    ],
)
def test_a_template_that_fails_loops_or_reaches_out_ends_in_a_sentence(source: str) -> None:
    with pytest.raises(ModelError, match=r"The chat template of m refuses: .+"):
        render(source)


def test_what_a_template_says_of_the_messages_is_passed_on() -> None:
    with pytest.raises(ModelError, match="refuses: No system, please"):
        render("{{ raise_exception('No system, please') }}")


def test_a_template_may_write_what_it_is_given_however_long() -> None:
    content = "x" * (3 * MAX_ADDED_CHARS)
    template = compile_template("{{ messages[0].content }}", "m")

    assert template({"messages": [{"role": "user", "content": content}]}, len(content)) == content


def test_without_jinja2_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)

    with pytest.raises(MissingExtraError, match="jinja2 is not installed"):
        compile_template("", "m")
