"""Relay connections: over rows by keyset cursors, over a ranking by position.

A keyset cursor holds the last row's sort values, so that the thousandth page costs as much as the
first and a new product shifts nothing.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Self, TypeVar

import strawberry
from django.db.models import QuerySet
from strawberry import relay
from strawberry.relay.utils import from_base64, to_base64
from strawberry_django.relay import DjangoCursorConnection, DjangoCursorEdge

from catalog.graphql_cost import cost
from catalog.graphql_errors import bad_user_input, checked_count

DEFAULT_PAGE = 20
MAX_PAGE = 100
MAX_RANK = 100  # a ranking is read from its top; nobody pages past its hundredth row
RANK_PREFIX = "rank"

First = Annotated[
    int | None, strawberry.argument(description="How many, 1 to 100; 20 where not said.")
]
After = Annotated[
    str | None, strawberry.argument(description="Go on after the edge with this cursor.")
]
Row = TypeVar("Row")


@strawberry.type(name="Edge", description="A row in its place.")
class RowEdge(DjangoCursorEdge[relay.NodeType]):
    """An edge whose cursor holds the row's sort values."""


@strawberry.type(name="Connection", description="A page of rows.")
class RowConnection(DjangoCursorConnection[relay.NodeType]):
    """A page of a queryset: one query, and one more where `totalCount` is asked for."""

    edges: list[RowEdge[relay.NodeType]] = strawberry.field(  # type: ignore[assignment]
        description="The rows of this page, with their cursors.", metadata=cost(0)
    )

    @classmethod
    def resolve_connection(
        cls,
        nodes: QuerySet,
        *,
        info: strawberry.Info,
        before: str | None = None,
        after: str | None = None,
        first: int | None = None,
        last: int | None = None,
        **kwargs: Any,
    ) -> Self:
        """The page that the arguments ask for.

        Raises:
            GraphQLError: BAD_USER_INPUT for a page that is too large, or a foreign cursor.
        """
        if first is not None and last is not None:
            raise bad_user_input("Give `first` or `last`, not both.")
        if last is None:
            first = checked_count("first", DEFAULT_PAGE if first is None else first)
        else:
            checked_count("last", last)
        for name, cursor in (("before", before), ("after", after)):
            _refuse_unreadable(name, cursor)
        try:
            return super().resolve_connection(
                nodes, info=info, before=before, after=after, first=first, last=last, **kwargs
            )
        except ValueError as error:  # the cursor's values are not those of this order
            if before is None and after is None:
                raise
            raise bad_user_input("The cursor is not one of this list and order.") from error


def _refuse_unreadable(argument: str, cursor: str | None) -> None:
    """Refuse a cursor that decodes to no list of storable texts and nulls."""
    if cursor is None:
        return
    try:
        prefix, values = from_base64(cursor)
        texts = [value for value in json.loads(values) if value is not None]
        is_readable = prefix == RowEdge.CURSOR_PREFIX and not any("\x00" in t for t in texts)
        "".join(texts).encode()  # a lone surrogate has no UTF-8
    except (ValueError, TypeError, RecursionError):
        is_readable = False
    if not is_readable:
        raise bad_user_input(f"`{argument}` must be a cursor that this list gave.")


@dataclass(frozen=True)
class RankedPage:
    """Which ranks a page of a ranking holds: `size` of them after the first `start`."""

    start: int
    size: int
    ranking: str = ""

    @classmethod
    def of(cls, first: int | None, after: str | None, ranking: str = "") -> Self:
        """The page that the arguments ask for.

        Args:
            first: how many rows.
            after: the cursor that they come after.
            ranking: names one that is stored; another one's cursors are refused.

        Raises:
            GraphQLError: BAD_USER_INPUT for a page that is too large, or a foreign cursor.
        """
        size = checked_count("first", DEFAULT_PAGE if first is None else first)
        start = 0 if after is None else _rank(after, ranking)
        return cls(start, min(size, MAX_RANK - start), ranking)

    @property
    def n_needed(self) -> int:
        """How much of the ranking must be known: one more row tells whether a page follows."""
        return min(self.start + self.size + 1, MAX_RANK)

    def ranked(self, rows: Sequence[Row]) -> list[tuple[str, Row]]:
        """This page's rows of a ranking that begins at its top, with their cursors."""
        part = rows[self.start : self.start + self.size]
        of_ranking = f"@{self.ranking}" if self.ranking else ""
        return [
            (to_base64(RANK_PREFIX, f"{rank}{of_ranking}"), row)
            for rank, row in enumerate(part, self.start + 1)
        ]

    def info(self, rows: Sequence[object]) -> relay.PageInfo:
        """What the page says of itself, given the ranking from its top."""
        cursors = [cursor for cursor, _ in self.ranked(rows)]
        return relay.PageInfo(
            has_next_page=len(rows) > self.start + self.size,
            has_previous_page=self.start > 0,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        )


def _rank(cursor: str, ranking: str) -> int:
    """How many rows come before what follows the cursor."""
    try:
        prefix, position = from_base64(cursor)
        rank, _, of = position.partition("@")
        if prefix == RANK_PREFIX and of and ranking and of != ranking:
            raise bad_user_input(
                "`after` is a cursor of another set: go on in that one, by "
                "`recommendationSet(id:)`."
            )
        if of != ranking:
            raise ValueError("a cursor of another list")
        if prefix == RANK_PREFIX and rank.isascii() and rank.isdigit() and len(rank) <= 3:
            return min(int(rank), MAX_RANK)
    except ValueError:
        pass
    raise bad_user_input("`after` must be a cursor that this list gave.")
