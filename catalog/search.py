"""Text search over products: every word must match, by its beginning or despite a typo."""

import re
from collections.abc import Sequence
from functools import reduce
from operator import and_, or_

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import F, FloatField, QuerySet, Value
from django.db.models.functions import Cast
from rapidfuzz.distance import OSA

from catalog.database import reading_connection

MAX_WORDS = 8
MAX_CHARACTERS = 200
MIN_PREFIX = 3  # letters from which on a word also finds longer ones
MIN_SIMILARITY = 0.1  # of trigrams; "gwon" and "gown" share one in nine. Edits decide afterwards
N_CANDIDATES = 300
N_CORRECTIONS = 3
LANGUAGE = "english"  # as in migration 0003

KNOWN = """
SELECT word, EXISTS (
    SELECT 1 FROM catalog_productsearch WHERE document @@ to_tsquery('english', query)
), numnode(to_tsquery('english', query)) = 0
FROM unnest(%s::text[], %s::text[]) AS asked(word, query)
"""

# The share of trigrams in common, as pg_trgm's similarity(); the index serves the overlap (&&).
SIMILAR = """
WITH asked AS MATERIALIZED (
    SELECT word, catalog_trigrams(word) AS trigrams FROM unnest(%s::text[]) AS word
)
SELECT asked.word, near.word
FROM asked CROSS JOIN LATERAL (
    SELECT w.word, n_shared / (
        cardinality(w.trigrams) + cardinality(asked.trigrams) - n_shared
    ) AS similarity
    FROM catalog_searchword w, LATERAL (
        SELECT count(*)::float8 AS n_shared FROM unnest(w.trigrams) AS t
        WHERE t = ANY(asked.trigrams)
    ) AS shared
    WHERE w.trigrams && asked.trigrams
    ORDER BY similarity DESC, w.word LIMIT %s
) AS near
WHERE near.similarity >= %s
"""


def search_products(products: QuerySet, text: str) -> QuerySet:
    """Those of `products` that hold every word of `text`, with their `search_rank`.

    A word matches what it begins (from three letters on) and its other grammatical forms. A word
    that no product holds is taken for its nearest known words. Words that carry no meaning, such as
    "the", ask for nothing. Cost: a query now, and one more where a word is unknown.

    Raises:
        ValueError: `text` is longer than 200 characters.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"search must have at most {MAX_CHARACTERS} characters; got {len(text)}")
    words = _known_words(list(dict.fromkeys(re.findall(r"[^\W_]+", text.lower())))[:MAX_WORDS])
    unknown = [word for word, is_known in words.items() if not is_known]
    corrections = _corrections(unknown) if unknown else {}
    if not words:
        return products.annotate(search_rank=Value(0.0))
    if not all(corrections.get(word) for word in unknown):
        return products.none().annotate(search_rank=Value(0.0))
    query = reduce(and_, (_word_query(word, corrections.get(word, ())) for word in words))
    rank = Cast(SearchRank(F("search__document"), query), FloatField())
    return products.filter(search__document=query).annotate(search_rank=rank)


def _known_words(words: list[str]) -> dict[str, bool]:
    """Those of `words` that carry meaning, and whether any product holds them."""
    with reading_connection().cursor() as cursor:
        cursor.execute(KNOWN, [words, [_prefix(word) for word in words]])
        return {word: is_known for word, is_known, is_empty in cursor.fetchall() if not is_empty}


def _word_query(word: str, corrections: Sequence[str]) -> SearchQuery:
    """What a document must match for one word, or for any of its corrections."""
    if not corrections:
        return SearchQuery(_prefix(word), search_type="raw", config=LANGUAGE)
    near = (SearchQuery(known, search_type="plain", config=LANGUAGE) for known in corrections)
    return reduce(or_, near)


def _prefix(word: str) -> str:
    """The word as a raw tsquery; it holds letters and digits only."""
    return f"{word}:*" if len(word) >= MIN_PREFIX else word


def _corrections(unknown: list[str]) -> dict[str, list[str]]:
    """For each word the known words that it is most likely a typo of, nearest first."""
    with reading_connection().cursor() as cursor:
        cursor.execute(SIMILAR, [unknown, N_CANDIDATES, MIN_SIMILARITY])
        pairs = cursor.fetchall()
    nearest: dict[str, list[tuple[int, str]]] = {word: [] for word in unknown}
    for word, known in pairs:
        # Optimal string alignment counts two letters that changed places as one edit.
        n_edits = OSA.distance(word, known)
        if n_edits <= _allowed_edits(word):
            nearest[word].append((n_edits, known))  # a word may be there twice
    return {
        word: [known for _, known in sorted(set(found))[:N_CORRECTIONS]]
        for word, found in nearest.items()
    }


def _allowed_edits(word: str) -> int:
    """One edit in a short word, two in a long one; three letters could be anything."""
    return 0 if len(word) < 4 else 1 if len(word) < 7 else 2
