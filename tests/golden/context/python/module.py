"""Counts what it is given.

More.
"""

from __future__ import annotations

import os.path
from collections import Counter
from typing import TYPE_CHECKING, Any

from . import shapes as forms
from .naming import compute

if TYPE_CHECKING:
    from .money import Amount

__all__ = ["LIMIT", "Account", "total"]

LIMIT: int = 10
first, second = forms.pair()
TABLE = {
    "one": 1,
    "two": 2,
    "three": 3,
}


class Account(forms.Base, metaclass=forms.Meta):
    """Money of one owner.

    More.
    """

    currency: str = "EUR"

    def __init__(self, owner: str, *, amount: Amount | None = None) -> None:
        """Opens it."""
        super().__init__()
        self.owner = owner
        self.history: list[Any] = compute(
            amount,
        )
        self._hidden = 1

    @property
    def size(self) -> int:
        return len(self.history)

    async def pay(
        self,
        amount: Amount,
    ) -> None:
        import json

        self.last = json.dumps(amount)

    class Inner:
        pass


@forms.cached(size=3)
def total(accounts: list[Account]) -> Counter[str]:
    """Adds them."""
    return Counter(os.path.altsep for account in accounts)
