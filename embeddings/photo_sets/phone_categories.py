"""Which of the catalogue's categories a phone photo's label may be found in."""

import json
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_suffix(".json")


@cache
def phone_categories() -> dict[str, frozenset[str]]:
    """The 17 labels of phone photos, and the catalogue categories that are a hit for each.

    A label without any (a baby's body) has no counterpart in the catalogue and is not asked for.
    """
    named = json.loads(FILE.read_text(encoding="utf-8"))
    return {label: frozenset(categories) for label, categories in named.items()}
