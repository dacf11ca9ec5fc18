"""The payer says where a refund by bank transfer goes: the bank, its branch, the account, then yes.

Zone: application. Links and forms, without script. Bank and branch are public and stand in the
address; the account goes from form to form and is shown once as a bank's file will have it, before
the payer answers the page's question. The vault judges all of it again, and keeps it.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from portal.application.doors.answers import payer_answer, remember_choice, see_other
from portal.application.doors.context import LANGUAGE_COOKIE, RequestContext, payer_context
from portal.application.doors.forms import read_form
from portal.application.doors.graphql.execute import Data, run_operation
from portal.application.doors.locales import choose_language
from portal.application.doors.mandates import (
    FOUND_SHOWN,
    TEXT_MAX,
    bank_of,
    look_for,
    look_for_bank,
)
from portal.application.doors.pages import refused_bill
from portal.domain.bank import YUCHO, Bank, Banks, Branch
from portal.domain.errors import InvalidInput, NotFound, Param
from portal.domain.refund_account import KINDS, RefundAccount, read_account
from portal.kit.banks import banks

CARD: Final = "card_number_refused"
_UNPROCESSABLE: Final = 422
_TYPED: Final = ("symbol", "kind", "number", "holder")
_FIELDS: Final[Mapping[str, str]] = {
    "branchCode": "symbol", "accountKind": "kind", "accountNumber": "number",
    "holderName": "holder", "proof": "proof",
}  # fmt: skip
"""Where an error stands → the form's field."""

Form = Mapping[str, str]


async def show_choice(request: Request) -> Response:
    """``GET /b/{ref}/refund-account?bank=&branch=&q=``: the bank, its branch, then the account.

    Where no account is taken here and now the bill's page says how it stands.
    """
    chosen = remember_choice(request)
    if chosen is not None:
        return chosen
    ref: str = request.path_params["ref"]
    context = payer_context(request, ref)
    bill = (await run_operation(context, "Page"))["bill"]
    if not bill["refunds"]["mayGive"]:
        return see_other(_bill_at(ref))
    return account_page(request, bill, await _banks(), Said(), csrf=context.csrf_token)


async def take(request: Request) -> Response:
    """``POST /b/{ref}/refund-account?bank=&branch=``: show what was typed, then take it.

    What a bank's file can't hold, and a wrong answer, are said beside their field. Raises
    NotAllowed ``form_foreign``, ``form_stale``.
    """
    ref: str = request.path_params["ref"]
    context = payer_context(request, ref)
    form, code = await _read(request)
    if code is None:
        context.check_form(request, form)
    bill = (await run_operation(context, "Page"))["bill"]
    if not bill["refunds"]["mayGive"]:
        over = "refund_proof_over" if bill["refunds"]["nodes"] else "refund_account_closed"
        return await refused_bill(request, context.renewed(), over)
    known = await _banks()
    answer = Answer(request, bill, known, context.csrf_token, form)
    if code is not None:
        return answer.details(code, {"field": "accountNumber"})
    try:
        account = _account(request, known, form)
    except InvalidInput as fault:
        return answer.details(fault.code, fault.params)
    if form.get("step") == "edit":
        return answer.details()
    if form.get("step") != "give":
        return answer.confirm(account)
    return await _give(request, context, answer, account)


async def _give(
    request: Request, context: RequestContext, answer: "Answer", account: RefundAccount
) -> Response:
    intent = {
        "bankCode": account.bank_code,
        "branchCode": account.branch_code,
        "accountKind": account.kind,
        "accountNumber": account.number,
        "holderName": account.holder,
        "proof": answer.form.get("proof", ""),
    }
    given = (await run_operation(context, "RefundAccountGive", {"input": intent}))[
        "refundAccountGive"
    ]
    errors = given["errors"]
    if not errors:
        return see_other(f"{_bill_at(request.path_params['ref'])}#refund")
    code: str = errors[0]["code"]
    if code != "refund_proof_wrong":
        return await refused_bill(request, context.renewed(), code)
    bill = (await run_operation(context.renewed(), "Page"))["bill"]
    if not bill["refunds"]["mayGive"]:  # it was the last answer
        return await refused_bill(request, context.renewed(), "refund_proof_over")
    again = Answer(request, bill, answer.known, answer.csrf, answer.form)
    return again.confirm(account, code, {"left": bill["refunds"]["triesLeft"]})


async def _read(request: Request) -> tuple[Form, str | None]:
    """The form; or, where somebody typed what may be a card's number, that it was refused."""
    try:
        return await read_form(request), None
    except InvalidInput as fault:
        if fault.code != CARD:
            raise
        return {}, fault.code


async def _banks() -> Banks:
    return await asyncio.to_thread(banks)  # reading them takes a moment, once a process


def _account(request: Request, known: Banks, form: Form) -> RefundAccount:
    """The account of the form and of its address."""
    bank = request.query_params.get("bank", "")
    symbol = form.get("symbol", "") if bank == YUCHO else ""
    return read_account(
        known,
        bank_code=bank,
        branch_code=symbol or request.query_params.get("branch", ""),
        kind=form.get("kind", "1"),
        number=form.get("number", ""),
        holder=form.get("holder", ""),
    )


def _nothing() -> Form:
    return dict.fromkeys(_TYPED, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the payer typed, as whom it was read, and why it was not taken."""

    typed: Form = field(default_factory=_nothing)
    account: RefundAccount | None = None
    trouble: Mapping[str, object] | None = None


class Answer:
    """The pages that follow a form, for the data of the operation Page."""

    def __init__(self, request: Request, bill: Data, known: Banks, csrf: str, form: Form) -> None:
        """Take what all of them show."""
        self.request, self.bill, self.known, self.csrf = request, bill, known, csrf
        self.form = form

    def details(self, code: str = "", params: Mapping[str, Param] | None = None) -> Response:
        """The form again, with what was typed and why it was not taken."""
        said = Said(typed=self._typed(), trouble=_trouble(code, params or {}))
        return account_page(self.request, self.bill, self.known, said, csrf=self.csrf)

    def confirm(
        self, account: RefundAccount, code: str = "", params: Mapping[str, Param] | None = None
    ) -> Response:
        """What will be written, and the question."""
        trouble = _trouble(code, {"field": "proof", **(params or {})})
        said = Said(typed=self._typed(), account=account, trouble=trouble)
        return account_page(self.request, self.bill, self.known, said, csrf=self.csrf)

    def _typed(self) -> Form:
        return {name: self.form.get(name, "") for name in _TYPED}


def _trouble(code: str, params: Mapping[str, Param]) -> dict[str, object] | None:
    if not code:
        return None
    wrong = _FIELDS.get(str(params.get("field", "")), "")
    return {"code": code, "params": dict(params), "field": wrong}


def account_page(
    request: Request, bill: Data, known: Banks, said: "Said", *, csrf: str
) -> Response:
    """The page as far as it has come: bank, branch, the account's form, or the question."""
    query = request.query_params
    text = query.get("q", "").strip()[:TEXT_MAX]
    bank = bank_of(known, query.get("bank", ""))
    branch = _branch(known, bank, query.get("branch", ""))
    found: tuple[Bank | Branch, ...] = ()
    if text and bank is None:
        found = look_for_bank(known, text)
    elif text and bank is not None:
        found = look_for(known, bank, text)
    chosen = {"bank": bank.code} if bank else {}
    if branch:
        chosen["branch"] = branch.code
    language = choose_language(
        request.cookies.get(LANGUAGE_COOKIE),
        bill["language"],
        accept=request.headers.get("accept-language", ""),
    )
    values = {
        "bill": bill,
        "csrf": csrf,
        "bank": bank,
        "branch": branch,
        "by_passbook": bank is not None and bank.code == YUCHO and branch is None,
        "at": _branch(known, bank, said.account.branch_code) if said.account else None,
        "here": f"{_bill_at(bill['pageRef'])}/refund-account",
        "query": urlencode(chosen),
        "kept": f"{urlencode(chosen)}&" if chosen else "",
        "q": text,
        "found": found[:FOUND_SHOWN],
        "kinds": KINDS,
        "typed": said.typed,
        "account": said.account,
        "trouble": said.trouble,
    }
    status = _UNPROCESSABLE if said.trouble else 200
    return payer_answer(request, "page/refund_account.html", language, values, status=status)


def _branch(known: Banks, bank: Bank | None, code: str) -> Branch | None:
    if bank is None:
        return None
    try:
        return known.branch(bank.code, code)
    except NotFound:
        return None


def _bill_at(ref: str) -> str:
    return f"/b/{quote(ref, safe='')}"


ROUTES: Final = (
    Route("/b/{ref}/refund-account", show_choice, methods=["GET"]),
    Route("/b/{ref}/refund-account", take, methods=["POST"]),
)
"""For portal.application.doors.server to mount."""
