"""Names of other files are those that `context` resolves, at the places where they stand."""

from training.corpus.repository import Repository, SourceFile
from training.samples.names import RepositoryNames

STORE = '''class Store:
    """Keeps values."""

    limit: int = 3

    def put_value(self, key: str) -> None:
        """Remember."""
        self.latest = key


def open_store(path: str) -> Store:
    return Store()
'''
USER = """from pkg import store
from pkg.store import Store as Shelf, open_store


def run(shelf: Shelf) -> None:
    shelf.put_value("a")  # put_value again
    store.open_store("b")
    mine = local_thing(open_store)


def local_thing(x):
    return x
"""
JS_LIB = """export function joinParts(parts) {
  return parts.join('/')
}

export class Router {
  addRoute(path) {}
}
"""
JS_USER = """import { joinParts, Router } from './lib.js'

const made = new Router()
made.addRoute(joinParts(['a']))
"""


def names_of(**texts: str) -> RepositoryNames:
    languages = {"py": "python", "js": "javascript", "go": "go"}
    files = [
        SourceFile(f"pkg/{name.replace('_', '.')}", languages[name.rpartition("_")[2]], text)
        for name, text in texts.items()
    ]
    return RepositoryNames(Repository("k", "MIT", (SourceFile("pkg/__init__.py", "python", ""), *files)))


def test_python_names_are_found_where_they_stand_outside_of_imports() -> None:
    uses = names_of(store_py=STORE, user_py=USER).uses("pkg/user.py")
    for use in uses:
        assert USER.startswith(use.name, use.offset)
    imports = USER.index("\n\n")
    assert all(use.offset > imports for use in uses)
    assert {use.name for use in uses} >= {"Shelf", "open_store", "put_value"}
    assert "local_thing" not in {use.name for use in uses}
    assert [use.offset for use in uses] == sorted({use.offset for use in uses})


def test_a_definition_is_where_the_name_is_defined() -> None:
    uses = {use.name: use for use in names_of(store_py=STORE, user_py=USER).uses("pkg/user.py")}
    lines = STORE.split("\n")
    for name, header in (
        ("open_store", "def open_store"),
        ("put_value", "def put_value"),
        ("Shelf", "class Store"),
    ):
        (place,) = uses[name].places
        assert place.path == "pkg/store.py"
        assert header in lines[place.first_line]
        assert header in place.signature
        assert place.signature.endswith("\n")
    assert "class Store" in uses["put_value"].places[0].signature, "a member stands in its class"


def test_javascript_names_too() -> None:
    uses = {use.name for use in names_of(lib_js=JS_LIB, app_js=JS_USER).uses("pkg/app.js")}
    assert uses >= {"joinParts", "Router", "addRoute"}


def test_a_file_that_uses_nothing_and_a_language_without_grammar_have_none() -> None:
    names = names_of(store_py=STORE, main_go="package main\n\nfunc main() { Store() }\n")
    assert names.uses("pkg/store.py") == []
    assert names.uses("pkg/main.go") == []
