"""Evidence is the definitions of what is to be written, with strangers beside them, within a budget."""

import random

from engine.api import Segment
from training.corpus.repository import Repository, SourceFile
from training.samples.evidence import Evidence
from training.samples.names import Place, Use

FILES = {f"pkg/m{num}.py": f"def make_{num}(a):\n" + f"    return a + {num}\n" * 30 for num in range(6)}
REPOSITORY = Repository("k", "MIT", tuple(SourceFile(path, "python", text) for path, text in FILES.items()))


def use(num: int, name: str = "") -> Use:
    place = Place(f"pkg/m{num}.py", 0, 30, f"def make_{num}(a): ...\n")
    return Use(name or f"make_{num}", 0, (place,))


def evidence() -> Evidence:
    return Evidence(REPOSITORY, lambda segment: len(segment.text))


def drawn(uses: list[Use], budget: int = 100_000) -> list[list[Segment]]:
    return [evidence().segments("pkg/m5.py", uses, budget, random.Random(seed)) for seed in range(100)]


def test_every_definition_stands_there_as_signature_or_lines() -> None:
    forms = set()
    for segments in drawn([use(1), use(2)]):
        found = {segment.reason: segment for segment in segments if segment.kind == "definition"}
        assert {*found} == {"defines make_1", "defines make_2"}
        text = found["defines make_1"].text
        assert text.startswith("def make_1(a):")
        assert text.endswith("\n")
        forms.add(text.count("\n"))
    assert 1 in forms
    assert 20 in forms


def test_strangers_stand_anywhere_and_are_few() -> None:
    all_drawn = drawn([use(1)])
    numbers = [len(segments) - 1 for segments in all_drawn]
    assert min(numbers) == 0
    assert max(numbers) == 4
    places = {[segment.kind for segment in segments].index("definition") for segments in all_drawn}
    assert places >= {0, 1, 2}


def test_the_file_itself_is_no_evidence() -> None:
    for segments in drawn([use(5), use(1)]):
        assert "pkg/m5.py" not in {segment.path for segment in segments}
    assert drawn([use(5)]) == [[]] * 100


def test_the_budget_holds_and_definitions_go_first() -> None:
    for segments in drawn([use(1), use(2), use(3)], 400):
        assert 0 < sum(len(segment.text) for segment in segments) <= 400
        assert any(segment.kind == "definition" for segment in segments)
    assert drawn([use(1)], 5) == [[]] * 100


def test_a_name_defined_everywhere_says_nothing() -> None:
    places = tuple(place for num in range(4) for place in use(num).places)
    assert drawn([Use("make", 0, places)]) == [[]] * 100
