"""A query's arguments as variables, as GraphQL clients send them."""

from typing import Any

from graphql import (
    ArgumentNode,
    NameNode,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    parse,
    parse_type,
    print_ast,
    value_from_ast_untyped,
    visit,
)

from fashrec_site.schema import schema


def with_variables(query: str) -> tuple[str, dict[str, Any]]:
    """The text with a variable in place of every argument's value, and the values.

    So requests that differ in their values alone are one text, which a server knows again.

    Args:
        query: one anonymous query that has no variables yet.
    """
    document, types = parse(query), TypeInfo(schema._schema)
    lifting = _Lifting(types)
    lifted = visit(document, TypeInfoVisitor(types, lifting))
    return print_ast(lifted), lifting.values


class _Lifting(Visitor):
    """Takes the values out of arguments, and declares them at the end."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.types = types
        self.values: dict[str, Any] = {}
        self.definitions: list[VariableDefinitionNode] = []

    def leave_argument(self, node: ArgumentNode, *_: object) -> ArgumentNode:
        """A variable of the argument's type."""
        argument = self.types.get_argument()
        if argument is None:
            raise ValueError(f"no field has this argument: {node.name.value}")
        name = f"v{len(self.values)}"
        self.values[name] = value_from_ast_untyped(node.value)
        variable = VariableNode(name=NameNode(value=name))
        declared = VariableDefinitionNode(
            variable=variable, type=parse_type(str(argument.type)), directives=()
        )
        self.definitions.append(declared)
        return ArgumentNode(name=node.name, value=variable)

    def leave_operation_definition(
        self, node: OperationDefinitionNode, *_: object
    ) -> OperationDefinitionNode:
        """The operation, which declares them."""
        return OperationDefinitionNode(
            operation=node.operation,
            name=NameNode(value="Read"),
            variable_definitions=tuple(self.definitions),
            directives=node.directives,
            selection_set=node.selection_set,
        )
