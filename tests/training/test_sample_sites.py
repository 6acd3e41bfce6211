"""Cursor sites are places an editor would ask at."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from training.samples.names import Use
from training.samples.sites import MAX_BLOCK_LINES, NEAR_LINES, CursorSite, FileSites, SiteKind

CODE = '''"""A module about shelves."""

import os
from pkg.store import Store, open_store


class Keeper:
    """Keeps a Store for open_store users."""

    def __init__(self, path):
        self.store = open_store(os.path.join(path, "shelf"))
        self.names = [each.name for each in self.store.items()]

    def refresh(self, names):
        # the Store may have changed
        for name in names:
            if name not in self.store:
                self.store.put_value(name)
        return Store(self.names, limit=len(names))
'''
OFFSETS = [
    at
    for word in ("open_store", "Store", "put_value")
    for at in range(len(CODE))
    if CODE.startswith(word, at)
]
OFFSETS = [at for at in OFFSETS if at > CODE.index("class")]
USES = [Use("open_store" if CODE.startswith("open", at) else CODE[at : at + 5], at, ()) for at in OFFSETS]


def sites(seed: int, text: str = CODE, uses: list[Use] = USES, elsewhere: float = 0.85) -> list[CursorSite]:
    return FileSites("pkg/keeper.py", text, uses, random.Random(seed)).near_one_another(8, elsewhere)


def all_sites() -> list[CursorSite]:
    return [site for seed in range(300) for site in sites(seed)]


@settings(deadline=None)
@given(st.integers(), st.text("ab_(.):,\n \t\"'#{}=", max_size=300) | st.just(CODE))
def test_every_site_has_something_to_write_and_its_own_line(seed: int, text: str) -> None:
    found = sites(seed, text, [])
    assert len({site.line for site in found}) == len(found)
    for site in found:
        assert 0 <= site.start < site.end <= len(text)
        assert text[site.start : site.end].strip()
        assert text.count("\n", 0, site.start) == site.line
        assert site.end == len(text) or text[site.end] in "\n),]"


def test_sites_are_near_the_first_one() -> None:
    text = "".join(f"value_{num} = other_{num}(argument_{num})\n" for num in range(500))
    for seed in range(20):
        found = sites(seed, text, [])
        assert len(found) == 8
        assert all(abs(site.line - found[0].line) <= NEAR_LINES for site in found)


def test_names_of_other_files_come_first() -> None:
    found = [sites(seed, elsewhere=1)[0] for seed in range(100)]
    assert all(site.kind is SiteKind.ELSEWHERE and site.use in USES for site in found)


def test_the_cursor_stands_at_in_and_before_names() -> None:
    befores = {CODE[CODE.rfind("\n", 0, site.start) + 1 : site.start] for site in all_sites()}
    line = "        self.store = "
    assert line + "open_store(" in befores, "behind an opener"
    assert line in befores, "at a name"
    assert line + "open_s" in befores, "in a name"
    assert "        " in befores, "at the line's begin"
    assert "        self." in befores, "behind a dot"


def test_blocks_are_whole_bodies() -> None:
    bodies = {CODE[site.start : site.end] for site in all_sites() if site.kind is SiteKind.BLOCK}
    assert "\n                self.store.put_value(name)" in bodies
    assert "self.store.put_value(name)" in bodies, "from the next line as well"
    assert all(body.count("\n") <= MAX_BLOCK_LINES for body in bodies)
    loop = CODE[CODE.index("names:") + 6 : CODE.index("\n        return")]
    assert loop in bodies


def test_brace_languages_have_blocks_too() -> None:
    text = (
        "function addAll(parts) {\n  for (const part of parts) {\n    use(part)\n  }\n  return parts\n}\n" * 2
    )
    found = [
        site
        for seed in range(50)
        for site in FileSites("a.js", text, [], random.Random(seed)).near_one_another(8, 0)
    ]
    assert "\n    use(part)" in {text[site.start : site.end] for site in found if site.kind is SiteKind.BLOCK}


def test_comments_and_docstrings_are_no_sites_and_imports_seldom() -> None:
    lines = CODE.split("\n")
    found = [lines[site.line].strip() for site in all_sites() if site.kind is not SiteKind.BLOCK]
    assert not [line for line in found if line.startswith(("#", '"""'))]
    imports = [line for line in found if line.startswith(("import ", "from "))]
    assert 0 < len(imports) < 0.1 * len(found)


def test_a_seed_gives_the_same_sites() -> None:
    assert sites(5) == sites(5)
    assert sites(5) != sites(6)
