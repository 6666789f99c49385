"""From rows to items: the photos of one product together, and the category's one group."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from catalog.importing.rows import ImportRow, Problem, printable, shown


@dataclass(frozen=True)
class Item:
    """One product as the whole source describes it, and its photos by view."""

    item_id: str
    product: dict[str, object]  # None where the source has the field but leaves it empty
    photos: dict[str, ImportRow]


def refuse_contradictions(rows: Iterable[ImportRow]) -> tuple[list[ImportRow], list[Problem]]:
    """The rows that agree with those before them, and a problem for each other.

    Refused are: the same item and view again (for a photo without a view: the same item and file),
    and a row that gives its item another value than an earlier row. A value left empty agrees
    with any.
    """
    kept: list[ImportRow] = []
    problems: list[Problem] = []
    seen: dict[tuple[object, ...], ImportRow] = {}
    products: dict[str, dict[str, tuple[object, ImportRow]]] = defaultdict(dict)
    for row in rows:
        first = seen.setdefault(_photo_key(row), row)
        if first is not row:
            what = f"view {shown(row.view)}" if row.view else "the same photo"
            item_id = shown(row.item_id)
            problems.append(row.problem(f"{what} of item {item_id} again, after {_place(first)}"))
            continue
        reason = _disagreement(row, products[row.item_id])
        if reason:
            problems.append(row.problem(reason))
            continue
        for name, value in row.product.items():
            if value is not None:
                products[row.item_id].setdefault(name, (value, row))
        kept.append(row)
    return kept, problems


def collect_items(rows: Iterable[ImportRow]) -> list[Item]:
    """The items of rows without contradictions, in order of their first row."""
    by_item: dict[str, list[ImportRow]] = defaultdict(list)
    for row in rows:
        by_item[row.item_id].append(row)
    return [Item(item_id, _merged(found), _views(found)) for item_id, found in by_item.items()]


def choose_groups(rows: Iterable[ImportRow]) -> tuple[dict[str, str], list[str]]:
    """The group that most rows give each category, and a warning where they differ.

    Where two groups are listed equally often, the one listed first.
    """
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        if row.category_group:
            votes[str(row.product["category"])][row.category_group] += 1
    groups = {category: counts.most_common(1)[0][0] for category, counts in votes.items()}
    warnings = [
        f"category {shown(category)} is listed under "
        + " and ".join(f"{shown(group)} (rows: {n})" for group, n in counts.most_common())
        + f"; {shown(groups[category])} was taken"
        for category, counts in sorted(votes.items())
        if len(counts) > 1
    ]
    return groups, warnings


def _photo_key(row: ImportRow) -> tuple[object, ...]:
    if row.view:
        return row.item_id, row.view, row.pose
    return row.item_id, row.image.with_suffix("") if not row.line else row.image


def _disagreement(row: ImportRow, known: dict[str, tuple[object, ImportRow]]) -> str:
    for name, value in row.product.items():
        if value is not None and name in known and known[name][0] != value:
            earlier, source = known[name]
            return (
                f"item {shown(row.item_id)} has {name} {shown(str(value))} here, but "
                f"{shown(str(earlier))} in {_place(source)}"
            )
    return ""


def _place(row: ImportRow) -> str:
    return f"line {row.line}" if row.line else f"file {printable(row.file)}"


def _merged(rows: list[ImportRow]) -> dict[str, object]:
    product: dict[str, object] = {}
    for row in rows:
        for name, value in row.product.items():
            if product.get(name) is None:
                product[name] = value
    return product


def _views(rows: list[ImportRow]) -> dict[str, ImportRow]:
    """Photos by view: further poses of one become `front-2` ..., photos without a view `1` ..."""
    views: dict[str, ImportRow] = {}
    counts: Counter[str] = Counter()
    for row in sorted((row for row in rows if row.view), key=lambda row: row.pose):
        counts[row.view] += 1
        number = counts[row.view]
        views[row.view if number == 1 else f"{row.view}-{number}"] = row
    number = 0
    for row in rows:
        if not row.view:
            number += 1
            while str(number) in views:
                number += 1
            views[str(number)] = row
    return views
