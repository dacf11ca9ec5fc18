from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import get_args

import pytest
from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    build_schema,
    find_breaking_changes,
)

from portal.application.doors.graphql import (
    case_kinds,
    debit_enums,
    enums,
    ladder_enums,
    template_enums,
)
from portal.application.doors.graphql.failures import USER_ERRORS
from portal.application.doors.graphql.merchant import MERCHANT
from portal.application.doors.graphql.payer import PAYER
from portal.application.doors.graphql.schema import HaraiSchema
from portal.contract import bills, intake, login, page
from portal.contract import refund as refund_contract
from portal.domain import (
    case,
    debit,
    errors,
    ladder,
    mandate,
    pause,
    refund,
    template,
    template_finding,
    template_state,
)

FOLDER = Path(__file__).parents[2] / "portal/application/doors/graphql"
SCHEMAS = pytest.mark.parametrize(
    ("schema", "snapshot"), [(MERCHANT, "merchant.graphql"), (PAYER, "payer.graphql")]
)
BOTH = pytest.mark.parametrize("schema", [MERCHANT, PAYER])


def objects(schema: HaraiSchema) -> Iterator[GraphQLObjectType | GraphQLInterfaceType]:
    for name, kind in schema.core.type_map.items():
        if not name.startswith("__") and isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            yield kind


def fields(schema: HaraiSchema) -> Iterator[tuple[str, GraphQLField]]:
    for kind in objects(schema):
        for name, field in kind.fields.items():
            yield f"{kind.name}.{name}", field


@SCHEMAS
def test_the_committed_snapshot_is_the_schema(schema: HaraiSchema, snapshot: str) -> None:
    # After a wanted change: python -m portal.application.doors.graphql.snapshot
    assert (FOLDER / snapshot).read_text(encoding="utf-8") == schema.as_str() + "\n"


@SCHEMAS
def test_nothing_that_clients_use_is_taken_away(schema: HaraiSchema, snapshot: str) -> None:
    # released/ changes with a release only, together with a line in CHANGELOG.md.
    released = build_schema((FOLDER / "released" / snapshot).read_text(encoding="utf-8"))
    now = build_schema(schema.as_str())

    assert find_breaking_changes(released, now) == []


def test_taking_a_field_away_would_be_noticed() -> None:
    released = build_schema(MERCHANT.as_str())
    changed = build_schema(MERCHANT.as_str().replace("payerName: String!", "payer: String!"))

    [change] = find_breaking_changes(released, changed)
    assert change.description == "Field Bill.payerName was removed."


@BOTH
def test_every_field_and_argument_object_says_what_it_is(schema: HaraiSchema) -> None:
    silent = [name for name, field in fields(schema) if not field.description]
    silent += [
        f"{kind.name}.{name}"
        for kind in schema.core.type_map.values()
        if isinstance(kind, GraphQLInputObjectType)
        for name, field in kind.fields.items()
        if not field.description
    ]
    assert silent == []


@BOTH
def test_every_connection_demands_its_size(schema: HaraiSchema) -> None:
    connections = [
        (name, field) for name, field in fields(schema) if str(field.type).endswith("Connection!")
    ]
    for name, field in connections:
        assert isinstance(field.args["first"].type, GraphQLNonNull), name
        assert "after" in field.args, name
    assert schema is PAYER or connections


@BOTH
def test_every_mutation_has_one_input_and_a_payload_with_errors(schema: HaraiSchema) -> None:
    mutation = schema.core.mutation_type
    assert mutation is not None
    for name, field in mutation.fields.items():
        assert set(field.args) <= {"input"}, name
        payload = schema.core.get_type(f"{name[0].upper()}{name[1:]}Payload")
        assert isinstance(payload, GraphQLObjectType), name
        assert str(payload.fields["errors"].type) == "[UserError!]!", name


@pytest.mark.parametrize(
    ("schema", "mutations"),
    [
        (
            MERCHANT,
            [
                "apiKeyCreate",
                "billCancel",
                "billResend",
                "caseSettle",
                "importCreate",
                "importDecide",
            ],
        ),
        (PAYER, ["paymentStart"]),
    ],
)
def test_what_moves_money_or_messages_needs_an_idempotency_key(
    schema: HaraiSchema, mutations: list[str]
) -> None:
    for name in mutations:
        given = schema.core.get_type(f"{name[0].upper()}{name[1:]}Input")
        assert isinstance(given, GraphQLInputObjectType)
        assert str(given.fields["idempotencyKey"].type) == "String!", name


def test_no_query_of_a_payer_takes_an_id_but_names_that_its_own_page_gave() -> None:
    query = PAYER.core.query_type
    assert query is not None
    assert {name: set(field.args) for name, field in query.fields.items()} == {
        "bill": {"also", "part"},
        "attempt": set(),
    }


@pytest.mark.parametrize(
    ("words", "enum"),
    [
        (bills.Lifecycle, enums.Lifecycle),
        (bills.Settlement, enums.Settlement),
        (bills.MessageState, enums.MessageState),
        (bills.BillOrder, enums.BillOrder),
        (bills.SearchField, enums.SearchField),
        (intake.ImportState, enums.ImportState),
        (intake.Decision, enums.Decision),
        (login.Role, enums.Role),
        (login.Scope, enums.Scope),
        (page.PageState, enums.PageState),
        (case.CaseKind, case_kinds.CaseKind),
        (case.CaseAction, case_kinds.CaseAction),
        (case.CaseResolution, case_kinds.CaseResolution),
        (pause.PauseKind, enums.PauseKind),
        (pause.PauseState, enums.PauseState),
        (pause.PauseShown, enums.PauseShown),
        (pause.PauseChoice, enums.PauseChoice),
        (debit.FileState, debit_enums.DebitFileState),
        (debit.FileDecision, debit_enums.DebitFileDecision),
        (debit.BankWord, debit_enums.DebitBankWord),
        (mandate.MandateState, enums.MandateState),
        (mandate.MandateDecision, enums.MandateDecision),
        (refund.RefundState, enums.RefundState),
        (refund.RefundWay, enums.RefundWay),
        (refund.RefundReason, enums.RefundReason),
        (refund.RefundChoice, enums.RefundChoice),
        (refund_contract.RefundDecision, enums.RefundDecision),
        (ladder.Way, ladder_enums.LadderChannel),
        (ladder.When, ladder_enums.LadderWhen),
        (ladder.Unless, ladder_enums.LadderUnless),
        (ladder.Class, ladder_enums.LadderClass),
        (template.TemplateChannel, template_enums.TemplateChannel),
        (template.TemplateLanguage, template_enums.TemplateLanguage),
        (template.Occasion, template_enums.TemplateOccasion),
        (template_state.TemplateState, template_enums.TemplateState),
        (template_state.TemplateDecision, template_enums.TemplateDecision),
        (template_state.TemplateChoice, template_enums.TemplateChoice),
        (template_finding.Severity, template_enums.TemplateSeverity),
        (template_finding.TemplatePart, template_enums.TemplatePart),
    ],
)
def test_enums_have_exactly_the_contracts_words(words: object, enum: type[Enum]) -> None:
    known = {word for one in get_args(words) for word in get_args(one) or (one,)}
    assert {member.value for member in enum} == known


def test_every_error_a_caller_can_meet_has_a_type() -> None:
    leaves = set(errors.KINDS.values()) - {errors.InvariantBroken}
    assert set(USER_ERRORS) == leaves
