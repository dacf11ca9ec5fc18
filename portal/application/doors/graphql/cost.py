"""What a document may cost: one pass over its syntax, each fragment weighed once.

Zone: application. The limiters that ship with strawberry 0.341 walk a fragment again at every
spread, which takes exponential time on nested spreads; here a fragment's *relative* weight (its
depth, cost, aliases and fields below the spread) is kept and added where it is spread, so the work
grows with the length of the text. Card numbers in literals are refused on the same walk.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    Node,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    StringValueNode,
    VariableNode,
)

from portal.application.doors.graphql.schema import COST, FIRST_MAX, ROWS
from portal.domain.card_number import refuse_card_number
from portal.domain.errors import InvalidInput, LimitReached

TOKENS_MAX: Final = 1000
DEPTH_MAX: Final = 8
INTROSPECTION_DEPTH_MAX: Final = 16
ALIASES_MAX: Final = 15
ROOT_FIELDS_MAX: Final = 10
MUTATIONS_MAX: Final = 1
DIRECTIVES_MAX: Final = 50
DIRECTIVES_PER_NODE_MAX: Final = 10
FRAGMENTS_MAX: Final = 30
LIST_INPUT_MAX: Final = 250
OPERATIONS_MAX: Final = 10
COST_MAX: Final = 5000
"""Dearest document. Units: fields, about 4 µs each (reference/graphql.md §4.3)."""

_ROWS_DEFAULT: Final = 10
"""Nodes that a list without ``first`` and without a declared size is taken to hold."""

Variables = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Weight:
    """A selection's weight relative to where it stands. ``cost`` saturates far above COST_MAX."""

    depth: int = 0
    cost: int = 0
    aliases: int = 0
    directives: int = 0
    fields: int = 0

    def beside(self, other: "Weight") -> "Weight":
        """Both in one selection set."""
        return Weight(
            max(self.depth, other.depth),
            min(self.cost + other.cost, _SATURATED),
            min(self.aliases + other.aliases, _SATURATED),
            min(self.directives + other.directives, _SATURATED),
            min(self.fields + other.fields, _SATURATED),
        )


_SATURATED: Final = 1 << 40
"""Sums stop here: doubling at every fragment would else make the numbers themselves grow."""


@dataclass(slots=True)
class Scale:
    """Weighs one document on one schema. ``steps`` counts the syntax nodes looked at."""

    schema: GraphQLSchema
    document: DocumentNode
    variables: Variables
    allows_introspection: bool
    steps: int = 0
    _fragments: dict[str, FragmentDefinitionNode] = field(init=False)
    _weighed: dict[tuple[str, str], Weight] = field(init=False)
    _open: set[str] = field(init=False)

    def __post_init__(self) -> None:
        """Find the fragments."""
        self._weighed = {}
        self._open = set()
        self._fragments = {
            node.name.value: node
            for node in self.document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }

    def weigh(self, operation: OperationDefinitionNode) -> Weight:
        """The operation's weight with these variables; raises what it exceeds.

        Raises LimitReached ``document_*`` for a limit, InvalidInput ``introspection_closed``,
        ``fragments_circular``, ``document_invalid`` and ``card_number_refused``.
        """
        if len(self._fragments) > FRAGMENTS_MAX:
            raise LimitReached("document_fragments", params={"most": FRAGMENTS_MAX})
        if len(self.document.definitions) - len(self._fragments) > OPERATIONS_MAX:
            raise LimitReached("document_operations", params={"most": OPERATIONS_MAX})
        root = self.schema.get_root_type(operation.operation)
        if root is None:
            raise InvalidInput("document_invalid")
        directives = self._directives(operation)
        weight = self._selection(operation.selection_set, root)
        roots = MUTATIONS_MAX if operation.operation is OperationType.MUTATION else ROOT_FIELDS_MAX
        root_fields = self._count_roots(operation.selection_set, roots)
        for code, value, most in (
            ("document_depth", weight.depth, DEPTH_MAX),
            ("document_aliases", weight.aliases, ALIASES_MAX),
            ("document_directives", weight.directives + directives, DIRECTIVES_MAX),
            ("document_root_fields", root_fields, roots),
            ("document_cost", weight.cost, COST_MAX),
        ):
            if value > most:
                raise LimitReached(code, params={"most": most})
        return weight

    def _count_roots(self, selections: SelectionSetNode, most: int) -> int:
        """Root fields through fragments; counting stops past the limit."""
        found, waiting, seen = 0, [selections], set[str]()
        while waiting and found <= most:
            for node in waiting.pop().selections:
                self.steps += 1
                if isinstance(node, FieldNode):
                    found += 1
                elif isinstance(node, InlineFragmentNode):
                    waiting.append(node.selection_set)
                elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                    # Spread twice, its fields merge: they run once.
                    seen.add(node.name.value)
                    waiting.append(self._fragment(node.name.value).selection_set)
        return found

    def _selection(self, selections: SelectionSetNode, parent: GraphQLNamedType) -> Weight:
        total = Weight()
        for node in selections.selections:
            self.steps += 1
            own = Weight(directives=self._directives(node))
            if isinstance(node, FieldNode):
                total = total.beside(own).beside(self._field(node, parent))
            elif isinstance(node, InlineFragmentNode):
                onto = parent
                if node.type_condition is not None:
                    onto = self._type(node.type_condition.name.value)
                total = total.beside(own).beside(self._selection(node.selection_set, onto))
            elif isinstance(node, FragmentSpreadNode):
                total = total.beside(own).beside(self._spread(node.name.value))
        return total

    def _spread(self, name: str) -> Weight:
        """A fragment's weight relative to its spread, walked once a document."""
        fragment = self._fragment(name)
        onto = self._type(fragment.type_condition.name.value)
        key = (name, onto.name)
        if key in self._weighed:
            return self._weighed[key]
        if name in self._open:
            raise InvalidInput("fragments_circular")
        self._open.add(name)
        own = Weight(directives=self._directives(fragment))
        self._weighed[key] = own.beside(self._selection(fragment.selection_set, onto))
        self._open.discard(name)
        return self._weighed[key]

    def _field(self, node: FieldNode, parent: GraphQLNamedType) -> Weight:
        name = node.name.value
        rows_asked = self._arguments(node)
        aliases = int(node.alias is not None)
        if name.startswith("__"):
            return self._introspection(node, aliases)
        if not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            raise InvalidInput("document_invalid")
        found = parent.fields.get(name)
        if found is None:
            raise InvalidInput("document_invalid")
        own_cost, declared_rows = _declared(found)
        if node.selection_set is None:
            return Weight(1, 1 + own_cost, aliases, 0, 1)
        below = self._selection(node.selection_set, self._type(_named(found)))
        rows = rows_asked or declared_rows or _rows_of(found, parent)
        cost = 1 + own_cost + rows * below.cost
        return Weight(
            below.depth + 1,
            min(cost, _SATURATED),
            below.aliases + aliases,
            below.directives,
            below.fields + 1,
        )

    def _introspection(self, node: FieldNode, aliases: int) -> Weight:
        """``__typename`` is free for all; the schema itself is for keys that may read it."""
        if node.name.value == "__typename":
            return Weight(1, 1, aliases, 0, 1)
        if not self.allows_introspection:
            raise InvalidInput("introspection_closed")
        if node.selection_set is None:
            raise InvalidInput("document_invalid")
        name = "__Schema" if node.name.value == "__schema" else "__Type"
        below = self._selection(node.selection_set, self._type(name))
        if below.depth > INTROSPECTION_DEPTH_MAX:
            raise LimitReached("document_depth", params={"most": INTROSPECTION_DEPTH_MAX})
        return Weight(1, COST_MAX // 10, aliases + below.aliases, below.directives, below.fields)

    def _arguments(self, node: FieldNode) -> int:
        """Look at every value; the size that ``first`` asks for, or 0."""
        rows = 0
        for argument in node.arguments or ():
            self._value(argument.value)
            if argument.name.value != "first":
                continue
            value = argument.value
            if isinstance(value, IntValueNode):
                rows = int(value.value) if len(value.value) <= len(str(FIRST_MAX)) else FIRST_MAX
            elif isinstance(value, VariableNode):
                given = self.variables.get(value.name.value, FIRST_MAX)
                rows = given if type(given) is int else FIRST_MAX
        return max(0, min(rows, FIRST_MAX))

    def _value(self, node: Node) -> None:
        self.steps += 1
        if isinstance(node, StringValueNode | IntValueNode):
            refuse_card_number(node.value)
        elif isinstance(node, ListValueNode):
            values = node.values or ()
            if len(values) > LIST_INPUT_MAX:
                raise LimitReached("document_list", params={"most": LIST_INPUT_MAX})
            for value in values:
                self._value(value)
        elif isinstance(node, ObjectValueNode):
            for entry in node.fields or ():
                self._value(entry.value)

    def _directives(self, node: Node) -> int:
        directives = getattr(node, "directives", None) or ()
        if len(directives) > DIRECTIVES_PER_NODE_MAX:
            raise LimitReached("document_directives", params={"most": DIRECTIVES_PER_NODE_MAX})
        for directive in directives:
            for argument in directive.arguments or ():
                self._value(argument.value)
        return len(directives)

    def _fragment(self, name: str) -> FragmentDefinitionNode:
        if name not in self._fragments:
            raise InvalidInput("document_invalid")
        return self._fragments[name]

    def _type(self, name: str) -> GraphQLNamedType:
        found = self.schema.get_type(name)
        if found is None:
            raise InvalidInput("document_invalid")
        return found


def _declared(found: GraphQLField) -> tuple[int, int]:
    """The cost and the rows that a field's definition says."""
    definition = found.extensions.get("strawberry-definition")
    metadata: Mapping[str, int] = getattr(definition, "metadata", None) or {}
    return metadata.get(COST, 0), metadata.get(ROWS, 0)


def _named(found: GraphQLField) -> str:
    """The name of a field's type without its list and non-null marks."""
    return _type_text(found).strip("[]!")


def _type_text(found: GraphQLField) -> str:
    """A field's type as the schema language writes it, e.g. ``[Bill!]!``."""
    return str(found.type)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - graphql-core's wrapping types have untyped parameters


def _rows_of(found: GraphQLField, parent: GraphQLNamedType) -> int:
    """Nodes of a list that says no size; those of a connection were counted by its ``first``."""
    is_list = _type_text(found).startswith("[")
    return _ROWS_DEFAULT if is_list and not parent.name.endswith("Connection") else 1


def check_variables(value: object, depth: int = 0) -> None:
    """Refuse variables that are too deep, too long, or hold what looks like a card number.

    Raises InvalidInput ``card_number_refused``, LimitReached ``document_list``,
    ``document_depth``.
    """
    if depth > DEPTH_MAX:
        raise LimitReached("document_depth", params={"most": DEPTH_MAX})
    if isinstance(value, str):
        refuse_card_number(value)
    elif type(value) is int:
        refuse_card_number(str(value))
    elif isinstance(value, dict | list):
        given = cast("dict[str, object] | list[object]", value)
        below = [*given.values(), *given] if isinstance(given, dict) else given
        if len(below) > LIST_INPUT_MAX:
            raise LimitReached("document_list", params={"most": LIST_INPUT_MAX})
        for part in below:
            check_variables(part, depth + 1)
