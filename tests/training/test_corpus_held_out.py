"""What the corpus is compared with: every measured package, and real copies are told from real code."""

import importlib.util
from pathlib import Path

from benchmarks.context_quality.packages import FOR_TUNING, REPORTED
from context import graph
from training.corpus.held_out import pinned
from training.corpus.known_text import KnownText
from training.corpus.verdicts import MAX_PACKAGES, copied_from
from training.corpus.words import word_hashes
from training.sources.table import Registry, read_held_out


def texts_of(package: str) -> dict[str, str]:
    found = importlib.util.find_spec(package)
    assert found is not None
    assert found.submodule_search_locations is not None
    folder = Path(found.submodule_search_locations[0])
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))}


def test_every_measured_package_is_compared_at_the_version_that_is_measured() -> None:
    rows = {(str(source.registry), source.name, source.version) for source in pinned()}
    registries = {"python": "pypi", "javascript": "npm"}

    measured = {(registries[each.language], each.name, each.version) for each in (*REPORTED, *FOR_TUNING)}

    assert measured <= rows


def test_every_compared_package_is_held_out() -> None:
    named = {(row.registry, row.name) for row in read_held_out()}

    assert {(source.registry, source.name) for source in pinned()} <= named
    assert {source.registry for source in pinned()} == set(Registry)


def test_a_vendored_copy_is_found_also_where_it_was_changed_and_our_own_code_is_none() -> None:
    rich = texts_of("rich")
    known = KnownText.of((("rich", text) for text in rich.values()), max_owners=MAX_PACKAGES)
    ours = Path(graph.__file__).read_text(encoding="utf-8")

    for name in ("filesize.py", "text.py", "console.py"):
        renamed = rich[name].replace("style", "look").replace("\n    ", "\n\t")
        for copy in (rich[name], renamed, ours + renamed):
            found = copied_from(known, word_hashes(copy))
            assert found is not None, name
            assert found.owner == "rich"
    for path in sorted(Path(graph.__file__).parent.glob("*.py")):
        assert copied_from(known, word_hashes(path.read_text(encoding="utf-8"))) is None, path
