"""Cards that the company keeps: left with a payment on its page, charged for later bills.

Application zone; pure. A member of the site is what one card is kept under. Its name is the vault's
(the card's own id) and is filled in by the relay, as are the payment's reference, the sum and the
order that is charged: nothing composed here could keep or charge another person's card. A charge is
never sent twice: an OrderID is taken once and for all, and what is in doubt is searched for.

Source: EntryTran, ExecTran, SaveMember, TradedCard: recordings of t-k/gmo-payment-ruby (MIT); what
errors mean: error-codes.json of npm gmopg 6.0.0 (MIT).
"""

from typing import Final

import msgspec

from portal.application.providers.exchange import (
    ChargeWanted,
    Endpoint,
    Exchange,
    SessionAnswer,
)
from portal.application.providers.gmopg.body import read_pairs
from portal.application.providers.gmopg.shop import account, post
from portal.contract.payment import Finding
from portal.domain.errors import InvariantBroken
from portal.domain.payment_word.gmopg import read_kept
from portal.domain.payment_word.gmopg_decline import decline_of, is_wrong_state
from portal.domain.payment_word.gmopg_trade import name_charge
from portal.domain.reference import id_behind
from portal.domain.refund_word.gmopg import prefixed
from portal.domain.refund_word.gmopg_body import read_errors, weigh
from portal.kit.outbound.wire import OutboundAnswer, OutboundRequest

KEEP_TIMEOUT_S: Final = 10.0
CHARGE_TIMEOUT_S: Final = 25.0

_MEMBER_EXISTS: Final = ("E01390010",)


def keep(provider: str, endpoint: Endpoint, reference: str, found: Finding) -> Exchange[Finding]:
    """Have the card of a payment that was found kept: make a member, then give it the card.

    Only a card that was surely kept is told. The finding of the payment stands whatever comes of
    it; after an answer that was lost, it names the payment as before, so that whoever asks next
    tries again: a member that is there is ours, and the same card under it is no other.
    """

    def then(answer: OutboundAnswer) -> Exchange[Finding] | None:
        pairs = read_pairs(answer)
        if pairs is None or read_errors(pairs) not in {(), _MEMBER_EXISTS}:
            return None
        traded = {"OrderID": "{{instrument:reference}}"} | shop_keys(provider, endpoint) | member
        request = _about(reference, post(endpoint, "TradedCard", traded, KEEP_TIMEOUT_S))
        return Exchange(request, lambda done: _read_kept(done, found))

    member = {"MemberID": "{{instrument:member}}"} | site_keys(provider, endpoint)
    request = _about(reference, post(endpoint, "SaveMember", member, KEEP_TIMEOUT_S))
    return Exchange(request, lambda answer: _read_unkept(answer, found), then)


def charge(provider: str, endpoint: Endpoint, wanted: ChargeWanted) -> Exchange[SessionAnswer]:
    """Register the order of a charge, then have the card pay it without the payer there.

    Between the two no money can have moved.
    """
    order = {"OrderID": "{{instrument:reference}}", "JobCd": "CAPTURE"}
    order |= {"Amount": "{{instrument:amount}}"} | shop_keys(provider, endpoint)
    paying = shop_keys(provider, endpoint) | site_keys(provider, endpoint)

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
        }
        request = post(endpoint, "ExecTran", fields | paying, CHARGE_TIMEOUT_S)
        request = msgspec.structs.replace(request, delivery_id=wanted.instrument_id)
        return Exchange(request, lambda done: _read_charge(done, wanted.reference))

    request = post(endpoint, "EntryTran", order, KEEP_TIMEOUT_S)
    request = msgspec.structs.replace(request, delivery_id=wanted.instrument_id)
    return Exchange(request, lambda answer: _read_order(answer, wanted.reference), then)


def shop_keys(provider: str, endpoint: Endpoint) -> dict[str, str]:
    """By what a shop lets itself in; the password is the relay's."""
    return {"ShopID": account(endpoint)[0], "ShopPass": f"{{{{credential:{provider}}}}}"}


def site_keys(provider: str, endpoint: Endpoint) -> dict[str, str]:
    """By what the keeper of cards is let in.

    Raises: InvariantBroken ``provider_unconfigured`` where we have no site.
    """
    site = account(endpoint)[2]
    if not site:
        context = f"{endpoint.host} keeps no cards without /site id behind the settings' id"
        raise InvariantBroken("provider_unconfigured", context=context)
    return {"SiteID": site, "SitePass": f"{{{{credential:{provider}.site}}}}"}


def _about(reference: str, request: OutboundRequest) -> OutboundRequest:
    return msgspec.structs.replace(request, delivery_id=id_behind(reference))


def _read_unkept(answer: OutboundAnswer, found: Finding) -> Finding:
    """The payment alone; by its page's name still, where who asks next should try again."""
    # The vault's no is its last word: the card is there already, or not wanted any more.
    is_settled = read_pairs(answer) is not None or answer.code == "delivery_refused"
    return found if is_settled else msgspec.structs.replace(found, provider_ref="")


def _read_kept(answer: OutboundAnswer, found: Finding) -> Finding:
    token = read_kept(read_pairs(answer))
    if not token:
        return _read_unkept(answer, found)
    return msgspec.structs.replace(found, saved_token=token)


def _read_order(answer: OutboundAnswer, reference: str) -> SessionAnswer:
    """No order was registered, or who knows; no card was named, so nothing was charged.

    An OrderID that is taken is ours from a try before: what became of that is asked.
    """
    name = name_charge(reference, is_sent=False)
    unsettled = read_unsettled(answer, name)
    if unsettled is not None:
        return unsettled
    codes = read_errors(read_pairs(answer) or {})
    return read_refusal(codes, name_charge(reference, is_sent=weigh(codes) == "taken"))


def _read_charge(answer: OutboundAnswer, reference: str) -> SessionAnswer:
    """What became of the card; what was taken is still asked about.

    A company that wants the payer there has taken nothing, and where they would have to go is told
    to nobody.
    """
    name = name_charge(reference, is_sent=True)
    unsettled = read_unsettled(answer, name)
    if unsettled is not None:
        return unsettled
    pairs = read_pairs(answer) or {}
    codes = read_errors(pairs)
    if is_wrong_state(codes):
        return SessionAnswer("unknown", provider_ref=name, code="provider_unclear")
    if codes:
        return read_refusal(codes, name)
    if pairs.get("ACS", "0") != "0" or pairs.keys() & {"RedirectUrl", "Tds2ChallengeUrl"}:
        return SessionAnswer("refused", provider_ref=name, code="authentication_failed")
    done = prefixed(pairs.get("TranID", ""))
    if pairs.get("ACS") != "0" or pairs.get("OrderID") != reference or not done:
        return SessionAnswer("unknown", provider_ref=name, code="answer_unreadable")
    return SessionAnswer("accepted", provider_ref=done)


def read_unsettled(answer: OutboundAnswer, name: str) -> SessionAnswer | None:
    """What an answer means that says nothing of the payment; None for one that does."""
    if answer.fate == "not_sent":
        return SessionAnswer("refused", provider_ref=name, code="provider_away")
    if answer.fate == "unclear":
        code = answer.code or "provider_unclear"
        return SessionAnswer("unknown", provider_ref=name, code=code)
    if read_pairs(answer) is None:
        return SessionAnswer("unknown", provider_ref=name, code="answer_unreadable")
    return None


def read_refusal(codes: tuple[str, ...], name: str) -> SessionAnswer:
    """What a list of errors means; an empty one means nothing that is known."""
    decline = decline_of(codes)
    if decline is None:
        code = "reference_exists" if weigh(codes) == "taken" else "provider_unclear"
        return SessionAnswer("unknown", provider_ref=name, code=code)
    return SessionAnswer("refused", provider_ref=name, code=decline)
