"""The matrix as CSV: one line per pair of groups, and one per pair of categories that has a value.

An empty similarity stands for the default, so that a file brings back what was set and unset.
"""

import csv
from collections.abc import Iterable, Iterator
from io import StringIO

from catalog.models import CategoryGroup
from catalog.similarity.edits import Edit
from catalog.similarity.values import Level, Pair, Values, names, ordered, stored_values

COLUMNS = ("level", "a", "b", "similarity")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
MAX_BYTES = 5_000_000


class CsvProblemsError(ValueError):
    """A file that cannot be taken; `problems` names each bad line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def export_matrix() -> str:
    """The file: every pair of groups, and the overrides."""
    values, known = stored_values(), names()
    groups = list(CategoryGroup.objects.order_by("pk").values_list("pk", flat=True))
    pairs = [(Level.GROUPS, a, b) for i, a in enumerate(groups) for b in groups[i + 1 :]]
    pairs += [pair for pair in sorted(values) if pair[0] is Level.CATEGORIES]
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for level, a, b in pairs:
        similarity = values.get((level, a, b), "")
        writer.writerow([level, _escaped(known[level][a]), _escaped(known[level][b]), similarity])
    return buffer.getvalue()


def read_edits(content: bytes) -> list[Edit]:
    """The edits that a file asks for; lines that say what is stored already ask for none.

    Raises:
        CsvProblemsError: with the number and the reason of every line that cannot be taken.
    """
    lines, problems, wanted = _lines(content), [], {}
    known = {level: {name: pk for pk, name in by_key.items()} for level, by_key in names().items()}
    for number, line in lines:
        try:
            pair, similarity = _parsed(line, known)
        except ValueError as error:
            problems.append(f"line {number}: {error}")
            continue
        if wanted.setdefault(pair, similarity) != similarity:
            problems.append(f"line {number}: this pair has another value in an earlier line")
    if problems:
        raise CsvProblemsError(problems)
    return _differing(wanted, stored_values())


def _differing(wanted: dict[Pair, float | None], stored: Values) -> list[Edit]:
    return [
        Edit(*pair, similarity=similarity, seen=stored.get(pair))
        for pair, similarity in wanted.items()
        if similarity != stored.get(pair)
    ]


def _lines(content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    if len(content) > MAX_BYTES:
        raise CsvProblemsError([f"the file is larger than {MAX_BYTES:,} bytes"])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CsvProblemsError(["the file is not UTF-8 text"]) from error
    reader = csv.DictReader(StringIO(text.replace("\0", "")))
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise CsvProblemsError([f"line 1: expected the columns {', '.join(COLUMNS)}"])
    return enumerate(_rows(reader), start=2)


def _rows(reader: Iterable[dict[str, str]]) -> Iterator[dict[str, str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise CsvProblemsError([f"the file is no CSV: {error}"]) from error


def _parsed(line: dict[str, str], known: dict[Level, dict[str, int]]) -> tuple[Pair, float | None]:
    if None in line or None in line.values():
        raise ValueError(f"expected {len(COLUMNS)} cells")
    try:
        level = Level(line["level"])
    except ValueError as error:
        expected = " or ".join(Level)
        raise ValueError(f"level must be {expected}; got {line['level']!r}") from error
    keys = [_key(line[side], known[level], level) for side in ("a", "b")]
    if keys[0] == keys[1]:
        raise ValueError("one thing is like itself by definition")
    return ordered(level, *keys), _similarity(line["similarity"])


def _key(name: str, known: dict[str, int], level: Level) -> int:
    plain = name[1:] if name.startswith("'") and name[1:].startswith(FORMULA_STARTS) else name
    if plain not in known:
        raise ValueError(f"there is no {level.value} entry named {plain!r}")
    return known[plain]


def _similarity(text: str) -> float | None:
    if not text.strip():
        return None
    try:
        similarity = float(text)
    except ValueError as error:
        raise ValueError(f"expected a number from 0 to 1; got {text!r}") from error
    if not 0 <= similarity <= 1:
        raise ValueError(f"a similarity lies between 0 and 1; got {text}")
    return similarity


def _escaped(name: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    return f"'{name}" if name.startswith(FORMULA_STARTS) else name
