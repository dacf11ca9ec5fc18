"""A kept card that pays while its payer is there: 3-D Secure 2 with the company's own page.

Application zone; pure. The order is registered with 3-D Secure, the card is named, and the company
answers with the page where the payer's bank asks them (ACS=2, RedirectUrl), or that nobody has to
be asked (ACS=0). Neither order nor page come here: the relay has the vault keep them. Nothing is
paid before SecureTran2, which names the order alone; the vault lets it leave once.

Source: EntryTran (TdFlag, TdTenantName, Tds2Type), ExecTran (RetUrl, CallbackType) and SecureTran2
as public clients have them, among them cinerino/gmo-service; not recorded, see
docs/decisions/0004.
"""

import base64
from collections.abc import Callable
from typing import Final

import msgspec

from portal.application.providers.exchange import (
    Endpoint,
    Exchange,
    KeptWanted,
    SessionAnswer,
    bare_finding,
)
from portal.application.providers.gmopg.body import read_pairs
from portal.application.providers.gmopg.kept import (
    CHARGE_TIMEOUT_S,
    KEEP_TIMEOUT_S,
    read_refusal,
    read_unsettled,
    shop_keys,
    site_keys,
)
from portal.application.providers.gmopg.shop import post
from portal.contract.finding import finding_of
from portal.contract.payment import Finding
from portal.domain.payment_word.gmopg_decline import is_wrong_state, read_secured
from portal.domain.payment_word.gmopg_trade import name_at_bank, name_charge
from portal.domain.payment_word.word import PaymentFinding
from portal.domain.reference import id_behind
from portal.domain.refund_word.gmopg import prefixed
from portal.domain.refund_word.gmopg_body import read_errors, weigh
from portal.kit.outbound.wire import OutboundAnswer

_BY_FORM: Final = "1"
"""How the browser comes back: by a form, so that what names the order stands in no address."""

_TENANT_LETTERS_MAX: Final = 25
"""Of the name that the bank shows, as it is sent; a longer one is left to the company's set-up."""


def pay_kept(provider: str, endpoint: Endpoint, wanted: KeptWanted) -> Exchange[SessionAnswer]:
    """Register the order, then name the card; between the two no money can have moved."""
    keys = shop_keys(provider, endpoint)
    order = {"OrderID": "{{instrument:reference}}", "Amount": "{{instrument:amount}}"}
    order |= {"JobCd": "CAPTURE", "TdFlag": "2", "Tds2Type": "1"} | keys
    tenant = _tenant(wanted.payee_name)
    if tenant:
        order["TdTenantName"] = tenant
    paying = keys | site_keys(provider, endpoint)

    def then(answer: OutboundAnswer) -> Exchange[SessionAnswer] | None:
        pairs = read_pairs(answer)
        if pairs is None or read_errors(pairs) or not pairs.keys() >= {"AccessID", "AccessPass"}:
            return None
        fields = {
            "AccessID": "{{instrument:order}}",
            "AccessPass": "{{instrument:order_pass}}",
            "OrderID": "{{instrument:reference}}",
            "Method": "1",
            "MemberID": "{{instrument:token}}",
            "CardSeq": "0",
            "RetUrl": wanted.return_url,
            "CallbackType": _BY_FORM,
        }
        request = post(endpoint, "ExecTran", fields | paying, CHARGE_TIMEOUT_S)
        request = msgspec.structs.replace(request, delivery_id=wanted.attempt_id)
        return Exchange(request, lambda done: _read_begun(done, wanted.reference))

    request = post(endpoint, "EntryTran", order, KEEP_TIMEOUT_S)
    request = msgspec.structs.replace(request, delivery_id=wanted.attempt_id)
    return Exchange(request, lambda answer: _read_order(answer, wanted.reference), then)


def secure(
    endpoint: Endpoint, reference: str, name: str, search: Callable[[str], Exchange[Finding]]
) -> Exchange[Finding]:
    """Take the money after the bank was asked, then ``search`` under a name that says so.

    What never left is searched for by the ``name`` that it has. What the company refuses and does
    not have afterwards is no payment; of an answer that was lost only the search tells.
    """
    sent = name_charge(reference, is_sent=True)

    def then(answer: OutboundAnswer) -> Exchange[Finding] | None:
        if answer.fate == "not_sent":
            return search(name)
        refused = read_secured(read_pairs(answer))
        asked = search(sent)
        return Exchange(
            asked.request, lambda found: _with_refusal(asked.read(found), sent, refused)
        )

    fields = {"AccessID": "{{instrument:order}}", "AccessPass": "{{instrument:order_pass}}"}
    request = post(endpoint, "SecureTran2", fields, CHARGE_TIMEOUT_S)
    request = msgspec.structs.replace(request, delivery_id=id_behind(reference))
    return Exchange(request, lambda answer: bare_finding("unclear", code=answer.code), then)


def _tenant(name: str) -> str:
    """A merchant's name as the bank shows it; '' for one that can't be written so."""
    try:
        text = base64.b64encode(name.encode("euc_jp")).decode()
    except UnicodeEncodeError:
        return ""
    return text if len(text) <= _TENANT_LETTERS_MAX else ""


def _read_order(answer: OutboundAnswer, reference: str) -> SessionAnswer:
    """No order was registered, or who knows; no card was named, so nothing is paid."""
    name = name_charge(reference, is_sent=False)
    unsettled = read_unsettled(answer, name)
    if unsettled is not None:
        return unsettled
    codes = read_errors(read_pairs(answer) or {})
    return read_refusal(codes, name_at_bank(reference) if weigh(codes) == "taken" else name)


def _read_begun(answer: OutboundAnswer, reference: str) -> SessionAnswer:
    """The payer is led to their bank, or nobody has to be asked; or it was refused."""
    name = name_at_bank(reference)
    unsettled = read_unsettled(answer, name)
    if unsettled is not None:
        return unsettled
    pairs = read_pairs(answer) or {}
    codes = read_errors(pairs)
    if is_wrong_state(codes):
        return SessionAnswer("unknown", provider_ref=name, code="provider_unclear")
    if codes:
        return read_refusal(codes, name)
    if pairs.get("ACS") == "2" and pairs.get("RedirectUrl"):
        return SessionAnswer("accepted", provider_ref=name)
    done = prefixed(pairs.get("TranID", ""))
    if pairs.get("ACS") == "0" and pairs.get("OrderID") == reference and done:
        return SessionAnswer("accepted", provider_ref=done)
    return SessionAnswer("unknown", provider_ref=name, code="answer_unreadable")


def _with_refusal(found: Finding, sent: str, refused: PaymentFinding | None) -> Finding:
    """How the order stands after the last step, which is never taken again."""
    if found.state in {"pending", "requires_action"} and refused is not None:
        return finding_of(refused)
    if found.state in {"succeeded", "failed"}:
        return found
    return msgspec.structs.replace(found, provider_ref=sent)
