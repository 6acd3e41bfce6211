"""The corpus's order is that of the product's own index."""

import random
from pathlib import Path

from context import RepoContext
from context.graph import dependency_order
from training.corpus.order import in_dependency_order
from training.corpus.repository import SourceFile

FILES = {
    "shop/__init__.py": "from shop.basket import Basket\n",
    "shop/basket.py": "from .prices import price\nfrom shop import texts\n\n\nclass Basket:\n    pass\n",
    "shop/prices.py": "import shop.texts\n\n\ndef price(name):\n    from shop.app import main\n",
    "shop/texts.py": "HELLO = 'hello'\n",
    "shop/app.py": "from shop.basket import Basket\nfrom shop.prices import price\n",
    "web/index.js": "import { a } from './lib/a.js';\n",
    "web/lib/a.js": "import { b } from './b';\nexport const a = b;\n",
    "web/lib/b.ts": "export const b: number = 1;\n",
    "native/a.c": '#include "z.h"\n',
    "native/z.h": "int z(void);\n",
}


def in_order(files: dict[str, str]) -> list[str]:
    listed = [SourceFile(path, "", text) for path, text in files.items()]
    random.Random(1).shuffle(listed)
    return [file.path for file in in_dependency_order(listed)]


def test_what_a_file_imports_stands_before_it() -> None:
    order = in_order(FILES)

    assert sorted(order) == sorted(FILES)
    for before, after in [
        ("shop/texts.py", "shop/prices.py"),
        ("shop/prices.py", "shop/basket.py"),
        ("shop/prices.py", "shop/app.py"),
        ("web/lib/b.ts", "web/lib/a.js"),
        ("web/lib/a.js", "web/index.js"),
    ]:
        assert order.index(before) < order.index(after)


def test_languages_without_known_imports_keep_to_their_paths() -> None:
    order = in_order(FILES)

    assert order.index("native/a.c") < order.index("native/z.h")


def test_the_order_is_made_from_the_imports_that_the_product_sees(tmp_path: Path) -> None:
    """The oracle: each file's imports as the product's index tells them, over the files on disk."""
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    product = RepoContext([tmp_path])
    product.start()
    try:
        assert product.wait_ready(60)
        pairs = {pair for path in FILES for pair in product.imports_around(tmp_path / path).edges}
    finally:
        product.close()
    pairs.remove(("shop/prices.py", "shop/app.py"))  # inside a function: it says nothing of the order
    edges = {path: [imported for importer, imported in pairs if importer == path] for path in FILES}

    assert in_order(FILES) == dependency_order(FILES, edges)
