"""Every text is there in every language, and every code that the product can show has one."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any, get_args

import pytest

from portal.application.doors.graphql import case_kinds, enums
from portal.application.doors.locales import LANGUAGES, LEANS_ON, TEXTS, choose_language
from portal.contract import bills, intake, login, page
from portal.domain import bill as bill_rules
from portal.domain import case as case_rules
from portal.domain import (
    debit,
    errors,
    mandate,
    message,
    pause,
    payment,
    refund,
    template,
    template_finding,
    template_state,
)
from portal.domain.intake.row import FAULT_CODES
from portal.domain.methods import METHODS
from portal.domain.zengin.read import REMEDIES

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "frontend_templates"
LEAVES = {
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.PortalError)
}
OUR_OWN = {"InvariantBroken", "PortalError"}
"""Never shown: they become the code ``internal``."""

EVENT_CALLS = {"emit", "BillEvent", "Edge"}
UNSEEN = re.compile(
    r"portal/(egress|stack|sandbox|dmz)/|portal/kit/(crypto|outbound|settings)|worker/"
)
"""Zones whose errors end in a log or an exit code and reach no screen."""

ANSWER_DOUBTS = (
    "trailer_done", "trailer_failed", "header_collector", "header_debit_on", "header_bank",
    "answer_elsewhere", "answer_checking",
)  # fmt: skip
"""Why a bank's answer is not taken although its records are whole."""


def load(tag: str) -> dict[str, Any]:
    return json.loads((TEMPLATES / "locale" / f"{tag}.json").read_text())


def leaves(tree: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, str):
            yield f"{before}{key}", value
        else:
            yield from leaves(value, f"{before}{key}.")


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@cache
def telling_calls() -> tuple[tuple[str, ast.Call], ...]:
    """Where, and the call: all that raise or emit a code, from one walk over the sources."""
    return tuple(
        (str(path.relative_to(ROOT)), node)
        for folder in ("portal", "worker")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and called(node) in LEAVES | EVENT_CALLS
    )


def called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def first_texts(node: ast.expr) -> Iterator[str]:
    """The literals that an argument can be: one, or either side of a conditional."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    if isinstance(node, ast.IfExp):
        yield from first_texts(node.body)
        yield from first_texts(node.orelse)


def codes_raised() -> dict[str, str]:
    found: dict[str, str] = {}
    for where, call in telling_calls():
        if called(call) in LEAVES - OUR_OWN and call.args and not UNSEEN.search(where):
            found |= dict.fromkeys(first_texts(call.args[0]), where)
    return found


def codes_emitted() -> dict[str, str]:
    """Events: the second argument of ``act.emit`` and of an Edge in a transition table."""
    found: dict[str, str] = {}
    for where, call in telling_calls():
        if called(call) in EVENT_CALLS and len(call.args) > 1:
            found |= dict.fromkeys(first_texts(call.args[1]), where)
    return {code: where for code, where in found.items() if "." in code}


def test_the_walk_over_the_sources_finds_codes() -> None:
    assert {"link_unknown", "not_signed_in", "phone_zero_lost"} <= codes_raised().keys()
    assert "bill.issued" in codes_emitted()


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_code_that_can_be_shown_has_a_text(tag: str) -> None:
    wanted = codes_raised() | codes_emitted()
    wanted |= dict.fromkeys(FAULT_CODES, "portal/domain/intake/row.py")
    wanted |= dict.fromkeys(payment.DECLINE_CODES, "portal/domain/payment.py")
    wanted |= dict.fromkeys(REMEDIES, "portal/domain/zengin/read.py")
    wanted |= dict.fromkeys(ANSWER_DOUBTS, "portal/domain/zengin/result.py")

    missing = {code: where for code, where in wanted.items() if not TEXTS[tag].knows_code(code)}

    assert not missing, "\n".join(f"{code} ({where})" for code, where in sorted(missing.items()))


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_row_fault_says_what_to_do_in_words_and_in_short(tag: str) -> None:
    texts = TEXTS[tag]

    silent = [
        code
        for code in FAULT_CODES
        if not texts.find("codes")[code].get("remedy")  # type: ignore[index,union-attr]
        or texts.short(code) == texts.code(code)
    ]

    assert not silent


def test_languages_hold_the_same_keys_with_the_same_places() -> None:
    first, *others = LANGUAGES
    ours = dict(leaves(load(first)))
    for tag in others:
        theirs = dict(leaves(load(tag)))
        # Languages differ in their plural forms: "one" may stand in one of them only.
        plain = {key.removesuffix(".one") for key in theirs}
        assert {key.removesuffix(".one") for key in ours} ^ plain == set() or all(
            f"{key}.other" in ours or key in ours for key in plain
        )
        missing = {key for key in ours if key not in theirs}
        extra = {key for key in theirs if key not in ours and not key.endswith(".one")}
        assert (missing, extra) == (set(), set())
        for key, text in ours.items():
            assert places(text) == places(theirs[key]), key


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_key_that_a_template_names_exists(tag: str) -> None:
    texts = TEXTS[tag]
    for path in TEMPLATES.rglob("*.html"):
        for key in re.findall(r'\bt\("([a-z_.]+)"[,)]', path.read_text()):
            assert texts.find(key) is not None, f"{path.name}: {key}"


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_state_has_a_name(tag: str) -> None:
    texts = TEXTS[tag]
    groups = {
        "states.lifecycle": get_args(bills.Lifecycle),
        "states.settlement": get_args(bills.Settlement),
        "states.message": get_args(bills.MessageState),
        "states.import": get_args(intake.ImportState),
        "states.attempt": get_args(payment.AttemptState),
        "states.refund": get_args(refund.RefundState),
        "states.pause": get_args(pause.PauseShown),
        "states.pause_state": get_args(pause.PauseState),
        "pauses.kinds": get_args(pause.PauseKind),
        "page.pause": get_args(pause.PauseKind),
        "states.debit_file": get_args(debit.FileState),
        "states.mandate": get_args(mandate.MandateState),
        "mandates.means": get_args(mandate.MandateState),
        "mandates.ways": get_args(mandate.MandateWay),
        "mandates.decisions": [
            f"{one}.{part}"
            for one in get_args(mandate.MandateDecision)
            for part in ("button", "text", "confirm")
        ],
        "refunds.reasons": get_args(refund.RefundReason),
        "states.template": get_args(template_state.TemplateState),
        "templates.occasions": get_args(template.Occasion),
        "templates.channels": get_args(template.TemplateChannel),
        "templates.hints": get_args(template.TemplateChannel),
        "templates.leads": get_args(template.TemplateChannel),
        "templates.sizes": get_args(template.TemplateChannel),
        "prices.channels": (*get_args(message.Channel), "paper"),
        "templates.facts": (*template.FACTS, "due"),
        "templates.findings": get_args(template_finding.FindingCode),
        "refunds.ways": get_args(refund.RefundWay),
        "bills.orders": [order.name for order in enums.BillOrder],
        "bills.search.fields": get_args(bills.SearchField),
        "roles": get_args(login.Role),
        "keys.scope_names": [scope.name for scope in enums.Scope],
        "keys.scope_texts": [scope.name for scope in enums.Scope],
        "cases.resolutions": [end.name for end in case_kinds.CaseResolution],
        "cases.actions": [
            f"{name}.{part}"
            for name in ("SEEN", *(action.name for action in case_kinds.CaseAction))
            for part in ("button", "text")
        ],
        "cases.kinds": [
            f"{kind.name}.{part}"
            for kind in case_kinds.CaseKind
            for part in ("text", "happened", "means", "todo")
        ],
        "done": [f"CaseSettle_{action.name}" for action in case_kinds.CaseAction],
    }
    for group, names in groups.items():
        for name in names:
            assert isinstance(texts.find(f"{group}.{name}"), str), f"{group}.{name}"
    for method in METHODS:
        assert texts.say(f"methods.{method}.name")
    told = {"open", "due_soon", "overdue", "declined", "paid"}
    for state in set(get_args(page.PageState)) - told:
        assert texts.say(f"page.{state}.title")
        assert texts.say(f"page.{state}.text")


@pytest.mark.parametrize("tag", LANGUAGES)
def test_the_timeline_of_a_bill_knows_every_way_to_settle_a_case(tag: str) -> None:
    unknown = [
        action
        for action in get_args(case_rules.CaseAction)
        if not TEXTS[tag].knows_code(f"case.{action}")
    ]

    assert unknown == []


def test_a_code_with_places_but_no_params_still_says_something() -> None:
    shown = TEXTS["ja"].code("items_sum")

    assert "{" not in shown
    assert TEXTS["ja"].remedy("items_sum") == ""
    assert "8,400" in TEXTS["ja"].remedy("items_sum", {"sum": 8_400})


def test_an_unknown_code_is_shown_as_such() -> None:
    assert "brand_new_code" in TEXTS["en"].code("brand_new_code")


def test_plural_forms_follow_the_language() -> None:
    assert TEXTS["en"].say("page.days_left", n=1) == "1 day left"
    assert TEXTS["en"].say("page.days_left", n=2) == "2 days left"
    assert TEXTS["ja"].say("page.days_left", n=1) == "あと1日"


def test_language_is_chosen_by_wish_then_bill_then_browser_then_japanese() -> None:
    assert choose_language("en", "ja") == "en"
    assert choose_language(None, "en", accept="ja") == "en"
    assert choose_language(None, None, accept="fr-FR,en;q=0.8") == "en"
    assert choose_language("xx", None, accept="fr") == "ja"
    assert choose_language(None, "ja-easy", accept="en") == LEANS_ON["ja-easy"]


def test_tables_of_the_domain_carry_event_codes() -> None:
    tables = (
        bill_rules.LIFECYCLE, bill_rules.SETTLEMENT, payment.TRANSITIONS, message.DELIVERY,
        refund.TRANSITIONS,
    )  # fmt: skip
    codes = {edge.code for table in tables for edge in table.values()}
    codes |= {*pause.EVENTS.values(), pause.HELD_OPEN}

    assert {code for code in codes if not TEXTS["ja"].knows_code(code)} == set()
