"""Where repository text comes from, and when that is worth a warning."""

from __future__ import annotations

import pytest

from lsp_server.folder_shares import folder_shares, warning_of


def folders(own: str, *sources: tuple[str, int]) -> list[tuple[str, int]]:
    return [(share.folder, share.num_tokens) for share in folder_shares(sources, own)]


def test_folders_are_named_down_to_where_the_paths_part() -> None:
    sources = ("src/pkg/a.py", 10), ("src/pkg/b.py", 20), ("src/pkg/sub/deep/c.py", 40)

    assert folders("src/pkg/me.py", *sources) == [("src/pkg/sub", 40), ("src/pkg", 30)]
    assert folders("tests/test_me.py", *sources) == [("src", 70)]
    assert folders("setup.py", *sources) == [("src", 70)]


def test_files_of_the_root_have_a_name_too() -> None:
    assert folders("me.py", ("utils.py", 5), ("a/b.py", 1)) == [(".", 5), ("a", 1)]


def test_a_vendored_folder_inside_the_own_package_stands_for_itself() -> None:
    shares = folder_shares(
        [("pip/_vendor/rich/text.py", 90), ("pip/_internal/x.py", 10)], "pip/_internal/me.py"
    )

    assert [(share.folder, share.share, share.is_own, share.is_vendored) for share in shares] == [
        ("pip/_vendor", 0.9, False, True),
        ("pip/_internal", 0.1, True, False),
    ]


def test_nothing_comes_from_nowhere() -> None:
    assert folder_shares([], "me.py") == ()
    assert warning_of(()) == ""


@pytest.mark.parametrize(
    ("own", "sources", "words"),
    [
        pytest.param(
            "app/me.py",
            [("vendor/big/a.py", 51), ("app/b.py", 49)],
            "51% .* vendor, which looks",
            id="vendored",
        ),
        pytest.param(
            "app/me.py", [("node_modules/x/a.js", 9), ("app/b.js", 1)], "node_modules, which", id="npm"
        ),
        pytest.param(
            "pkg/me.py", [("pkg/_vendor/x/a.py", 9), ("pkg/b.py", 1)], "pkg/_vendor, which", id="inside"
        ),
        pytest.param(
            "app/me.py", [("other/a.py", 3), ("app/b.py", 1)], "75% .* other, outside", id="elsewhere"
        ),
        pytest.param(
            "src/a/me.py", [("src/b/x.py", 3), ("src/a/y.py", 1)], "75% .* src/b, outside", id="src"
        ),
    ],
)
def test_a_foreign_folder_with_more_than_half_is_said(
    own: str, sources: list[tuple[str, int]], words: str
) -> None:
    import re

    assert re.search(words, warning_of(folder_shares(sources, own)))


@pytest.mark.parametrize(
    ("own", "sources"),
    [
        pytest.param("app/me.py", [("vendor/a.py", 50), ("app/b.py", 50)], id="half is not more than half"),
        pytest.param("pkg/sub/me.py", [("pkg/a.py", 99), ("pkg/sub/b.py", 1)], id="the package above"),
        pytest.param("pkg/me.py", [("pkg/sub/a.py", 99), ("pkg/b.py", 1)], id="a package below"),
        pytest.param("pkg/one/me.py", [("pkg/two/a.py", 99), ("pkg/b.py", 1)], id="a package beside"),
        pytest.param("vendor/x/me.py", [("vendor/x/a.py", 99)], id="at work on vendored code"),
    ],
)
def test_the_own_package_is_no_reason_to_warn(own: str, sources: list[tuple[str, int]]) -> None:
    assert warning_of(folder_shares(sources, own)) == ""
