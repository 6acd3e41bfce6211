"""What the tests of every editor have in common: a small workspace, what is typed there, and what the
built-in model and a scripted instruct model say to it. Knows no editor.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

INVENTORY = '''"""What is in stock."""

from dataclasses import dataclass, field


@dataclass
class Item:
    """Something that can be sold."""

    name: str
    unit_price: float
    quantity: int = 1


@dataclass
class Inventory:
    """All items of a shop."""

    items: list[Item] = field(default_factory=list)

    def add_item(self, item: Item) -> None:
        """Put an item on the shelf."""
        self.items.append(item)

    def find_item(self, name: str) -> Item | None:
        """The item of this name, if there is one."""
        for item in self.items:
            if item.name == name:
                return item
        return None


def price_with_tax(unit_price: float, tax_rate: float) -> float:
    """A price, tax included."""
    return unit_price * (1 + tax_rate)


def format_price(amount: float) -> str:
    """An amount as it is printed."""
    return f"{amount:.2f} EUR"
'''

HEAD = '''"""Print what a shop sells."""

from inventory import Inventory, Item, format_price, price_with_tax

TAX_RATE = 0.2


def report(inventory: Inventory) -> None:
    """Print every item with its price."""
'''


@dataclass(frozen=True)
class Scene:
    """A place at the end of main.py: what stands there, what is typed, and what is offered then."""

    before: str
    typed: str
    offered: str

    @property
    def text(self) -> str:
        """main.py before anything is typed; the cursor is at its end."""
        return HEAD + self.before

    @property
    def accepted(self) -> str:
        """main.py after the whole offer is accepted."""
        return self.text + self.typed + self.offered


LINE = Scene(
    before="    for item in inventory.items:\n        ",
    typed="print(item.name, format_",
    offered="price(item.unit_price))",
)
"""One line; `format_price` and `unit_price` are defined in inventory.py. Its first word is `price`."""

BLOCK = Scene(
    before="    ",
    typed="for item in",
    offered=" inventory.items:\n        print(item.name, item.unit_price, item.unit_price, item.total)",
)
"""Two lines; the model is wrong about `total`."""


SLIP = "print(item.name format_price item.unit_price)"
MENDED = "print(item.name, format_price(item.unit_price))"
NOTE = "shout the name"
SHOUTED = "print(item.name.upper(), format_price(item.unit_price))"
EXPLANATION = "It prints **one line** for each item. The price has its tax already."
SAID, UNSAID = "one line", "already"
"""Words of the first and of the second half of the explanation."""


def with_line(line: str) -> str:
    """main.py with this as the last line of its function."""
    return LINE.text + line


def instruct(messages: list[dict[str, str]]) -> str:
    """What the scripted instruct model answers."""
    question = messages[-1]["content"]
    if NOTE in question:
        return f"```python\n{SHOUTED}\n```"
    return f"```python\n{MENDED}\n```" if "anew" in messages[0]["content"] else EXPLANATION


def write_workspace(folder: Path, text: str) -> Path:
    """inventory.py, and main.py with this text, as a repository; gives main.py."""
    (folder / ".git").mkdir(parents=True, exist_ok=True)
    (folder / "inventory.py").write_text(INVENTORY, encoding="utf-8")
    main = folder / "main.py"
    main.write_text(text, encoding="utf-8")
    return main
