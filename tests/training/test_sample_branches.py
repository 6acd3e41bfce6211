"""A branch is the prompt that the product sends, and exactly what decoding would have to say to it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.api import Segment
from engine.fim import Order
from engine.layout import Budget, Layout, without_closers
from training.samples.branches import Branch, Brancher, Cursor, joined
from training.samples.encoder import Encoder
from training.samples.sample import Role

ENCODER = Encoder.from_folder()
TOKENIZER = ENCODER.tokenizer
BRANCHERS = {order: Brancher(ENCODER, order) for order in (Order.SPM, Order.PSM)}
BUDGET = Budget(512, 256, 128, 64)
TEXT = (
    "from pkg.store import open_store\n\n\ndef run(path):\n"
    '    shelf = open_store(path)\n    shelf.put_value("key")\n    return shelf\n'
)
SEGMENTS = (
    Segment("pkg/other.py", "def unrelated(): ...\n", "similar", ""),
    Segment("pkg/store.py", "class Store:\n    def put_value(self, key): ...\n", "definition", ""),
)
ORDERS = st.sampled_from([Order.SPM, Order.PSM])


def at(part: str, text: str = TEXT) -> Cursor:
    start = text.index(part)
    return Cursor("pkg/user.py", text, start, start + len(part))


def parts(branch: Branch) -> dict[Role, str]:
    return {
        role: TOKENIZER.decode([i for i, r in zip(branch.ids, branch.roles, strict=True) if r is role])
        for role in Role
    }


@settings(max_examples=100, deadline=None)
@given(ORDERS, st.text("ab_(.):,\n \"'[]0é", max_size=200) | st.just(TEXT), st.data())
def test_the_prompt_is_the_layouts_and_the_answer_makes_the_file_whole(
    order: Order, text: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    branch = BRANCHERS[order].branch(Cursor("pkg/user.py", text, start, end), SEGMENTS, BUDGET)
    prompt = Layout(TOKENIZER, ENCODER.fim, order).prompt(
        SEGMENTS, "pkg/user.py", text[:start], text[end:], BUDGET
    )
    assert branch.ids[: branch.num_prompt] == prompt.ids
    assert branch.ids[-1] == ENCODER.eos
    answer = TOKENIZER.decode(branch.ids[branch.num_prompt : -1])
    assert list(branch.ids[branch.num_prompt : -1]) == TOKENIZER.encode(answer)
    assert answer.startswith(prompt.heal), "the answer begins with what the prompt left out"
    said = answer[len(prompt.heal) :]
    assert text[start:].startswith(said)
    assert said.startswith(text[start:end])
    rest = text[start + len(said) :]
    assert without_closers(rest) == rest, "what the layout hides is said"
    assert all(role in (Role.MIDDLE, Role.TOLD) for role in branch.roles[branch.num_prompt :])


@pytest.mark.parametrize("order", [Order.SPM, Order.PSM])
def test_roles_of_a_worked_example(order: Order) -> None:
    branch = BRANCHERS[order].branch(at('.put_value("key")'), SEGMENTS, BUDGET)
    found = parts(branch)
    assert found[Role.GIVEN] == "#pkg/other.py\n#pkg/store.py\n#pkg/user.py\n"
    assert found[Role.CONTEXT] == "".join(segment.text for segment in SEGMENTS)
    assert TEXT[: TEXT.index(".put_value")].startswith(found[Role.PREFIX])
    assert found[Role.PREFIX].startswith("from pkg.store")
    assert found[Role.SUFFIX] == "\n    return shelf\n"
    assert found[Role.TOLD].lstrip(".") == "put_value"
    assert branch.roles[-1] is Role.MIDDLE
    assert found[Role.PLAIN] == ""
    marks = [i for i in branch.ids if i in (ENCODER.begin, ENCODER.hole, ENCODER.end)]
    assert marks == [ENCODER.begin, ENCODER.hole, ENCODER.end]
    whole = [
        TOKENIZER.decode([i for i, r in zip(branch.ids, branch.roles, strict=True) if r in kinds])
        for kinds in ((Role.PREFIX,), (Role.MIDDLE, Role.TOLD), (Role.SUFFIX,))
    ]
    assert "".join(whole) == TEXT


def test_a_visible_name_is_not_told_nor_one_without_context() -> None:
    brancher = BRANCHERS[Order.SPM]
    text = TEXT.replace("def run", "# put_value\ndef run")
    assert not brancher.branch(at('put_value("key")', text), SEGMENTS, BUDGET).is_told
    assert not brancher.branch(at('put_value("key")'), (), BUDGET).is_told
    assert brancher.branch(at('put_value("key")'), SEGMENTS, BUDGET).is_told
    bare = brancher.branch(at('put_value("key")'), (), BUDGET, {"put_value"})
    assert bare.is_told, "as the same site with context says"


def test_a_word_outside_of_code_is_not_told() -> None:
    cursor = at('put_value("key")')
    blind = Cursor(cursor.path, cursor.text, cursor.start, cursor.end, words=())
    assert not BRANCHERS[Order.SPM].branch(blind, SEGMENTS, BUDGET).is_told


def test_what_is_hidden_behind_the_cursor_is_answered() -> None:
    branch = BRANCHERS[Order.SPM].branch(at('put_value("key"'), SEGMENTS, BUDGET)
    answer = TOKENIZER.decode(branch.ids[branch.num_prompt : -1])
    assert answer.endswith('put_value("key")')
    assert ")\n" not in parts(branch)[Role.SUFFIX].split("return")[0]


@settings(max_examples=30, deadline=None)
@given(ORDERS, st.lists(st.integers(0, len(TEXT) - 1), min_size=1, max_size=5), st.sampled_from([0, 128]))
def test_a_sample_gives_its_branches_back(order: Order, starts: list[int], suffix: int) -> None:
    budget = Budget(512, 64, suffix, 64)
    branches = [
        BRANCHERS[order].branch(
            Cursor("pkg/user.py", TEXT, start, min(len(TEXT), start + 9)), SEGMENTS, budget
        )
        for start in starts
    ]
    sample = joined(branches)
    sequences = [(tuple(ids.tolist()), tuple(roles.tolist())) for ids, roles in sample.sequences()]
    assert sequences == [(branch.ids, branch.roles) for branch in branches]
    assert sample.num_stem <= min(branch.num_prompt for branch in branches)
    firsts = {branch.ids[sample.num_stem] for branch in branches}
    is_longest = len(firsts) > 1 or any(branch.num_prompt == sample.num_stem for branch in branches)
    assert is_longest, "the stem is all that the prompts share"
    assert sample.positions().max() == max(len(branch.ids) for branch in branches) - 1
