"""What a GraphQL field costs: declared beside the field, added up before the query runs."""

from typing import Any

BASIC = 1  # a row, or a field that needs a query of its own
SEARCH = 10  # reads an index of the whole catalogue: text, vectors, popularity
IMAGE = 20  # a network looks at a photo
PERSONAL = 20  # ranks the catalogue for one shopper


def cost(price: int, *, items: int | None = None) -> dict[str, Any]:
    """Metadata for a field: `strawberry.field(metadata=cost(PERSONAL))`.

    Args:
        price: of the field itself, once.
        items: how many rows a list field returns where no `first` or `last` says it; multiplies
            what is selected below it.
    """
    return {"cost": {"price": price, "items": items}}
