"""Query texts that were parsed and found valid before are neither parsed nor validated again.

A storefront sends the same few texts for ever. Parsing and validating one of 600 characters costs
more than a millisecond; the library's two caches key on the whole document, whose hash costs much
of what they save, and one of them would overwrite a refusal by `QueryLimits`.
"""

from collections.abc import Iterator
from functools import lru_cache

from graphql import DocumentNode
from strawberry.extensions import SchemaExtension

# A document takes up to some 150 times its text: at most 40 MB per process, whoever asks.
MAX_CHARACTERS = 2_000
MAX_QUERIES = 128


class Known:
    """A place for one text's document, empty until that was found valid."""

    document: DocumentNode | None = None


@lru_cache(MAX_QUERIES)
def _known(query: str, rules: tuple[type, ...]) -> Known:
    """The place of a text under the validation rules of its caller."""
    return Known()


class KnownQueries(SchemaExtension):
    """Schema extension; must come after those that refuse queries or add validation rules."""

    _known: Known | None = None

    def on_parse(self) -> Iterator[None]:
        """Give the execution the known document."""
        context = self.execution_context
        if context.query and len(context.query) <= MAX_CHARACTERS:
            self._known = _known(context.query, context.validation_rules)
            context.graphql_document = self._known.document
        yield

    def on_validate(self) -> Iterator[None]:
        """Skip what is known to be valid, and remember what turns out to be."""
        context = self.execution_context
        is_refused = bool(context.pre_execution_errors)
        if self._known and self._known.document and not is_refused:
            context.pre_execution_errors = []
        yield
        if self._known and not context.pre_execution_errors:
            self._known.document = context.graphql_document
