"""`node(id)`: any thing with a global id, by that id."""

import strawberry
from strawberry import relay

MAX_KEY = 2**63 - 1


def resolve_node(info: strawberry.Info, global_id: relay.GlobalID) -> relay.Node | None:
    """The row with this global id; None where there is none that the caller may see.

    Raises:
        GlobalIDValueError: the id is of no type that has nodes.
    """
    node_type = global_id.resolve_type(info)
    if not getattr(node_type, "is_key", is_key)(global_id.node_id):
        return None
    row = node_type.resolve_node(global_id.node_id, info=info, required=False)
    return row and strawberry.cast(node_type, row)


def is_key(text: str) -> bool:
    """Whether `text` spells a key that a row could have."""
    return text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= MAX_KEY
