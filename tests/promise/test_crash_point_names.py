"""Every place where a process can die between two effects has a name, and the walk knows it.

A write that nobody can be killed beside is a write that no drill has tried.
"""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import portal.contract
from portal.contract.envelope import Operation
from portal.kit.crashpoint import CRASH_POINTS
from portal.stack.drill.walk import NOT_WALKED, WALK
from portal.vault import operations as vault_operations
from portal.vault.registry import REGISTRY

ROOT = Path(__file__).parents[2]
vault_operations.load()

CALLERS = ("portal/application", "portal/egress", "worker")

PLACES = {
    "vault.before_commit": "portal/vault/transaction.py:_open",
    "vault.after_commit": "portal/vault/transaction.py:_open",
    "vault.before_upkeep": "portal/vault/keeping.py:keeping",
    "vault.after_upkeep": "portal/vault/keeping.py:keeping",
    "caller.before_call": "portal/contract/client.py:call",
    "caller.after_call": "portal/contract/client.py:call",
    "worker.after_lease": "worker/tasks/run.py:run_job",
    "worker.before_send": "portal/application/message/send.py:_send_by",
    "worker.before_report": "portal/application/message/send.py:_send_by",
    "worker.after_inquiry": "portal/application/payment/inquire.py:inquire",
    "worker.before_refund": "portal/application/payment/refund.py:give_back",
    "worker.after_refund": "portal/application/payment/refund.py:give_back",
    "worker.after_refund_inquiry": "portal/application/payment/refund.py:inquire_refund",
    "worker.before_handover": "portal/application/payment/debit_line.py:hand_over",
    "worker.after_handover": "portal/application/payment/debit_line.py:hand_over",
    "worker.before_charge": "portal/application/payment/charge.py:charge_card",
    "worker.after_charge": "portal/application/payment/charge.py:charge_card",
    "worker.before_fetch": "portal/application/payment/debit_fetch.py:fetch_result",
    "worker.after_fetch": "portal/application/payment/debit_fetch.py:fetch_result",
    "web.before_submission": "portal/application/payment/submit.py:submit_payment",
    "web.after_submission": "portal/application/payment/submit.py:submit_payment",
    "web.after_inquiry": "portal/application/payment/inquire.py:finish_return",
    "web.after_withdrawal": "portal/application/payment/withdraw.py:withdraw_number",
    "worker.after_withdrawal": "portal/application/payment/inquire.py:inquire",
    "web.before_mandate": "portal/application/payment/mandate.py:begin_mandate",
    "web.after_mandate": "portal/application/payment/mandate.py:begin_mandate",
    "web.after_mandate_question": "portal/application/payment/mandate.py:finish_mandate_return",
    "worker.after_mandate_question": "portal/application/payment/mandate.py:ask_bank",
    "web.after_store_part": "portal/application/intake/upload.py:_store",
    "web.before_finish_upload": "portal/application/intake/upload.py:finish",
    "web.before_notice": "portal/application/doors/notices.py:take_notice",
    "egress.after_redeem": "portal/egress/originate.py:_redeemed",
    "egress.after_send": "portal/egress/originate.py:_send",
    "egress.after_deposit": "portal/egress/deposit.py:_deposit_payment",
}
"""Where each point stands: file and function."""

PROVIDER_CALLS = {"converse", "ask", "send"}
SPEAKERS = {"outbound", "desk", "_sender", "_outbound"}
"""Who talks to a provider: ``outbound.send``, ``desk.converse`` and ``ask``, the relay's
``_sender.send``."""

TRIED_ELSEWHERE = {
    "cancel_bill": "tests/zone/test_bills.py",
    "resend_message": "tests/zone/test_bills.py",
    "place_pause": "tests/zone/test_pause.py",
    "steer_sending": "tests/zone/test_sending.py",
    "release_pause": "tests/zone/test_pause.py",
    "settle_case": "tests/zone/test_cases.py",
    "create_api_key": "tests/zone/test_capability.py",
    "revoke_api_key": "tests/zone/test_capability.py",
    "log_in": "tests/zone/test_login.py",
    "redeem_login_ticket": "tests/zone/test_login.py",
    "log_out": "tests/zone/test_login.py",
    "pass_due_bills": "tests/zone/test_due_crash.py",
    "stop_reminders": "tests/zone/test_contact_choice.py",
    "set_contact_choice": "tests/zone/test_contact_choice.py",
    "advance_ladders": "tests/zone/test_ladder_crash.py",
    "discard_bills": "tests/zone/test_import_races.py",
    "finish_task": "tests/zone/test_work.py",
    "fail_task": "tests/zone/test_work.py",
    "extend_lease": "tests/zone/test_work.py",
    "await_work": "tests/zone/test_work.py",
    "request_refund": "tests/zone/test_refund_crash.py",
    "decide_refund": "tests/zone/test_refund_crash.py",
    "record_transfer": "tests/zone/test_refund_crash.py",
    "give_refund_account": "tests/zone/test_refund_account.py",
    "give_payer_account": "tests/zone/test_refund_account.py",
    "begin_refund": "tests/zone/test_refund_crash.py",
    "record_refund_submission": "tests/zone/test_refund_crash.py",
    "redeem_refund": "tests/zone/test_refund_sent_again.py",
    "return_refund": "tests/zone/test_refund_sent_again.py",
    "deposit_refund_answer": "tests/zone/test_refund_crash.py",
    "record_refund_finding": "tests/zone/test_refund_crash.py",
    "show_slip": "tests/zone/test_slip_crash.py",
    "take_slip_notices": "tests/zone/test_slip_crash.py",
    "record_slip_notice": "tests/zone/test_slip_crash.py",
    "register_mandate": "tests/zone/test_debit.py",
    "take_failed_debits": "tests/zone/test_failed_debit.py",
    "store_failed_lines": "tests/zone/test_failed_file.py",
    "take_failed_file": "tests/zone/test_failed_file.py",
    "drop_failed_file": "tests/zone/test_failed_file.py",
    "tell_failed_file": "tests/zone/test_failed_file.py",
    "decide_mandate": "tests/zone/test_debit.py",
    "build_debit_file": "tests/zone/test_debit.py",
    "decide_debit_file": "tests/zone/test_debit.py",
    "report_debit_file": "tests/zone/test_debit.py",
    "take_out_debit_file": "tests/zone/test_debit.py",
    "make_print_batch": "tests/zone/test_print_batch.py",
    "set_result_plan": "tests/zone/test_result_file.py",
    "make_result_file": "tests/zone/test_result_file.py",
    "take_result_part": "tests/zone/test_result_file.py",
    "acknowledge_result_file": "tests/zone/test_result_file.py",
    "write_results": "tests/zone/test_result_file.py",
    "switch_unopened": "tests/zone/test_funnel.py",
    "step_switch": "tests/zone/test_funnel.py",
    "take_out_print_batch": "tests/zone/test_print_batch.py",
    "hand_over_print_batch": "tests/zone/test_paper.py",
    "choose_billing": "tests/zone/test_going_digital.py",
    "steer_billing": "tests/zone/test_going_digital.py",
    "deny_bill": "tests/zone/test_contact_hygiene.py",
    "clear_contact": "tests/zone/test_contact_hygiene.py",
    "store_debit_result": "tests/zone/test_debit.py",
    "read_debit_result": "tests/zone/test_debit.py",
    "fill_debit_file": "tests/zone/test_debit_crash.py",
    "book_debits": "tests/zone/test_debit_crash.py",
    "begin_debit_handover": "tests/zone/test_debit_line.py",
    "record_debit_handover": "tests/zone/test_debit_line.py",
    "redeem_debit_file": "tests/zone/test_debit_line.py",
    "build_transfer_file": "tests/zone/test_transfer_crash.py",
    "decide_transfer_file": "tests/zone/test_transfer_crash.py",
    "report_transfer_file": "tests/zone/test_transfer_crash.py",
    "take_out_transfer_file": "tests/zone/test_transfer_crash.py",
    "record_return": "tests/zone/test_transfer_crash.py",
    "advance_transfer_file": "tests/zone/test_transfer_crash.py",
    "choose_charges": "tests/zone/test_card_on_file.py",
    "begin_charge": "tests/zone/test_card_on_file.py",
    "record_charge": "tests/zone/test_card_on_file.py",
    "redeem_payer": "tests/zone/test_number.py",
    "redeem_instrument": "tests/zone/test_card_on_file.py",
    "deposit_card_step": "tests/zone/test_gmopg_present.py",
    "remove_card": "tests/zone/test_card_on_file.py",
    "remove_bill_card": "tests/zone/test_card_on_file.py",
    "give_debit_part": "tests/zone/test_debit_line.py",
    "begin_debit_fetch": "tests/zone/test_debit_fetch.py",
    "open_debit_result": "tests/zone/test_debit_fetch.py",
    "keep_debit_result": "tests/zone/test_debit_fetch.py",
    "record_debit_fetch": "tests/zone/test_debit_fetch.py",
    "start_mandate": "tests/zone/test_mandate_redirect.py",
    "record_mandate_opening": "tests/zone/test_mandate_redirect.py",
    "view_mandate_return": "tests/zone/test_mandate_redirect.py",
    "begin_mandate_asking": "tests/zone/test_mandate_redirect.py",
    "record_mandate_asking": "tests/zone/test_mandate_redirect.py",
    "save_template": "tests/zone/test_template_versions.py",
    "ask_template": "tests/zone/test_template_versions.py",
    "decide_template": "tests/zone/test_template_versions.py",
    "change_ladder": "tests/zone/test_template_screen.py",
    "stop_by_mail": "tests/zone/test_contact_choice.py",
    "change_message_prices": "tests/zone/test_funnel.py",
    "try_template": "tests/zone/test_template_trial.py",
    "answer_call": "tests/zone/test_calls.py",
    "record_call": "tests/zone/test_calls.py",
    "deposit_mandate_word": "tests/zone/test_mandate_redirect.py",
    "forget_push": "tests/zone/test_push_services.py",
    "keep_push": "tests/zone/test_push_services.py",
    "drop_push": "tests/zone/test_push_services.py",
    "register_device": "tests/zone/test_push_services.py",
    "remove_device": "tests/zone/test_push_services.py",
    "remove_devices": "tests/zone/test_push_services.py",
}
"""Writes that are not on the road of a bill, one transaction each, and where repeating is tried."""

READS = {
    "preview_ladder", "view_ladder_plan",
    "check_template", "list_templates", "preview_template", "view_template",
    "list_api_keys", "list_bill_pauses", "list_bill_refunds", "list_bills", "list_cases",
    "list_debit_files", "list_devices", "list_imports", "list_mandates", "list_print_batches",
    "list_failed_files", "list_failed_lines", "list_message_prices",
    "list_refunds", "list_result_files", "list_row_faults", "list_transfer_files",
    "view_funnel", "view_switch", "view_transfer_file",
    "list_billings", "list_contact_problems", "count_contact_problems", "view_paper",
    "summarise_bills", "view_attempt", "view_bill", "view_case", "view_import", "view_inquiry",
    "view_mandate", "view_mandate_departure", "view_page", "view_refund", "view_sending",
    "view_viewer",
}  # fmt: skip
"""Operations that change nothing that anyone would miss (a revealed row's budget and audit)."""


def sources(*folders: str, naming: str = "") -> Iterator[tuple[str, ast.Module]]:
    """All modules there; or those that hold a name, for no other can call it."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            if naming in text:
                yield str(path.relative_to(ROOT)), ast.parse(text)


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def calls(node: ast.AST) -> Iterator[ast.Call]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call):
            yield inner


def name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)


def points(node: ast.AST) -> list[ast.Call]:
    return [call for call in calls(node) if name_of(call) == "crash_point"]


def operations() -> dict[str, str]:
    """Constant's name → operation's name, of the whole contract."""
    found: dict[str, str] = {}
    for module in pkgutil.iter_modules(portal.contract.__path__, "portal.contract."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, Operation):
                found[name] = value.name
    return found


def called_operations() -> dict[str, str]:
    """Operation → where application, worker or egress call it."""
    constants = operations()
    return {
        constants[name.id]: path
        for path, tree in sources(*CALLERS)
        for name in ast.walk(tree)
        if isinstance(name, ast.Name) and name.id in constants
    }


def test_every_point_stands_where_it_is_said_to_and_nowhere_else() -> None:
    found: dict[str, set[str]] = {}
    for path, tree in sources("portal", "worker", naming="crash_point"):
        for function in functions(tree):
            for call in points(function):
                name = call.args[0]
                assert isinstance(name, ast.Constant), f"{path}: a point's name is a literal"
                found.setdefault(str(name.value), set()).add(f"{path}:{function.name}")

    assert found == {name: {place} for name, place in PLACES.items()}
    assert set(PLACES) == set(CRASH_POINTS)


def test_every_call_of_the_vault_can_be_killed_on_both_sides() -> None:
    doors = [
        (path, function)
        for path, tree in sources("portal", "worker", naming="channel")
        for function in functions(tree)
        for call in calls(function)
        if ast.unparse(call.func) == "channel.call"
    ]
    [(path, function)] = doors
    lines = [ast.unparse(statement) for statement in function.body]
    [place] = [number for number, line in enumerate(lines) if "channel.call(" in line]

    assert path == "portal/contract/client.py"
    assert lines[place - 1] == "crash_point('caller.before_call', op.name)"
    assert lines[place + 1] == "crash_point('caller.after_call', op.name)"


def test_every_call_of_a_provider_stands_beside_a_point() -> None:
    bare: list[str] = []
    seen = 0
    for path, tree in sources("portal/application", "portal/egress"):
        for function in functions(tree):
            if function.name in {"ask", "_access"}:
                # The one way to ``outbound.send``, whose callers are looked at; and asking for a
                # token, by which nothing happens anywhere.
                continue
            if speaks(function):
                seen += 1
                if not is_guarded(tree, function):
                    bare.append(f"{path}:{function.name}")

    assert seen >= 4
    assert bare == []


def speaks(function: ast.AST) -> bool:
    return any(
        isinstance(call.func, ast.Attribute)
        and call.func.attr in PROVIDER_CALLS
        and ast.unparse(call.func.value).rpartition(".")[2] in SPEAKERS
        for call in calls(function)
    )


def is_guarded(tree: ast.Module, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """A point in the function itself, or in every function of the module that calls it."""
    if points(function):
        return True
    users = [
        other
        for other in functions(tree)
        if other is not function and any(name_of(call) == function.name for call in calls(other))
    ]
    return bool(users) and all(is_guarded(tree, user) for user in users)


def test_every_write_is_walked_or_tried_elsewhere() -> None:
    called = called_operations()
    writes = {name for name in called if name not in READS}
    walked = {crash.operation for crash in WALK}

    assert writes - walked - set(TRIED_ELSEWHERE) == set()
    assert set(TRIED_ELSEWHERE) <= writes
    assert not walked & set(TRIED_ELSEWHERE)
    for name, place in TRIED_ELSEWHERE.items():
        text = (ROOT / place).read_text(encoding="utf-8")
        assert name in text or name.upper() in text, f"{name} is not in {place}"


@pytest.mark.parametrize("name", sorted(READS))
def test_what_counts_as_a_read_has_no_effect_in_the_registry(name: str) -> None:
    assert REGISTRY[name].audit != "effect"


def test_the_walk_goes_through_every_point_and_only_through_known_ones() -> None:
    walked = {crash.point for crash in WALK}
    assert walked | NOT_WALKED == set(CRASH_POINTS)
    assert not walked & NOT_WALKED
    beside = "".join(
        (ROOT / "tests/zone" / name).read_text(encoding="utf-8")
        for name in (
            "test_refund_crash.py",
            "test_debit_line.py",
            "test_debit_fetch.py",
            "test_card_on_file.py",
            "test_mandate_redirect.py",
            "test_number_made.py",
        )
    )
    assert all(f'"{point}"' in beside for point in NOT_WALKED)
    assert len(set(WALK)) == len(WALK)
    for crash in WALK:
        zone = crash.point.partition(".")[0]
        assert zone in {"caller", crash.process, "worker" if crash.process == "work" else ""}
        assert crash.operation in {"", *REGISTRY, "intake.accept_chunk", "message.send_chunk"}


@pytest.mark.parametrize("source", ["desk.converse(x)", "self._sender.send(x)"])
def test_a_bare_call_of_a_provider_is_found(source: str) -> None:
    tree = ast.parse(f"def pay(desk, self, x):\n    return {source}\n")
    [function] = functions(tree)

    assert speaks(function)
    assert not is_guarded(tree, function)
