"""A mutation reads from the primary from its beginning: it must not decide by what is old."""

from collections.abc import Iterator

from strawberry.extensions import SchemaExtension
from strawberry.types.graphql import OperationType

from fashrec_site.replicas.reads import read_from_primary


class MutationsReadFromPrimary(SchemaExtension):
    """Schema extension; without replicas it changes nothing."""

    def on_execute(self) -> Iterator[None]:
        """Pin before the first resolver runs."""
        if self.execution_context.operation_type is OperationType.MUTATION:
            read_from_primary()
        yield
