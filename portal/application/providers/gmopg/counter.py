"""GMO Payment Gateway's numbers for convenience stores: EntryTranCvs, ExecTranCvs, CvsCancel.

Application zone; pure. Two calls make a number: the first registers the order, the second gives it
to a store's system. An order without the second can be paid by nobody. Names and readings leave in
Windows-31J, which is the rule's to say (``charset``).

Source: EntryTranCvs, CvsCancel, SearchTradeMulti: recordings of t-k/gmo-payment-ruby (MIT).
ExecTranCvs was not recorded: its fields, their lengths and those of its answer as several public
clients of the company have them, its form as the recorded ExecTranPayEasy, which asks for the same.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from portal.application.providers.exchange import (
    Endpoint,
    Exchange,
    NumberAnswer,
    NumberFinding,
    NumberWanted,
    WithdrawAnswer,
    bare_finding,
)
from portal.application.providers.gmopg.body import read_pairs
from portal.contract.finding import finding_of
from portal.domain.errors import InvariantBroken
from portal.domain.konbini import AMOUNT_MAX, DAYS_MAX
from portal.domain.number import is_contact_fit
from portal.domain.payment_word.gmopg_counter import (
    CODES,
    PAY_TYPE,
    find_order,
    read_numbers,
    read_payment,
)
from portal.domain.refund_word.gmopg_body import REFUSALS, read_errors, weigh
from portal.domain.refund_word.word import Said
from portal.kit.outbound.wire import OutboundAnswer, OutboundRequest

_ACT_TIMEOUT_S: Final = 20.0
_READ_TIMEOUT_S: Final = 8.0
_ACCESS: Final = re.compile(r"[0-9a-zA-Z]{32}")


class GmoPgCounter:
    """Numbers by two calls: see portal.application.methods.number.

    ``endpoint.account`` begins with the shop's id; its password is the credential of the provider's
    name, as for cards.
    """

    def __init__(self, provider: str) -> None:
        """``provider`` names the registration, and with it the credential."""
        self._pass = f"{{{{credential:{provider}}}}}"

    def issue(self, endpoint: Endpoint, wanted: NumberWanted) -> Exchange[NumberAnswer]:
        """Register the order and give it to the store; an OrderID in use reads as unknown.

        Raises: InvariantBroken ``number_unfit`` for an amount or a time that no number carries, or
        a contact that the merchant has not set up.
        """
        _check(wanted)
        amount = str(wanted.amount.amount_minor)
        order = {"OrderID": wanted.reference, "Amount": amount}
        request = self._post(endpoint, "EntryTranCvs", order, _ACT_TIMEOUT_S)

        def then(answer: OutboundAnswer) -> Exchange[NumberAnswer] | None:
            access = _access_of(read_pairs(answer))
            if access is None:
                return None
            fields = access | _at_the_counter(wanted)
            made = self._post(
                endpoint, "ExecTranCvs", fields, _ACT_TIMEOUT_S, payer_of=wanted.attempt_id
            )
            return Exchange(made, lambda said: _read_number(said, wanted))

        return Exchange(request, _read_unmade, then)

    def inquire(self, endpoint: Endpoint, reference: str) -> Exchange[NumberFinding]:
        """Ask how the order stands. One that no store ever had is as good as none."""
        request = self._search(endpoint, reference)
        return Exchange(request, lambda answer: _read_finding(answer, reference))

    def withdraw(self, endpoint: Endpoint, reference: str) -> Exchange[WithdrawAnswer]:
        """Look the order up and have its number withdrawn; one that was paid stands."""

        def then(answer: OutboundAnswer) -> Exchange[WithdrawAnswer] | None:
            pairs = find_order(read_pairs(answer), reference)
            access = _access_of(pairs)
            if pairs is None or access is None or pairs.get("Status") != "REQSUCCESS":
                return None
            fields = access | {"OrderID": reference}
            cancel = self._post(endpoint, "CvsCancel", fields, _ACT_TIMEOUT_S)
            return Exchange(cancel, lambda said: _read_withdrawn(said, reference))

        return Exchange(
            self._search(endpoint, reference),
            lambda answer: _read_unwithdrawn(answer, reference),
            then,
        )

    def _search(self, endpoint: Endpoint, reference: str) -> OutboundRequest:
        asked = {"OrderID": reference, "PayType": PAY_TYPE}
        return self._post(endpoint, "SearchTradeMulti", asked, _READ_TIMEOUT_S)

    def _post(
        self,
        endpoint: Endpoint,
        act: str,
        fields: Mapping[str, str],
        timeout_s: float,
        *,
        payer_of: UUID | None = None,
    ) -> OutboundRequest:
        if not endpoint.account:
            context = f"{endpoint.host} needs /shop id behind its port"
            raise InvariantBroken("provider_unconfigured", context=context)
        return OutboundRequest(
            host=endpoint.host,
            port=endpoint.port,
            method="POST",
            path=f"/payment/{act}.idPass",
            headers={},
            body=urlencode({"ShopID": endpoint.account[0], "ShopPass": self._pass, **fields}),
            body_kind="form",
            timeout_s=timeout_s,
            delivery_id=payer_of,
        )


COUNTER: Final = GmoPgCounter("gmopg")


def _check(wanted: NumberWanted) -> None:
    """Refuse what would come back as an error, or as another name on a receipt."""
    if not 1 <= wanted.amount.amount_minor <= AMOUNT_MAX or not 1 <= wanted.days <= DAYS_MAX:
        raise InvariantBroken("number_unfit", context="amount or days")
    if not is_contact_fit(wanted.contact_name, wanted.contact_phone, wanted.contact_hours):
        raise InvariantBroken("number_unfit", context="the merchant's contact")


def _at_the_counter(wanted: NumberWanted) -> dict[str, str]:
    return {
        "OrderID": wanted.reference,
        "Convenience": CODES[wanted.store],
        "CustomerName": "{{payer:name}}",
        "CustomerKana": "{{payer:kana}}",
        "TelNo": "{{payer:phone}}",
        "PaymentTermDay": str(wanted.days),
        "ReceiptsDisp11": wanted.contact_name,
        "ReceiptsDisp12": wanted.contact_phone,
        "ReceiptsDisp13": wanted.contact_hours,
    }


def _access_of(pairs: Mapping[str, str] | None) -> dict[str, str] | None:
    """The key to one order, or None where the answer holds none."""
    if pairs is None or read_errors(pairs):
        return None
    access = {name: pairs.get(name, "") for name in ("AccessID", "AccessPass")}
    return access if all(map(_ACCESS.fullmatch, access.values())) else None


def _read_unmade(answer: OutboundAnswer) -> NumberAnswer:
    """The order was not registered, or nobody knows: no store has heard of it either way."""
    if answer.fate == "not_sent":
        return NumberAnswer("refused", code="provider_away")
    return _failure(answer) or NumberAnswer("unknown", code="answer_unreadable")


def _read_number(answer: OutboundAnswer, wanted: NumberWanted) -> NumberAnswer:
    if answer.fate == "not_sent":
        return NumberAnswer("refused", code="provider_away")
    failure = _failure(answer)
    if failure is not None:
        return failure
    pairs = read_pairs(answer) or {}
    numbers = read_numbers(pairs.get("Convenience", ""), pairs, "")
    if pairs.get("OrderID") != wanted.reference or numbers is None or numbers.store != wanted.store:
        return NumberAnswer("unknown", code="answer_unreadable")
    return NumberAnswer("accepted", numbers)


def _failure(answer: OutboundAnswer) -> NumberAnswer | None:
    """A list of errors, or no answer of the company's; None for one that went well."""
    pairs = read_pairs(answer)
    if pairs is None:
        return NumberAnswer("unknown", code=answer.code or "answer_unreadable")
    codes = read_errors(pairs)
    if not codes:
        return None
    meaning = weigh(codes)
    if meaning == "taken":
        return NumberAnswer("unknown", code="reference_exists")
    refusal = REFUSALS.get(meaning)
    if refusal is None:
        return NumberAnswer("unknown", code="provider_unclear")
    return NumberAnswer("refused", code=refusal)


def _read_finding(answer: OutboundAnswer, reference: str) -> NumberFinding:
    if answer.fate != "answered":
        return NumberFinding(bare_finding("unclear", code=answer.code))
    word = read_payment(Said(answer.status, answer.body), reference)
    return NumberFinding(finding_of(replace(word, numbers=None)), word.numbers)


def _read_unwithdrawn(answer: OutboundAnswer, reference: str) -> WithdrawAnswer:
    """The order was only looked up: what can't be paid any more is withdrawn already."""
    if answer.fate != "answered":
        return WithdrawAnswer("refused", code="provider_away")
    found = _read_finding(answer, reference).payment.state
    if found in {"failed", "not_found"}:
        return WithdrawAnswer("withdrawn")
    code = "answer_unreadable" if found == "unclear" else "provider_refused"
    return WithdrawAnswer("refused", code=code)


def _read_withdrawn(answer: OutboundAnswer, reference: str) -> WithdrawAnswer:
    if answer.fate == "not_sent":
        return WithdrawAnswer("refused", code="provider_away")
    failure = _failure(answer)
    if failure is not None:
        outcome = "refused" if failure.outcome == "refused" else "unknown"
        return WithdrawAnswer(outcome, code=failure.code)
    pairs = read_pairs(answer) or {}
    if (pairs.get("OrderID"), pairs.get("Status")) == (reference, "CANCEL"):
        return WithdrawAnswer("withdrawn")
    return WithdrawAnswer("unknown", code="answer_unreadable")
