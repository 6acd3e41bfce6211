"""What must never be emitted: the target file under any name, secrets, ignored files."""

import os
from pathlib import Path

import pytest

from context import Plan
from context.store import FactsStore

FILES = {
    "pkg/__init__.py": "",
    "pkg/tool.py": "def helper(): ...\n",
    "pkg/main.py": "",
    "pkg/user.py": "import pkg.main\nfrom pkg.tool import helper\n",
}
TEXT = "from pkg.tool import helper\nfrom pkg.user import helper\nimport pkg.main\n\ndef run():\n    |\n"
ANSWER = "import pkg.user\nfrom .tool import *\ndef the_answer():\n    return 42\n\nclass Answer: ...\n"


def emitted(plan: Plan) -> str:
    return "".join(segment.text + segment.path + segment.reason for segment in plan.segments)


def everything(plan: Plan) -> object:
    return plan.segments, plan.num_tokens, plan.considered


def test_the_answer_on_disk_does_not_change_the_plan(workspace) -> None:
    expected = workspace.plan(workspace.open(FILES), "pkg/main.py", TEXT)

    planted = workspace.plan(workspace.open({"pkg/main.py": ANSWER}), "pkg/main.py", TEXT)

    assert everything(planted) == everything(expected)
    assert "helper" in emitted(expected)


def plant_symlink(root: Path) -> Path:
    (root / "pkg" / "main.py").write_text(ANSWER)
    (root / "link.py").symlink_to(root / "pkg" / "main.py")
    return root / "link.py"


def plant_hard_link(root: Path) -> Path:
    (root / "pkg" / "main.py").write_text(ANSWER)
    os.link(root / "pkg" / "main.py", root / "pkg" / "aaa_copy.py")
    return root / "pkg" / "main.py"


def plant_other_case(root: Path) -> Path:
    (root / "pkg" / "MAIN.py").write_text(ANSWER)
    return root / "pkg" / "main.py"


def plant_twins(root: Path) -> Path:
    names = (
        "main.py.orig",
        "main.orig.py",
        "main.py~",
        "main copy.py",
        "main_BACKUP_123.py",
        "#main.py#",
        "main (1).py",
    )
    for name in names:
        (root / "pkg" / name).write_text(ANSWER)
    return root / "pkg" / "main.py"


def plant_folder_link(root: Path) -> Path:
    (root / "pkg" / "main.py").write_text(ANSWER)
    (root / "other").symlink_to(root / "pkg", target_is_directory=True)
    return root / "other" / "main.py"


@pytest.mark.parametrize(
    "plant",
    [plant_symlink, plant_hard_link, plant_other_case, plant_twins, plant_folder_link],
    ids=["symbolic link", "hard link", "other case", "backup twins", "through a linked folder"],
)
def test_no_other_name_of_the_target_is_a_source(workspace, plant) -> None:
    workspace.write(FILES)
    path = plant(workspace.root)
    context = workspace.open()
    before, _, after = TEXT.partition("|")

    plan = context.plan(path, before + after, len(before), budget_tokens=4000, count_tokens=len)

    assert "answer" not in emitted(plan).lower()
    assert "helper" in emitted(plan)


def test_the_targets_own_buffer_is_no_source(workspace) -> None:
    context = workspace.open(FILES)
    context.set_open(workspace.root / "pkg" / "main.py", ANSWER)

    assert "answer" not in emitted(workspace.plan(context, "pkg/main.py", TEXT, 4000)).lower()


def test_secrets_and_ignored_files_are_emitted_neither_from_disk_nor_from_a_buffer(workspace) -> None:
    names = ("secrets.py", "credentials.py", ".env", "ignored.py", "private/mine.py", "node_modules/m.py")
    context = workspace.open(
        {
            ".gitignore": "ignored.py\n",
            **dict.fromkeys(names, "PASSWORD = 'hunter2'\n"),
            "ok.py": "def fine(): ...\n",
        },
        exclude=["private/"],
    )
    text = "import secrets, credentials, ignored\nfrom private import mine\nPASSWORD\n|"

    for name in names:
        assert context.is_excluded(workspace.root / name)
        context.set_open(workspace.root / name, "PASSWORD = 'hunter2'\n")
    plans = [
        workspace.plan(context, "main.py", text, 4000),
        workspace.plan(context, "main.ts", text, 4000, language="typescript"),
        workspace.plan(context, ".env.py", text, 4000, language="plaintext"),
    ]

    assert all("hunter2" not in emitted(plan) for plan in plans)
    assert "fine" in emitted(plans[0])
    assert not context.is_excluded(workspace.root / "ok.py")


@pytest.mark.parametrize(
    ("name", "is_private"),
    [
        (".env", True),
        ("private/mine.py", True),
        ("ignored.py", False),
        ("node_modules/m.py", False),
        ("ok.py", False),
    ],
)
def test_private_files_are_secrets_and_what_the_user_excludes(workspace, name: str, is_private: bool) -> None:
    context = workspace.open({".gitignore": "ignored.py\n"}, exclude=["private/"])

    assert context.is_private(workspace.root / name) is is_private


def test_an_ignored_file_may_itself_be_completed(workspace) -> None:
    context = workspace.open({".gitignore": "scratch.py\n", "tool.py": "def helper(): ...\n"})

    assert "helper" in emitted(workspace.plan(context, "scratch.py", "from tool import helper\n|"))


SECRETS = {
    "an assigned token": 'API_TOKEN = "abcdefghijklmnop1234"',
    "a dictionary": 'config = {"password": "correct horse battery"}',
    "a key of a cloud": "connect('AKIAABCDEFGHIJKLMNOP')",
    "a private key": "'-----BEGIN PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n-----END PRIVATE KEY-----'",
    "a token of a forge": "login('ghp_abcdefghijklmnopqrstuvwxyz0123456789')",
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("name", ["client.py", "client.lua"])
def test_an_excerpt_with_a_secret_is_not_shown(workspace, secret: str, name: str) -> None:
    use = "connection = open_connection(server_address)\nconnection.send_greeting(visitor)\n"
    rest = "log_visit(weather, temperature, humidity)\nclose_shop(register, cashier, keys, shutters)\n"
    context = workspace.open({name: f"{secret}\n{use}{rest}", "plain.py": f"import time\n{use}{rest}"})

    plan = workspace.plan(context, "main.py", f"{use}|\n", 4000)

    excerpts = "".join(segment.text for segment in plan.segments if segment.kind == "similar")
    assert "send_greeting" in excerpts
    assert not any(line in excerpts for line in secret.split("\n"))


def test_what_the_user_excludes_is_in_no_plan_no_report_and_no_store(workspace) -> None:
    text = "def hidden_helper():\n    return shown_helper()\n"
    names = ("private/mine.py", "deep/private/mine.ts", "Private.py", "notes.generated.py")
    workspace.write(dict.fromkeys(names, text) | {"shown.py": "def shown_helper(): ...\n"})
    context = workspace.open(exclude=["private/", "Private.py", "*.generated.*"])
    use = "from private.mine import hidden_helper\nimport Private\nfrom shown import shown_helper\n|"

    plan = workspace.plan(context, "main.py", use, 4000)
    around = context.imports_around(workspace.root / "shown.py")
    store = FactsStore([str(workspace.root)])

    said = emitted(plan) + "".join(row.path + row.reason for row in plan.considered)
    assert "private" not in said.lower()
    assert "hidden_helper" not in said
    assert "generated" not in said
    assert [node.path for node in around.nodes] == ["shown.py"]
    assert "shown_helper" in said
    context.close()
    assert b"hidden_helper" not in store.path.read_bytes()
    assert b"shown_helper" in store.path.read_bytes()


def test_a_link_into_an_excluded_folder_is_excluded(workspace) -> None:
    workspace.write({"private/mine.py": "def hidden_helper(): ...\n"})
    (workspace.root / "link.py").symlink_to(workspace.root / "private" / "mine.py")
    context = workspace.open(exclude=["private/"])
    context.set_open(workspace.root / "link.py", "def hidden_helper(): ...\n")

    plan = workspace.plan(context, "main.py", "from link import hidden_helper\n|", 4000)

    assert "def hidden_helper" not in emitted(plan)
