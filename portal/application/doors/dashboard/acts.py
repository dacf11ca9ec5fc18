"""The staff's forms: ``POST /d/do/{mutation}`` runs a named mutation, then back by GET.

Zone: application. A form says the name of one of our trusted mutations and the fields of its
input; what it was refused for stands on the screen that comes next, beside what was typed.
"""

import re
import unicodedata
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from portal.application.doors.answers import see_other
from portal.application.doors.context import RequestContext, staff_context
from portal.application.doors.dashboard.flash import Flash, leave_flash, typed
from portal.application.doors.dashboard.screens import SCOPES, answer_screen, keys_screen
from portal.application.doors.encoding import JsonResponse
from portal.application.doors.forms import read_body, read_form, read_whole
from portal.application.doors.graphql.execute import Data, run_operation
from portal.application.doors.locales import TEXTS
from portal.application.doors.login import safe_target
from portal.application.intake.upload import Slot, Stretch, finish, receive
from portal.domain.errors import InvalidInput, NotFound, Refused
from portal.domain.ids import ImportId, from_public

PASTE_BYTES_MAX: Final = 512 * 1024
"""Text that may be pasted, as sent; anything longer is a file."""

_THOUSANDS: Final = re.compile(r"(?<![.0-9])([0-9]{1,3}),([0-9]{3})(?![0-9])", re.ASCII)
"""A number as the screen itself writes it; every other comma stands between two prices."""

_YEN: Final = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,2})?", re.ASCII)
"""A price as it is typed, with hundredths."""

Form = Mapping[str, str]
_UNPROCESSABLE: Final = 422


@dataclass(frozen=True, slots=True)
class Act:
    """A mutation that a form may run: its root field and how its input is read from the form."""

    root: str
    read: Callable[[Form], dict[str, object]]


def _decide(form: Form) -> dict[str, object]:
    return {**_texts(form, "id", "idempotencyKey"), "decision": form.get("decision", "")}


def _cancel(form: Form) -> dict[str, object]:
    version = read_whole(form.get("version", ""))
    if version is None:
        raise InvalidInput("form_malformed")
    return {**_texts(form, "id", "reason", "idempotencyKey"), "version": version}


def _settle_case(form: Form) -> dict[str, object]:
    return {**_texts(form, "id", "note", "idempotencyKey"), "action": form.get("action", "")}


def _request_refund(form: Form) -> dict[str, object]:
    amount = read_whole(form.get("amount", "").strip().replace(",", ""))
    return {
        **_texts(form, "billId", "attemptId", "note", "totp", "idempotencyKey"),
        "amount": amount or 0,  # which is refused beside its field
        "way": form.get("way") or "PROVIDER",
        "reason": form.get("reason", ""),
    }


def _decide_by_code(form: Form) -> dict[str, object]:
    return {**_texts(form, "id", "totp", "idempotencyKey"), "decision": form.get("decision", "")}


def _record_transfer(form: Form) -> dict[str, object]:
    return _texts(form, "id", "transferredOn", "note", "idempotencyKey")


def _give_refund_account(form: Form) -> dict[str, object]:
    names = ("bankCode", "branchCode", "accountNumber", "holderName")
    debited = form.get("debited") == "1"
    typed: dict[str, object] = dict.fromkeys(names, "") if debited else _texts(form, *names)
    kept = _texts(form, "id", "idempotencyKey")
    return {**kept, **typed, "accountKind": form.get("accountKind") or "1", "debited": debited}


def _pause(form: Form) -> dict[str, object]:
    kept = _texts(form, "id", "note", "idempotencyKey")
    return {**kept, "kind": form.get("kind", ""), "until": form.get("until", "").strip() or None}


def _steer(form: Form) -> dict[str, object]:
    return {**_texts(form, "id", "idempotencyKey"), "act": form.get("act", "")}


def _build_debits(form: Form) -> dict[str, object]:
    return _texts(form, "contractId", "debitOn", "idempotencyKey")


def _report_debits(form: Form) -> dict[str, object]:
    return {**_texts(form, "id", "idempotencyKey"), "word": form.get("word", "")}


def _build_transfers(form: Form) -> dict[str, object]:
    return _texts(form, "contractId", "transferOn", "idempotencyKey")


def _record_return(form: Form) -> dict[str, object]:
    return _texts(form, "id", "returnedOn", "reason", "idempotencyKey")


def _register_mandate(form: Form) -> dict[str, object]:
    return _texts(
        form, "contractId", "customerNo", "bankCode", "branchCode", "accountKind", "accountNumber",
        "holderName", "idempotencyKey",
    )  # fmt: skip


def _decide_mandate(form: Form) -> dict[str, object]:
    return {**_decide(form), "reason": form.get("reason") or None}


def _ask_template(form: Form) -> dict[str, object]:
    version = read_whole(form.get("version", ""))
    if version is None:
        raise InvalidInput("form_malformed")
    return {**_texts(form, "id", "idempotencyKey"), "version": version}


def _set_prices(form: Form) -> dict[str, object]:
    typed = unicodedata.normalize("NFKC", form.get("prices", ""))
    words = _THOUSANDS.sub(r"\1\2", typed).replace(",", " ").split()
    return {
        **_texts(form, "provider"),
        "channel": form.get("channel", ""),
        # What is no price is refused beside its field.
        "prices": [int(Decimal(word) * 100) if _YEN.fullmatch(word) else -1 for word in words],
    }


def _resend(form: Form) -> dict[str, object]:
    return {**_texts(form, "id", "idempotencyKey"), "channel": form.get("channel") or "SMS"}


def _note_choice(form: Form) -> dict[str, object]:
    return {**_texts(form, "id", "channel", "source"), "wanted": form.get("wanted") == "1"}


def _make_batch(form: Form) -> dict[str, object]:
    return {**_texts(form, "idempotencyKey"), "charset": form.get("charset", "")}


def _switch_unopened(form: Form) -> dict[str, object]:
    return {
        **_texts(form, "idempotencyKey"),
        "channel": form.get("channel", ""),
        "importId": form.get("importId", "").strip() or None,
    }


def _set_result_plan(form: Form) -> dict[str, object]:
    read: dict[str, object] = {"charset": form.get("charset", "")}
    for name in ("everyMinutes", "dailyHour"):
        if text := form.get(name, "").strip():
            number = read_whole(text)
            read[name] = -1 if number is None else number  # which is refused beside its field
    return read


def _acknowledge_results(form: Form) -> dict[str, object]:
    number = read_whole(form.get("number", ""))
    if number is None:
        raise InvalidInput("form_malformed")
    return {**_texts(form, "sha256"), "number": number}


def _billing(form: Form) -> dict[str, object]:
    return {**_texts(form, "id", "act"), "reason": form.get("reason") or None}


def _create_import(form: Form) -> dict[str, object]:
    known = read_whole(form.get("size", ""))
    return {**_texts(form, "filename", "idempotencyKey"), "sizeBytes": known}


def _create_key(form: Form) -> dict[str, object]:
    scopes = [scope for scope in SCOPES if form.get(f"scope.{scope}")]
    return {**_texts(form, "name", "idempotencyKey"), "scopes": scopes}


def _texts(form: Form, *names: str) -> dict[str, object]:
    return {name: form.get(name, "").strip() for name in names}


ACTS: Final[Mapping[str, Act]] = {
    "ImportCreate": Act("importCreate", _create_import),
    "ImportDecide": Act("importDecide", _decide),
    "ImportSteer": Act("importSteer", _steer),
    "BillCancel": Act("billCancel", _cancel),
    "BillResend": Act("billResend", _resend),
    "ContactChoiceSet": Act("contactChoiceSet", _note_choice),
    "BillPause": Act("billPause", _pause),
    "BillResume": Act("billResume", lambda form: _texts(form, "id", "idempotencyKey")),
    "BillCardRemove": Act("billCardRemove", lambda form: _texts(form, "id", "idempotencyKey")),
    "CaseSettle": Act("caseSettle", _settle_case),
    "RefundRequest": Act("refundRequest", _request_refund),
    "RefundDecide": Act("refundDecide", _decide_by_code),
    "RefundTransferred": Act("refundTransferred", _record_transfer),
    "RefundAccountGive": Act("refundAccountGive", _give_refund_account),
    "DebitFileBuild": Act("debitFileBuild", _build_debits),
    "DebitFileDecide": Act("debitFileDecide", _decide_by_code),
    "DebitFileReport": Act("debitFileReport", _report_debits),
    "TransferFileBuild": Act("transferFileBuild", _build_transfers),
    "TransferFileDecide": Act("transferFileDecide", _decide_by_code),
    "TransferFileReport": Act("transferFileReport", _report_debits),
    "RefundReturned": Act("refundReturned", _record_return),
    "MandateRegister": Act("mandateRegister", _register_mandate),
    "MandateDecide": Act("mandateDecide", _decide_mandate),
    "TemplateAsk": Act("templateAsk", _ask_template),
    "TemplateDecide": Act("templateDecide", _decide_by_code),
    "MessagePricesSet": Act("messagePricesSet", _set_prices),
    "PrintBatchMake": Act("printBatchMake", _make_batch),
    "UnopenedSwitch": Act("unopenedSwitch", _switch_unopened),
    "ResultPlanSet": Act("resultPlanSet", _set_result_plan),
    "ResultFileMake": Act("resultFileMake", lambda form: _texts(form, "idempotencyKey")),
    "ResultFileAcknowledge": Act("resultFileAcknowledge", _acknowledge_results),
    "PrintBatchHandOver": Act("printBatchHandOver", lambda form: _texts(form, "id")),
    "ContactClear": Act("contactClear", lambda form: _texts(form, "id", "channel", "reason")),
    "ContractBillingSet": Act("contractBillingSet", _billing),
    "ApiKeyCreate": Act("apiKeyCreate", _create_key),
    "ApiKeyRevoke": Act("apiKeyRevoke", lambda form: _texts(form, "id")),
}
"""Name in the address → what it runs. Log-out has an address of its own."""


async def run_act(request: Request) -> Response:
    """``POST /d/do/{mutation}``: to the screen ``back`` with what came of it.

    Raises NotFound ``not_found`` for a name that no form of ours has; NotAllowed ``form_foreign``,
    ``form_stale``.
    """
    name: str = request.path_params["mutation"]
    act = ACTS.get(name)
    if act is None:
        raise NotFound("not_found")
    context = staff_context(request)
    form = await read_form(request)
    context.check_form(request, form)
    data = await run_operation(context, name, {"input": act.read(form)})
    outcome = data[act.root]
    if name == "ImportCreate":
        return _import_created(outcome)
    if name == "ApiKeyCreate" and not outcome["errors"]:
        return await _key_created(request, context, outcome)
    response = see_other(safe_target(form.get("back", "")))
    leave_flash(context, response, flash_of(context, name, form, outcome["errors"]))
    return response


def flash_of(context: RequestContext, name: str, form: Form, errors: list[Data]) -> Flash:
    """What the next screen says."""
    texts = TEXTS[context.language]
    if not errors:
        choice = form.get("decision") or form.get("action") or form.get("kind") or form.get("act")
        key = f"{name}_{choice}" if choice else name
        return Flash(kind="done", text=texts.say(f"done.{key}"))
    first = errors[0]
    return Flash(
        kind="error",
        text=first["message"],
        remedy=texts.remedy(first["code"]),
        field=str(first["path"][-1]) if first["path"] else "",
        fields=typed(form),
    )


def _import_created(outcome: Data) -> Response:
    """For the script that sends a chosen file: where to, and which screen shows it."""
    if outcome["errors"]:
        message = outcome["errors"][0]["message"]
        return JsonResponse({"message": message}, status_code=_UNPROCESSABLE)
    screen = f"/d/imports/{outcome['import']['id']}"
    upload_url: str = outcome["uploadUrl"]
    return JsonResponse({"uploadUrl": urlsplit(upload_url).path, "screen": screen})


async def _key_created(request: Request, context: RequestContext, outcome: Data) -> Response:
    """The one answer that shows a key's secret; it is not kept for a redirect."""
    data = await run_operation(context.renewed(), "Keys")
    secret = {"name": outcome["apiKey"]["name"], "value": outcome["secret"]}
    return answer_screen(request, context, keys_screen(request, data, secret=secret), data)


async def paste_import(request: Request) -> Response:
    """``POST /d/imports/paste``: an import from pasted text, for browsers without script.

    Raises LimitReached ``body_too_large``, InvalidInput ``form_malformed``, NotAllowed
    ``form_foreign``, ``form_stale``.
    """
    context = staff_context(request)
    form = await read_paste(request)
    context.check_form(request, form)
    raw = form.get("csv", "").encode()
    name = TEXTS[context.language].say("imports.pasted_name")
    wanted = {
        "filename": name,
        "sizeBytes": len(raw),
        "idempotencyKey": form.get("idempotencyKey", ""),
    }
    outcome = (await run_operation(context, "ImportCreate", {"input": wanted}))["importCreate"]
    if outcome["errors"]:
        response = see_other("/d/imports/new")
        leave_flash(context, response, flash_of(context, "ImportPaste", {}, outcome["errors"]))
        return response
    public_id: str = outcome["import"]["id"]
    import_id = ImportId(from_public("import", public_id))
    slot = Slot(context.doors.vault, context.authority, import_id)
    stretch = Stretch(offset=0, length=len(raw), total=len(raw), is_last=True)
    # A file that was refused is told about on its own screen.
    with suppress(Refused):
        stored = await receive(slot, stretch, _whole(raw))
        await finish(slot, stored, len(raw))
    response = see_other(f"/d/imports/{public_id}")
    leave_flash(context, response, flash_of(context, "ImportPaste", {}, []))
    return response


async def _whole(raw: bytes) -> AsyncIterator[bytes]:
    yield raw


async def read_paste(request: Request) -> Form:
    """The pasting form: bigger than others, and its text is judged by the vault, not here."""
    body = await read_body(request, PASTE_BYTES_MAX)
    try:
        fields = parse_qs(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=8
        )
    except ValueError as error:
        raise InvalidInput("form_malformed") from error
    return {name: values[0] for name, values in fields.items()}
