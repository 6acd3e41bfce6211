"""What is typed is real code, and the server cannot read it anywhere."""

import pytest

from benchmarks.context_quality.corpus import Corpus
from benchmarks.replay.scene import staged
from benchmarks.replay.selfcheck import SelfCheckError, check_stretches, check_typed, check_workspace
from benchmarks.replay.stretches import candidates, choose
from benchmarks.replay.user import num_keys

BODY = "\n".join(f"        value_{num} = Price({num}, self.name)" for num in range(9))
FILE = f'''"""A shop."""

from .prices import Price
import os


class Shop:
    @property
    def fit(self):
{BODY}
        return value_1

    def unrelated(self):
{BODY.replace("Price", "print")}
        return value_1

    def prose(self):
        """{"Very long. " * 60}"""
{BODY}

    def short(self):
        return Price(1)
'''
OTHER = FILE.replace("Shop", "Stall").replace("value", "amount")


@pytest.fixture
def corpus(tmp_path):
    root = tmp_path / "shop-1"
    for name, text in {"shop/a.py": FILE, "shop/b.py": OTHER, "shop/prices.py": "class Price: ...\n"}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return Corpus.read("shop", "python", root)


def test_only_code_that_uses_other_files_is_typed_with_its_decorators_and_the_blank_lines_before(corpus):
    (place,) = candidates(corpus, "shop/a.py")
    target = FILE[slice(*place)]
    assert target.startswith("\n    @property\n    def fit(self):\n")
    assert target.endswith("return value_1")


def test_stretches_are_the_same_for_a_seed_and_take_about_so_many_keys(corpus):
    whole = choose(corpus, 10_000, seed=1)
    assert {stretch.path for stretch in whole} == {"shop/a.py", "shop/b.py"}
    assert {stretch.auto_close for stretch in whole} == {False, True}
    assert choose(corpus, 10_000, seed=1) == whole
    (cut,) = choose(corpus, 300, seed=1)
    assert 200 <= num_keys(cut.typing()) <= 360
    assert cut.text[cut.end] == "\n"


def test_every_chosen_stretch_comes_out_as_it_stood(corpus):
    stretches = choose(corpus, 10_000, seed=1)
    check_stretches(stretches)
    with pytest.raises(SelfCheckError, match="not typed"):
        check_typed(stretches[0], stretches[0].text + "x")


def test_the_server_sees_no_copy_of_what_is_typed(corpus):
    stretches = choose(corpus, 10_000, seed=1)
    with staged(corpus.root, stretches) as scene:
        check_workspace(scene.workspace, stretches)
        texts = [path.read_text(encoding="utf-8") for path in scene.workspace.rglob("*.py")]
        assert len(texts) == 3
        for name in ("value_3", "amount_3"):
            assert (
                sum(text.count(f"{name} = Price") for text in texts) == 1
            )  # the one with the long docstring
        roots = {scene.workspace, scene.runtime, *scene.environment.values()}
        assert not any(str(corpus.root) in str(root) for root in roots)
        (scene.workspace / "copy.txt").write_text(f"x{stretches[0].target}y", encoding="utf-8")
        with pytest.raises(SelfCheckError, match=r"copy\.txt holds"):
            check_workspace(scene.workspace, stretches)
    assert not scene.workspace.exists()
    assert (corpus.root / "shop/a.py").read_text(encoding="utf-8") == FILE


def test_nothing_of_the_user_reaches_a_staged_server():
    with staged(None) as scene:
        assert not list(scene.workspace.iterdir())
        assert {"XDG_CACHE_HOME", "XDG_CONFIG_HOME", "GHOSTFILL_RUNTIME_DIR"} <= scene.environment.keys()
