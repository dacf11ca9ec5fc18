"""Every way through a GraphQL schema, written as documents: nothing that is added can be forgotten.

A document is made for each path from a root field to an object, with all of its plain leaves at
once, and for each leaf that takes arguments by itself. Arguments are filled by coordinate;
one that nobody has thought of is a KeyError, so a new argument fails the tests until someone does.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
)

from portal.application.doors.graphql.schema import HaraiSchema

_PLAIN = {"Boolean": "false", "Int": "3", "Date": "null"}


@dataclass(frozen=True)
class Path:
    """One path: its name for people, the document, whether an id was put into it, its leaves."""

    name: str
    text: str
    takes_id: bool
    leaves: int


def id_coordinates(schema: HaraiSchema) -> set[str]:
    """Where the schema takes an id: ``Type.field.argument`` and ``Input.field``."""
    found = set[str]()
    for kind in schema.core.type_map.values():
        if kind.name.startswith("__"):
            continue
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in kind.fields.items():
                for argument, value in field.args.items():
                    if get_named_type(value.type).name == "ID":
                        found.add(f"{kind.name}.{name}.{argument}")
        elif isinstance(kind, GraphQLInputObjectType):
            for name, field in kind.fields.items():
                if get_named_type(field.type).name == "ID":
                    found.add(f"{kind.name}.{name}")
    return found


def text_coordinates(schema: HaraiSchema) -> dict[str, str]:
    """Every argument and input field that takes free text, an id or a large number → its type."""
    wanted = {"String", "ID", "Int64"}
    found = dict[str, str]()
    for kind in schema.core.type_map.values():
        if kind.name.startswith("__"):
            continue
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in kind.fields.items():
                for argument, value in field.args.items():
                    found[f"{kind.name}.{name}.{argument}"] = get_named_type(value.type).name
        elif isinstance(kind, GraphQLInputObjectType):
            for name, field in kind.fields.items():
                found[f"{kind.name}.{name}"] = get_named_type(field.type).name
    return {coordinate: name for coordinate, name in found.items() if name in wanted}


def paths(schema: HaraiSchema, values: Mapping[str, str], *, mutations: bool) -> Iterator[Path]:
    """All paths of the queries or of the mutations. ``values`` are literals by coordinate."""
    core = schema.core
    root = core.mutation_type if mutations else core.query_type
    assert root is not None
    keyword = "mutation" if mutations else "query"
    for name, field in root.fields.items():
        call, takes_id = _call(f"{root.name}.{name}", name, field, values)
        for trail, text in _leaves(core, get_named_type(field.type), values):
            document = f"{keyword} {{ {call} {text} }}"
            leaves = trail[-1].count(" ") + 1 if trail else 1
            yield Path(".".join([name, *trail]), document, takes_id, leaves)


def _leaves(
    schema: GraphQLSchema, kind: GraphQLNamedType, values: Mapping[str, str]
) -> Iterator[tuple[list[str], str]]:
    if not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        yield [], ""
        return
    plain = [name for name, field in kind.fields.items() if _is_plain(field)]
    if plain:
        yield [" ".join(plain)], f"{{ {' '.join(plain)} }}"
    for name, field in kind.fields.items():
        if _is_plain(field):
            continue
        call, _ = _call(f"{kind.name}.{name}", name, field, values)
        for trail, text in _leaves(schema, get_named_type(field.type), values):
            yield [name, *trail], f"{{ {call} {text} }}"
    if isinstance(kind, GraphQLInterfaceType):
        for concrete in schema.get_possible_types(kind):
            for trail, text in _leaves(schema, concrete, values):
                yield [concrete.name, *trail], f"{{ ... on {concrete.name} {text} }}"


def _is_plain(field: GraphQLField) -> bool:
    return not field.args and is_leaf_type(get_named_type(field.type))


def _call(
    coordinate: str,
    name: str,
    field: GraphQLField,
    values: Mapping[str, str],
) -> tuple[str, bool]:
    """The field with all its arguments."""
    if not field.args:
        return name, False
    given, takes_id = [], False
    for argument, value in field.args.items():
        kind = get_named_type(value.type)
        literal, has_id = _literal(f"{coordinate}.{argument}", kind, values)
        takes_id = takes_id or has_id
        if literal:
            given.append(f"{argument}: {literal}")
    return f"{name}({', '.join(given)})", takes_id


def _literal(
    coordinate: str, kind: GraphQLNamedType, values: Mapping[str, str]
) -> tuple[str, bool]:
    if coordinate in values:
        return values[coordinate], kind.name == "ID"
    if isinstance(kind, GraphQLInputObjectType):
        parts, takes_id = [], False
        for name, field in kind.fields.items():
            below = get_named_type(field.type)
            literal, has_id = _literal(f"{kind.name}.{name}", below, values)
            takes_id = takes_id or has_id
            if literal:
                text = f"[{literal}]" if "[" in str(field.type) else literal
                parts.append(f"{name}: {text}")
        return "{" + ", ".join(parts) + "}", takes_id
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values)), False
    if kind.name in _PLAIN:
        return _PLAIN[kind.name], False
    return values[coordinate], False
