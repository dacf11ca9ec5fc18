"""GMO Payment Gateway, and SMBC GMO PAYMENT, which speaks the same protocol at its own host.

Application zone; pure. The payer pays on the company's link type Plus page: the protocol type's own
way to charge (ExecTran) wants a token that a script of the company makes in our page, and no script
of others runs there (docs/decisions/0004). Inquiries, refunds and charges of kept cards
(``gmopg.kept``) are protocol type. 3-D Secure 2 is asked for with every payment and done on the
company's page.

Source: SearchTrade, AlterTran, ChangeTran: recordings of t-k/gmo-payment-ruby (MIT).
GetLinkplusUrlPayment: the same shape in several public clients; not recorded, see the record above.
"""

from dataclasses import replace
from functools import partial
from typing import Final

import msgspec

from portal.application.providers import payment_answers
from portal.application.providers.exchange import (
    ChargeWanted,
    Endpoint,
    Exchange,
    KeptWanted,
    RefundWanted,
    SessionAnswer,
    SessionWanted,
    is_page_address,
    read_json,
)
from portal.application.providers.gmopg.kept import charge, keep
from portal.application.providers.gmopg.secure import pay_kept, secure
from portal.application.providers.gmopg.shop import account, post
from portal.application.providers.gmopg.trade import fitting_return, read_date, read_trade
from portal.application.providers.refund_answers import known_of, read_answer, read_finding
from portal.contract.payment import Finding
from portal.domain.payment_word.gmopg import read_payment
from portal.domain.payment_word.gmopg_trade import (
    AUTHENTICATED,
    FOUND,
    WAITING,
    Trade,
    keeps_card,
    name_page,
)
from portal.domain.refund_word.gmopg import GmoPgRefunds
from portal.domain.refund_word.gmopg_body import OK, REFUSALS, weigh
from portal.domain.refund_word.word import RefundAnswer, RefundFinding
from portal.kit.outbound.wire import OutboundAnswer, OutboundRequest

_OPEN_TIMEOUT_S: Final = 10.0
_READ_TIMEOUT_S: Final = 8.0
_ALTER_TIMEOUT_S: Final = 20.0
_BAD_REQUEST: Final = 400


class _Opened(msgspec.Struct, frozen=True):
    OrderID: str
    LinkUrl: str
    WarnList: tuple[msgspec.Raw, ...] | None = None


class GmoPg:
    """Card by redirect and refunds: see portal.application.methods.

    ``endpoint.account`` holds the shop's id and the id of its page's settings, neither a secret;
    the shop's password is the credential of the provider's name.
    """

    def __init__(self, provider: str) -> None:
        """``provider`` names the registration, and with it the credential."""
        self.provider = provider
        self._pass = f"{{{{credential:{provider}}}}}"
        self._reader = GmoPgRefunds(provider)

    def open_session(self, endpoint: Endpoint, wanted: SessionWanted) -> Exchange[SessionAnswer]:
        """Have a page made for the order; an OrderID that is in use reads as unknown.

        How long the page may be used is one of its settings at the company. With ``enrol`` the
        page is the same: the card is kept once the payment is found (``gmopg.kept``).
        """
        shop, page, site = account(endpoint)
        keeps = wanted.enrol and bool(site)
        document = {
            "configid": page,
            "geturlparam": {"ShopID": shop, "ShopPass": self._pass},
            "transaction": {
                "OrderID": wanted.reference,
                "Amount": str(wanted.amount.amount_minor),
                "Tax": "0",
                "RetUrl": wanted.return_url,
                "CompleteUrl": wanted.return_url,
                "CancelUrl": wanted.return_url,
                "PayMethods": ["credit"],
                "ResultSkipFlag": "1",
            },
            # Taken at once, in one sum, with 3-D Secure 2; a card that can't do that is declined.
            "credit": {"JobCd": "CAPTURE", "Method": "1", "TdFlag": "2", "Tds2Type": "1"},
        }
        request = OutboundRequest(
            host=endpoint.host,
            port=endpoint.port,
            method="POST",
            path="/payment/GetLinkplusUrlPayment.json",
            headers={"content-type": "application/json", "accept": "application/json"},
            body=msgspec.json.encode(document).decode(),
            body_kind="json",
            timeout_s=_OPEN_TIMEOUT_S,
        )
        return Exchange(request, lambda answer: _read_opened(answer, wanted.reference, keeps=keeps))

    def inquire(
        self, endpoint: Endpoint, reference: str, provider_ref: str = ""
    ) -> Exchange[Finding]:
        """Ask what became of the order, which is there only once the payer has used the page.

        ``provider_ref`` tells whether a page was made at all, and when: without one, an order that
        is not there was never begun. The card of a payment whose payer leaves it is kept as soon
        as the payment is found.
        """

        def then(answer: OutboundAnswer) -> Exchange[Finding] | None:
            found = _read_finding(answer, reference, provider_ref)
            wants = keeps_card(provider_ref) and found.state == "succeeded"
            if not wants or not account(endpoint)[2]:
                return None
            return keep(self.provider, endpoint, reference, found)

        return Exchange(
            self._search(endpoint, reference),
            lambda answer: _read_finding(answer, reference, provider_ref),
            then,
        )

    def charge(self, endpoint: Endpoint, wanted: ChargeWanted) -> Exchange[SessionAnswer]:
        """Register an order, then have a kept card pay it: see ``gmopg.kept``."""
        return charge(self.provider, endpoint, wanted)

    def pay_kept(self, endpoint: Endpoint, wanted: KeptWanted) -> Exchange[SessionAnswer]:
        """Have a kept card pay whose payer is there: see ``gmopg.secure``."""
        return pay_kept(self.provider, endpoint, wanted)

    def secure(
        self, endpoint: Endpoint, reference: str, provider_ref: str, *, is_back: bool
    ) -> Exchange[Finding]:
        """Search, take the last step where the order waits for it, and search again."""

        def search(name: str) -> Exchange[Finding]:
            request = self._search(endpoint, reference)
            return Exchange(request, lambda answer: _read_finding(answer, reference, name))

        def then(answer: OutboundAnswer) -> Exchange[Finding] | None:
            trade = read_trade(answer, reference)
            statuses = WAITING if is_back else {AUTHENTICATED}
            if trade is None or trade.status not in statuses:
                return None
            return secure(endpoint, reference, provider_ref, search)

        return replace(search(provider_ref), then=then)

    def refund(self, endpoint: Endpoint, wanted: RefundWanted) -> Exchange[RefundAnswer]:
        """Look the order up, then take back all of it or lower its amount to what remains.

        The company keeps no reference of a refund: what tells ours from another is the amount
        that it found before and leaves behind.
        """

        def then(answer: OutboundAnswer) -> Exchange[RefundAnswer] | None:
            trade = read_trade(answer, wanted.reference)
            fields = None if trade is None else _alteration(answer, trade, wanted)
            if trade is None or fields is None:
                return None
            path = "ChangeTran" if wanted.remaining.amount_minor else "AlterTran"
            request = self._post(endpoint, path, fields, _ALTER_TIMEOUT_S)
            request = msgspec.structs.replace(request, delivery_id=wanted.refund_id)
            known = replace(known_of(wanted), payment_name=f"a-{trade.access_id}")
            return Exchange(request, lambda done: read_answer(self._reader, done, known))

        return Exchange(self._search(endpoint, wanted.reference), _read_unaltered, then)

    def inquire_refund(self, endpoint: Endpoint, wanted: RefundWanted) -> Exchange[RefundFinding]:
        """Look whether the order's amount is what this refund leaves behind."""
        known = known_of(wanted)
        request = self._search(endpoint, wanted.reference)
        request = msgspec.structs.replace(request, about_refund=wanted.refund_id)
        return Exchange(request, lambda answer: read_finding(self._reader, answer, known))

    def _search(self, endpoint: Endpoint, reference: str) -> OutboundRequest:
        return self._post(endpoint, "SearchTrade", {"OrderID": reference}, _READ_TIMEOUT_S)

    def _post(
        self, endpoint: Endpoint, act: str, fields: dict[str, str], timeout_s: float
    ) -> OutboundRequest:
        """A call of the protocol type, of the shop."""
        shop = account(endpoint)[0]
        return post(endpoint, act, {"ShopID": shop, "ShopPass": self._pass, **fields}, timeout_s)


ADAPTER: Final = GmoPg("gmopg")


def _read_opened(answer: OutboundAnswer, reference: str, *, keeps: bool) -> SessionAnswer:
    if answer.fate == "not_sent":
        return SessionAnswer("refused", code="provider_away")
    if answer.fate == "unclear":
        return SessionAnswer("unknown", code=answer.code or "provider_unclear")
    faults = read_json(answer, tuple[dict[str, str], ...])
    if faults and answer.status in {OK, _BAD_REQUEST}:
        return _read_faults(faults)
    opened = read_json(answer, _Opened) if answer.status == OK else None
    if opened is None or opened.OrderID != reference or not is_page_address(opened.LinkUrl):
        return SessionAnswer("unknown", code="answer_unreadable")
    if opened.WarnList:
        # One of the warnings is that the order has a page already: whose payment would it be?
        return SessionAnswer("unknown", code="reference_exists")
    name = name_page(read_date(answer), keeps_card=keeps)
    return SessionAnswer("accepted", redirect_url=opened.LinkUrl, provider_ref=name)


def _read_faults(faults: tuple[dict[str, str], ...]) -> SessionAnswer:
    """The page's list of errors, whose names are seen both as ErrInfo and as errInfo."""
    texts = [fault.get("ErrInfo", fault.get("errInfo", "")) for fault in faults]
    codes = tuple(code for text in texts for code in text.split("|"))
    meaning = weigh(codes)
    if meaning == "taken":
        return SessionAnswer("unknown", code="reference_exists")
    if meaning == "unknown":
        return SessionAnswer("unknown", code="provider_unclear")
    return SessionAnswer("refused", code=REFUSALS[meaning])


def _read_finding(answer: OutboundAnswer, reference: str, provider_ref: str) -> Finding:
    """``answer`` says itself when it was given."""
    said = partial(
        read_payment, reference=reference, provider_ref=provider_ref, now=read_date(answer)
    )
    return payment_answers.read_finding(answer, said)


def _alteration(
    answer: OutboundAnswer, trade: Trade, wanted: RefundWanted
) -> dict[str, str] | None:
    """The fields that take the amount back; None when the order is not as we believe it to be."""
    before = wanted.remaining.amount_minor + wanted.amount.amount_minor
    if FOUND.get(trade.status) != "succeeded" or trade.amount_minor != before:
        return None
    if wanted.remaining.amount_minor < 0:
        return None
    access = {"AccessID": trade.access_id, "AccessPass": trade.access_pass}
    if wanted.remaining.amount_minor:
        # Only what was taken at once can be lowered under the same word.
        left = str(wanted.remaining.amount_minor)
        change = access | {"JobCd": "CAPTURE", "Amount": left}
        return change if trade.status == "CAPTURE" else None
    job = fitting_return(answer, trade)
    return None if job is None else access | {"JobCd": job, "Amount": str(trade.amount_minor)}


def _read_unaltered(answer: OutboundAnswer) -> RefundAnswer:
    """The order was only looked up: nothing has been given back."""
    away = answer.fate != "answered"
    return RefundAnswer("refused", code="provider_away" if away else "provider_refused")
