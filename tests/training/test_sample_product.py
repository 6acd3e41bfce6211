"""Product samples are what the product would send, of files that are never their own context."""

import random
from dataclasses import replace

import pytest

from training.corpus.repository import Repository, SourceFile
from training.samples.encoder import Encoder
from training.samples.errors import SamplesError
from training.samples.mix import ContextKind, ProductMix
from training.samples.product import Made, Product
from training.samples.sample import Role

ENCODER = Encoder.from_folder()
NOUNS = ["ledger", "market", "parcel", "signal", "window"]


def library(noun: str) -> str:
    title = noun.title()
    return (
        f'class {title}:\n    """A {noun}."""\n\n'
        f"    def __init__(self, size):\n        self.{noun}_size = size\n\n"
        f"    def fold_{noun}(self, depth):\n        return depth * self.{noun}_size\n\n\n"
        f"def open_{noun}(path, strict=False):\n    return {title}(len(path))\n"
    )


def user(noun: str, seed: int) -> str:
    rng = random.Random(seed)
    lines = [f"from shop.{noun} import {noun.title()}, open_{noun}", "", ""]
    for num in range(20):
        lines += [
            f"def step_{num}(path, depth):",
            *(f"    number_{i} = depth + {rng.randint(0, 99)}" for i in range(16)),
            f"    {noun} = open_{noun}(path, strict=number_0)",
            f"    if {noun}.{noun}_size:",
            f"        return {noun}.fold_{noun}(depth)",
            f"    return {noun.title()}(number_1)",
            "",
            "",
        ]
    return "\n".join(lines)


def repository(key: str = "pypi-shop-1") -> Repository:
    files = [SourceFile("shop/__init__.py", "python", '"""A shop."""\n')]
    for num, noun in enumerate(NOUNS):
        files.append(SourceFile(f"shop/{noun}.py", "python", library(noun)))
        files.append(SourceFile(f"shop/use_{noun}.py", "python", user(noun, num)))
    files.append(
        SourceFile("web/app.js", "javascript", "function start(port) {\n  return serve(port, open)\n}\n" * 9)
    )
    return Repository(key, "MIT", tuple(files))


def made(mix: ProductMix | None = None, seed: int = 1, only: str = "") -> list[Made]:
    mix = mix or ProductMix(max_samples=12)
    return list(Product(ENCODER, mix).samples(repository(), seed, frozenset([only] if only else [])))


@pytest.fixture(scope="module")
def samples() -> list[Made]:
    return made()


def text_of(ids: list[int]) -> str:
    return ENCODER.tokenizer.decode(ids)


def parts(each: Made) -> list[dict[Role, str]]:
    """The texts of each branch's sequence, by role."""
    return [
        {
            role: text_of([i for i, r in zip(ids.tolist(), roles.tolist(), strict=True) if r == role])
            for role in Role
        }
        for ids, roles in each.sample.sequences()
    ]


def test_prefix_middle_and_suffix_are_a_piece_of_the_file(samples: list[Made]) -> None:
    files = {file.path: file.text for file in repository().files}
    for each in samples:
        for ids, roles in each.sample.sequences():
            found = parts(each)[0]
            path = found[Role.GIVEN].strip().split("\n")[-1].removeprefix("#")
            pairs = list(zip(ids.tolist(), roles.tolist(), strict=True))
            pieces = [
                text_of([i for i, r in pairs if r in kinds])
                for kinds in ((Role.PREFIX,), (Role.MIDDLE, Role.TOLD), (Role.SUFFIX,))
            ]
            assert pieces[1].strip()
            assert "".join(pieces) in files[path]


def test_a_file_is_never_its_own_context(samples: list[Made]) -> None:
    assert {each.kind for each in samples} == {*ContextKind}
    for each in samples:
        for found in parts(each):
            *segments, own = found[Role.GIVEN].strip().split("\n")
            assert own not in segments
            assert bool(segments) == bool(found[Role.CONTEXT]) == (each.kind is not ContextKind.NONE)


def test_each_sample_is_a_stem_with_branches(samples: list[Made]) -> None:
    for each in samples:
        assert 2 <= each.sample.branches[-1] <= 6
        assert each.sample.num_stem > 2
        for ids, _ in each.sample.sequences():
            assert ids[-1] == ENCODER.eos


def test_context_tells_names_and_the_count_is_true(samples: list[Made]) -> None:
    for each in samples:
        told = [found[Role.TOLD] for found in parts(each)]
        assert sum(map(bool, told)) == each.num_told
        assert not each.num_told or each.kind is not ContextKind.NONE
    with_context = [each for each in samples if each.kind is not ContextKind.NONE]
    branches = sum(int(each.sample.branches[-1]) for each in with_context)
    assert sum(each.num_told for each in with_context) >= 0.3 * branches


def test_a_seed_gives_one_set(samples: list[Made]) -> None:
    assert [each.sample.ids.tolist() for each in made()] == [each.sample.ids.tolist() for each in samples]
    assert [each.sample.ids.tolist() for each in made(seed=2)] != [
        each.sample.ids.tolist() for each in samples
    ]


def test_kinds_keep_their_shares() -> None:
    kinds = [each.kind for each in made(ProductMix(max_samples=20))]
    assert len(kinds) == 20
    assert 9 <= kinds.count(ContextKind.PLAN) <= 13
    assert 2 <= kinds.count(ContextKind.DEFINITION) <= 5


def test_only_files_in_the_languages_asked_for() -> None:
    assert {each.language for each in made(only="javascript")} == {"javascript"}
    assert made(only="go") == []


def test_twins_are_the_same_sites_without_context() -> None:
    for each in made(ProductMix(max_samples=6, twins=True)):
        assert each.kind is not ContextKind.NONE
        assert each.twin is not None
        bare = list(each.twin.sequences())
        full = list(each.sample.sequences())
        assert len(bare) == len(full)
        for (bare_ids, bare_roles), (ids, roles) in zip(bare, full, strict=True):
            assert Role.CONTEXT not in bare_roles
            for role in (Role.MIDDLE, Role.TOLD, Role.PREFIX, Role.SUFFIX):
                assert bare_ids[bare_roles == role].tolist() == ids[roles == role].tolist()


def test_a_small_repository_gives_none() -> None:
    small = replace(repository(), files=repository().files[:2])
    assert list(Product(ENCODER, ProductMix()).samples(small, 1)) == []


def test_a_path_that_leads_out_of_the_repository_is_refused() -> None:
    bad = replace(repository(), files=(*repository().files, SourceFile("../x.py", "python", "x = 1\n")))
    with pytest.raises(SamplesError, match=r"pypi-shop-1 holds \.\./x\.py"):
        list(Product(ENCODER, ProductMix()).samples(bad, 1))
