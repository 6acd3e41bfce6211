"""The packed VS Code extension: its settings are the server's, and nothing but what belongs is in it."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from zipfile import ZipFile

import pytest

from lsp_server.settings import RESTRICTED, Settings, load_settings
from lsp_server.settings_layer import camel_case, keys_of
from vscode_package import EXTENSION, ROOT, built_vsix, installed, npm

FILES = {
    "LICENSE.txt",
    "changelog.md",
    "readme.md",
    "package.json",
    "dist/extension.js",
    "dist/third-party-licenses.txt",
    *(f"media/{name}" for name in ("explain.css", "explain.js", "icon.png", "icon.svg")),
    *(
        f"media/walkthrough/{name}.md"
        for name in ("install", "ghost-text", "keys", "context", "model", "privacy")
    ),
}
WORDS = ("default", "scope", "markdownDescription", "enumDescriptions", "uniqueItems")
"""Of a declaration, what says nothing about its type."""
OWN = "ghostfill.command"


def package() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((EXTENSION / "package.json").read_text(encoding="utf-8"))
    return read


def declared() -> dict[str, dict[str, Any]]:
    groups = package()["contributes"]["configuration"]
    return {key: value for group in groups for key, value in group["properties"].items()}


def of_server() -> dict[str, Any]:
    """The annotation of each of the server's settings, by the name that it has in VS Code."""
    return {f"ghostfill.{camel_case(key)}": annotation for key, annotation in keys_of(Settings).items()}


def fragment(kind: Any) -> dict[str, Any]:
    """What JSON schema says of one alternative of an annotation."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        bounds = {"minimum": arguments[1].low, "maximum": arguments[1].high}
        return fragment(arguments[0]) | {k: v for k, v in bounds.items() if v != float("inf")}
    if origin is Literal:
        return {"type": "string", "enum": list(arguments)}
    if origin is tuple:
        return {"type": "array", "items": {"type": "string"}}
    plain = {bool: "boolean", int: "integer", float: "number", NoneType: "null"}
    return {"type": plain[kind]} if kind in plain else {"type": "string", "minLength": 1}


def schema(annotation: Any) -> dict[str, Any]:
    """What JSON schema says of an annotation, in the forms that the settings editor can show."""
    is_union = get_origin(annotation) in (Union, UnionType)
    first, *others = get_args(annotation) if is_union else (annotation,)
    if not others:
        return fragment(first)
    (second,) = others
    if second is not NoneType:  # a word or a number
        number = fragment(second)
        return {"type": ["string", number["type"]], "anyOf": [{"const": get_args(first)[0]}, number]}
    if first is str:
        return {"type": "string"}  # the server reads an empty string as null
    value = fragment(first)
    nullable = {"enum": [*value["enum"], None]} if "enum" in value else {}
    return value | {"type": [value["type"], "null"]} | nullable


def test_the_settings_are_those_of_the_server_and_the_command() -> None:
    assert declared().keys() == of_server().keys() | {OWN}


@pytest.mark.parametrize("key", sorted(of_server()))
def test_a_setting_has_the_servers_type_and_default(key: str, tmp_path: Path) -> None:
    declaration = declared()[key]
    assert {k: v for k, v in declaration.items() if k not in WORDS} == schema(of_server()[key])
    options = {key.removeprefix("ghostfill."): declaration["default"]}
    assert load_settings(options, None, [], tmp_path / "none") == (Settings(), [])
    assert declaration["markdownDescription"].endswith(".")


def test_what_only_the_user_may_set_is_out_of_a_workspaces_reach() -> None:
    sections = (*RESTRICTED, "privacy")
    expected = [
        key
        for key in declared()
        if key == OWN or key.removeprefix("ghostfill.").partition(".")[0] in sections
    ]
    assert [key for key, value in declared().items() if value["scope"] == "machine"] == expected
    trust = package()["capabilities"]["untrustedWorkspaces"]
    assert trust["supported"] == "limited"
    assert trust["restrictedConfigurations"] == expected
    assert package()["extensionKind"] == ["workspace"]


def test_the_version_and_the_license_are_the_projects() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    assert (package()["version"], package()["license"]) == (project["version"], project["license"])
    assert (EXTENSION / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_every_command_of_the_palette_has_its_code() -> None:
    named = {each["command"] for each in package()["contributes"]["commands"]}
    code = (EXTENSION / "src" / "commands.ts").read_text(encoding="utf-8")
    registered = {f"ghostfill.{name}" for name in re.findall(r"^    (\w+): ", code, re.MULTILINE)}
    assert named == registered


def test_types_lint_and_format() -> None:
    installed()
    npm("run", "check")


def test_unit_tests() -> None:
    installed()
    npm("test")


def test_the_package_holds_what_it_needs_and_names_no_registry() -> None:
    with ZipFile(built_vsix()) as archive:
        inside = {name.removeprefix("extension/"): archive.read(name) for name in archive.namelist()}
    assert inside.keys() - {"[Content_Types].xml", "extension.vsixmanifest"} == FILES
    texts = [content.decode() for name, content in inside.items() if not name.endswith(".png")]
    lock = (EXTENSION / "package-lock.json").read_text(encoding="utf-8")
    for text in (*texts, lock):
        assert '"resolved"' not in text
        assert not re.search(r"https?://[\w.:-]*(?:npm|registry)", text)
    assert sum(map(len, inside.values())) < 1 << 20
