"""How large a GraphQL query is, before it runs: its depth, aliases and static cost.

Each fragment is measured once, however often it is spread, so that a chain of fragments that
doubles at every step costs as much to measure as it is long.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    is_interface_type,
    is_object_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

from catalog.graphql_connections import DEFAULT_PAGE

PAGE_ARGUMENTS = ("first", "last")


@dataclass(frozen=True)
class QuerySize:
    """What a part of a query asks for, with all its fragments written out."""

    depth: int = 0
    aliases: int = 0
    cost: int = 0

    def beside(self, other: "QuerySize") -> "QuerySize":
        """The size of both in one selection."""
        return QuerySize(
            max(self.depth, other.depth), self.aliases + other.aliases, self.cost + other.cost
        )


NOTHING = QuerySize()


def written_selections(document: DocumentNode) -> Iterator[Sequence[SelectionNode]]:
    """What stands between each pair of braces; fragments come once, as they are written."""
    pending = [d.selection_set for d in document.definitions if hasattr(d, "selection_set")]
    while pending:
        selections = pending.pop().selections
        yield selections
        nested = (getattr(selection, "selection_set", None) for selection in selections)
        pending += [selection_set for selection_set in nested if selection_set is not None]


class QueryMeasure:
    """Measures the operations of one document, which need not be valid yet.

    What does not exist in the schema costs nothing: validation refuses it afterwards. Raises
    RecursionError where fragments nest hundreds of levels deep.
    """

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, variables: dict[str, Any] | None
    ) -> None:
        self.schema = schema
        self.fragments = {
            d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
        }
        self.operations = [
            d for d in document.definitions if isinstance(d, OperationDefinitionNode)
        ]
        self.variables = variables or {}
        self._known: dict[str, QuerySize] = {}

    def of_operation(self, operation: OperationDefinitionNode) -> QuerySize:
        """The size of one operation."""
        defaults = {
            d.variable.name.value: d.default_value for d in operation.variable_definitions or ()
        }
        self._defaults = defaults
        self._known.clear()  # the same fragment may cost another page size in another operation
        root = self.schema.get_root_type(operation.operation)
        return self._of_selections(operation.selection_set, root)

    def _of_selections(
        self, selections: SelectionSetNode, parent: GraphQLCompositeType | None
    ) -> QuerySize:
        size = NOTHING
        for selection in selections.selections:
            size = size.beside(self._of_selection(selection, parent))
        return size

    def _of_selection(
        self, selection: SelectionNode, parent: GraphQLCompositeType | None
    ) -> QuerySize:
        if isinstance(selection, FieldNode):
            return self._of_field(selection, parent)
        if isinstance(selection, FragmentSpreadNode):
            return self._of_fragment(selection.name.value)
        return self._of_inline_fragment(selection, parent)

    def _of_inline_fragment(
        self, fragment: InlineFragmentNode, parent: GraphQLCompositeType | None
    ) -> QuerySize:
        condition = fragment.type_condition
        narrowed = self.schema.get_type(condition.name.value) if condition else parent
        return self._of_selections(fragment.selection_set, narrowed)

    def _of_fragment(self, name: str) -> QuerySize:
        if name not in self._known:
            self._known[name] = NOTHING  # what a cycle finds; validation refuses it afterwards
            fragment = self.fragments.get(name)
            if fragment is not None:
                condition = self.schema.get_type(fragment.type_condition.name.value)
                self._known[name] = self._of_selections(fragment.selection_set, condition)
        return self._known[name]

    def _of_field(self, node: FieldNode, parent: GraphQLCompositeType | None) -> QuerySize:
        definition = _definition(node, parent)
        named = get_named_type(definition.type) if definition else None
        below = self._of_selections(node.selection_set, named) if node.selection_set else NOTHING
        price, n_items = self._prices(node, definition, is_composite_type(named))
        return QuerySize(
            depth=below.depth + 1,
            aliases=below.aliases + (node.alias is not None),
            cost=price + n_items * below.cost,
        )

    def _prices(
        self, node: FieldNode, definition: GraphQLField | None, is_composite: bool
    ) -> tuple[int, int]:
        """What the field itself costs, and how often what is selected below it is fetched."""
        if definition is None:
            return 0, 1
        declared = declared_cost(definition)
        price = declared.get("price", int(is_composite))
        if not any(name in definition.args for name in PAGE_ARGUMENTS):
            return price, declared.get("items") or 1
        given = {a.name.value: self._integer(a.value) for a in node.arguments or ()}
        sizes = [given[name] for name in PAGE_ARGUMENTS if given.get(name) is not None]
        return price, max(sizes, default=declared.get("items") or DEFAULT_PAGE)

    def _integer(self, value: ValueNode | None) -> int | None:
        """The page size that an argument asks for; None where it leaves that open."""
        if isinstance(value, VariableNode):
            name = value.name.value
            if name in self.variables:
                given = self.variables[name]
                return max(0, given) if isinstance(given, int) else None
            value = self._defaults.get(name)
        return max(0, int(value.value)) if isinstance(value, IntValueNode) else None


def _definition(node: FieldNode, parent: GraphQLCompositeType | None) -> GraphQLField | None:
    if is_object_type(parent) or is_interface_type(parent):
        return parent.fields.get(node.name.value)
    return None


def declared_cost(definition: GraphQLField) -> dict[str, Any]:
    """What `catalog.graphql_cost.cost` says about a field."""
    field = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return ((field and field.metadata) or {}).get("cost") or {}
