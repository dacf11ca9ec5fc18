import pytest
from graphql import OperationDefinitionNode, build_schema, parse

from portal.application.doors.graphql.cost import (
    ALIASES_MAX,
    COST_MAX,
    DEPTH_MAX,
    DIRECTIVES_MAX,
    FRAGMENTS_MAX,
    LIST_INPUT_MAX,
    ROOT_FIELDS_MAX,
    Scale,
    Weight,
    check_variables,
)
from portal.application.doors.graphql.merchant import MERCHANT
from portal.domain.errors import InvalidInput, LimitReached

CARD = "4242 4242 4242 4242"
FULL_WIDTH = "".join(chr(ord(digit) + 0xFEE0) for digit in "4242" * 4)


def scale_of(
    text: str, variables: dict[str, object] | None = None, *, introspects: bool = False
) -> tuple[Scale, OperationDefinitionNode]:
    document = parse(text)
    operation = next(n for n in document.definitions if isinstance(n, OperationDefinitionNode))
    scale = Scale(MERCHANT.core, document, variables or {}, allows_introspection=introspects)
    return scale, operation


def weigh(
    text: str, variables: dict[str, object] | None = None, *, introspects: bool = False
) -> Weight:
    scale, operation = scale_of(text, variables, introspects=introspects)
    return scale.weigh(operation)


def refused(text: str, variables: dict[str, object] | None = None) -> str:
    with pytest.raises((LimitReached, InvalidInput)) as caught:
        weigh(text, variables)
    return caught.value.code


def bomb(levels: int, below: str = "__typename") -> str:
    spreads = " ".join(
        f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(levels)
    )
    return f"{{ ...F0 }} {spreads} fragment F{levels} on Query {{ {below} }}"


def steps_of(text: str) -> int:
    scale, operation = scale_of(text)
    try:
        scale.weigh(operation)
    except LimitReached as error:
        assert error.code == "document_cost"  # noqa: PT017 - either end is fine, the work counts
    return scale.steps


def test_the_work_on_nested_fragments_grows_with_the_text_and_not_with_its_expansion() -> None:
    # Walking every spread would take 2^28 steps; the shipped limiters take an hour for that.
    steps = {levels: steps_of(bomb(levels)) for levels in (7, 14, 21, 28)}

    assert steps[14] - steps[7] == steps[21] - steps[14] == steps[28] - steps[21]
    assert steps[28] < 300


def test_a_fragment_spread_twice_costs_twice_although_it_is_walked_once() -> None:
    once = weigh("{ ...A } fragment A on Query { viewer { name } }")
    twice = weigh(
        "{ ...B } fragment B on Query { ...A ...A } fragment A on Query { viewer { name } }"
    )

    assert twice.cost == 2 * once.cost


def test_what_doubles_past_the_limit_is_refused_by_its_cost() -> None:
    assert refused(bomb(20, "viewer { name }")) == "document_cost"


def test_a_known_fragment_is_as_deep_as_the_place_where_it_is_spread() -> None:
    # A memo of absolute depths would let the second, deeper spread pass.
    fragment = "fragment M on Money { amount }"
    shallow = weigh("{ summary { paid { ...M } } }" + fragment)
    both = weigh(
        "{ summary { paid { ...M } } bills(first: 1) { edges { node { amount { ...M } } } } }"
        + fragment
    )

    assert shallow.depth == 3
    assert both.depth == 5


def test_circular_fragments_are_refused() -> None:
    assert refused("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }") == (
        "fragments_circular"
    )
    assert refused("{ ...A } fragment A on Query { viewer { name } ...A }") == "fragments_circular"


@pytest.mark.parametrize("through_fragments", [False, True])
def test_depth_is_allowed_to_its_limit_and_not_past_it(*, through_fragments: bool) -> None:
    schema = build_schema("type Query { deeper: Query end: Int }")

    def weigh_nested(levels: int) -> Weight:
        text, fragments = "end", ""
        for level in range(levels - 1):
            text = f"deeper {{ {text} }}"
            if through_fragments:
                fragments += f" fragment L{level} on Query {{ {text} }}"
                text = f"...L{level}"
        document = parse(f"{{ {text} }}{fragments}")
        [operation] = [n for n in document.definitions if isinstance(n, OperationDefinitionNode)]
        return Scale(schema, document, {}, allows_introspection=False).weigh(operation)

    assert weigh_nested(DEPTH_MAX).depth == DEPTH_MAX
    with pytest.raises(LimitReached, match="document_depth"):
        weigh_nested(DEPTH_MAX + 1)


def test_an_inline_fragment_is_no_level() -> None:
    nested = "viewer { name }"
    for _ in range(DEPTH_MAX):
        nested = f"... on Query {{ {nested} }}"
    assert weigh(f"{{ {nested} }}").depth == 2


@pytest.mark.parametrize(("count", "passes"), [(ALIASES_MAX, True), (ALIASES_MAX + 1, False)])
def test_aliases_are_counted_through_fragments(count: int, *, passes: bool) -> None:
    names = " ".join(f"a{n}: name" for n in range(count - 1))
    text = f"{{ viewer {{ ...V }} b: viewer {{ email }} }} fragment V on Viewer {{ {names} }}"
    if passes:
        assert weigh(text).aliases == count
    else:
        assert refused(text) == "document_aliases"


@pytest.mark.parametrize("count", [DIRECTIVES_MAX + 1, 11])
def test_too_many_directives_are_refused(count: int) -> None:
    if count > DIRECTIVES_MAX:
        fields = " ".join("name @include(if: true)" for _ in range(count))
    else:
        fields = "name " + "@include(if: true) " * count
    assert refused(f"{{ viewer {{ {fields} }} }}") == "document_directives"


def test_root_fields_are_counted_through_fragments() -> None:
    roots = " ".join(f"a{n}: viewer {{ name }}" for n in range(ROOT_FIELDS_MAX))
    assert weigh(f"{{ {roots} }}").aliases == ROOT_FIELDS_MAX
    more = f"{{ ...R }} fragment R on Query {{ {roots} viewer {{ name }} }}"
    assert refused(more) == "document_root_fields"


def test_an_operation_does_one_act() -> None:
    one = 'billResend(input: {id: "x", idempotencyKey: "k"}) { errors { code } }'
    assert weigh(f"mutation {{ {one} }}").cost > 0
    assert refused(f"mutation {{ a: {one} b: {one} }}") == "document_root_fields"


def test_a_page_costs_as_much_as_it_asks_for() -> None:
    text = "query Q($n: Int!) { bills(first: $n) { nodes { number } } }"
    assert weigh(text, {"n": 100}).cost - weigh(text, {"n": 10}).cost == 90 * 2
    assert weigh(text).cost == weigh(text, {"n": 100}).cost
    assert weigh(text, {"n": 10**9}).cost == weigh(text, {"n": 100}).cost


def test_details_of_every_bill_of_a_long_page_are_too_dear() -> None:
    text = "query Q($n: Int!) { bills(first: $n) { nodes { number events { code } } } }"
    assert weigh(text, {"n": 10}).cost <= COST_MAX
    assert refused(text, {"n": 100}) == "document_cost"


def test_fragments_and_lists_in_the_input_are_bounded() -> None:
    fragments = " ".join(
        f"fragment F{n} on Query {{ __typename }}" for n in range(FRAGMENTS_MAX + 1)
    )
    assert refused("{ __typename } " + fragments) == "document_fragments"
    words = ", ".join(["OPEN"] * (LIST_INPUT_MAX + 1))
    text = f"{{ bills(first: 1, filter: {{lifecycle: [{words}]}}) {{ nodes {{ number }} }} }}"
    assert refused(text) == "document_list"


def test_the_schema_can_be_read_only_where_that_is_allowed() -> None:
    assert refused("{ __schema { types { name } } }") == "introspection_closed"
    assert refused('{ __type(name: "Bill") { name } }') == "introspection_closed"
    assert weigh("{ __typename }").cost == 1
    assert weigh("{ __schema { types { name } } }", introspects=True).cost < COST_MAX


@pytest.mark.parametrize(
    "text",
    [
        f'{{ bills(first: 1, search: {{field: NUMBER, text: "{CARD}"}}) {{ nodes {{ id }} }} }}',
        f'{{ bill(id: "{CARD}") {{ id }} }}',
        "{ bills(first: 4242424242424242) { nodes { id } } }",
        f'{{ viewer @include(if: true) {{ name @skip(if: "{CARD}") }} }}',
    ],
)
def test_no_literal_can_hold_a_card_number(text: str) -> None:
    assert refused(text) == "card_number_refused"


@pytest.mark.parametrize(
    "variables",
    [
        {"text": CARD},
        {"input": {"reason": f"paid with {CARD}"}},
        {"input": {"scopes": ["a", CARD]}},
        {"amount": 4242424242424242},
        {CARD: "x"},
        {"text": FULL_WIDTH},
    ],
)
def test_no_variable_can_hold_a_card_number(variables: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match="card_number_refused"):
        check_variables(variables)


def test_ordinary_variables_pass_and_deep_or_long_ones_do_not() -> None:
    check_variables({"input": {"id": "bill_01JD0000000000000000000000", "version": 3, "x": None}})
    check_variables({"list": ["a"] * LIST_INPUT_MAX})
    with pytest.raises(LimitReached, match="document_list"):
        check_variables({"list": ["a"] * (LIST_INPUT_MAX + 1)})
    deep: object = "x"
    for _ in range(DEPTH_MAX + 1):
        deep = [deep]
    with pytest.raises(LimitReached, match="document_depth"):
        check_variables(deep)
