"""The room's public face is what others may rely on."""

import context


def test_public_names() -> None:
    assert context.__all__ == ["Plan", "RepoContext"]
    assert context.__all__ == sorted(context.__all__)
