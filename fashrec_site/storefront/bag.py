"""The shopping bag: item ids in the browser's session, until they are bought."""

from collections.abc import Iterator

from django.http import HttpRequest

SESSION_KEY = "bag"
MAX_LINES = 50


class Bag:
    """What a visitor wants to buy, each product once, with the recommendations it came from."""

    def __init__(self, request: HttpRequest) -> None:
        self._session = request.session
        self._lines: dict[str, str] = self._session.get(SESSION_KEY, {})

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._lines

    def recommendation_of(self, item_id: str) -> str | None:
        """The id of the recommendations that led to it."""
        return self._lines.get(item_id) or None

    def add(self, item_id: str, recommendation_id: str | None) -> bool:
        """Put a product in; False where the bag is full."""
        if item_id not in self._lines and len(self) >= MAX_LINES:
            return False
        self._keep(self._lines | {item_id: recommendation_id or ""})
        return True

    def remove(self, item_id: str) -> None:
        """Take a product out."""
        self._keep({known: value for known, value in self._lines.items() if known != item_id})

    def clear(self) -> None:
        """Take everything out."""
        self._keep({})

    def _keep(self, lines: dict[str, str]) -> None:
        self._lines = lines
        self._session[SESSION_KEY] = lines
