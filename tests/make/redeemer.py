"""The vault's end of the channel for tests of the relay alone: redeems what it was given, once.

It speaks the channel's real frames over real mutual TLS; the vault itself is tested elsewhere.
"""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from uuid import UUID

import msgspec

from portal.contract.card_on_file import (
    CardStepDeposited,
    DepositCardStep,
    InstrumentRedeemed,
    RedeemInstrument,
)
from portal.contract.client import VaultClient
from portal.contract.company_word import (
    DEPOSIT_PAYMENT_ANSWER,
    DepositPaymentAnswer,
    PaymentAnswerDeposited,
)
from portal.contract.debit_line import DebitFileRedeemed, DebitPartGiven, RedeemDebitFile
from portal.contract.envelope import (
    PROTOCOL,
    Answer,
    Authority,
    Call,
    Done,
    Failure,
    Hello,
    Reply,
)
from portal.contract.frames import FrameBuffer, to_frame
from portal.contract.message import RedeemDeliveries, Redeemed, RedeemedDelivery
from portal.contract.number import PayerRedeemed, RedeemPayer
from portal.contract.push import ForgetPush
from portal.contract.refund import (
    DepositRefundAnswer,
    RedeemRefund,
    RefundAnswerDeposited,
    RefundRedeemed,
    RefundReturned,
    ReturnRefund,
)
from portal.domain.ids import DeliveryId
from portal.kit.crypto import server_context
from tests.make import certificates

_pack = msgspec.msgpack.encode
_FILE = b"file"
_NO_CARD = InstrumentRedeemed(
    token="", customer="", reference="", amount_minor=0, refused="delivery_redeemed"
)

_HEARD = {
    "redeem_refund", "return_refund", "deposit_refund_answer", "deposit_payment_answer",
    "forget_push", "deposit_card_step",
}  # fmt: skip
_NOBODY = PayerRedeemed(name="", kana="", phone="", refused="delivery_redeemed")


@dataclass
class Redeemer:
    """``values`` maps a delivery to its host, addressee and text; ``calls`` is what was asked.

    ``mails`` maps a mail's delivery to its host and all that the vault would give out of it.
    ``cards`` maps a charge to its host and what the vault would give out, ``payers`` an attempt,
    ``kept`` one whose card is to be kept.
    ``files`` are the debit files that were asked for; each is given. ``refunds`` are those that
    asked for leave, which all but ``refunds_refused`` get; ``returned`` came to nothing.
    ``answers`` are what it says that companies answered about refunds, ``payments`` about payments,
    which all are taken but those in ``payments_refused``; where there is a ``listener``, it is a
    real vault that hears them, and knows the company as ``listens_as``. ``steps``: what it says
    that companies answered to payers who are there, all of it taken unless ``is_full``.
    ``forgotten``: devices that the relay has said are gone. ``is_older``: a vault of the release
    before companies' answers came from the relay.
    """

    authority: certificates.Authority
    path: Path
    values: dict[UUID, tuple[str, str, str]] = field(
        default_factory=dict[UUID, tuple[str, str, str]]
    )
    mails: dict[UUID, tuple[str, RedeemedDelivery]] = field(
        default_factory=dict[UUID, tuple[str, RedeemedDelivery]]
    )
    cards: dict[UUID, tuple[str, InstrumentRedeemed]] = field(
        default_factory=dict[UUID, tuple[str, InstrumentRedeemed]]
    )
    kept: dict[UUID, tuple[str, InstrumentRedeemed]] = field(
        default_factory=dict[UUID, tuple[str, InstrumentRedeemed]]
    )
    payers: dict[UUID, tuple[str, PayerRedeemed]] = field(
        default_factory=dict[UUID, tuple[str, PayerRedeemed]]
    )
    calls: list[RedeemDeliveries] = field(default_factory=list[RedeemDeliveries])
    files: list[UUID] = field(default_factory=list[UUID])
    refunds: list[RedeemRefund] = field(default_factory=list[RedeemRefund])
    refunds_refused: set[UUID] = field(default_factory=set[UUID])
    returned: list[UUID] = field(default_factory=list[UUID])
    answers: list[DepositRefundAnswer] = field(default_factory=list[DepositRefundAnswer])
    payments: list[DepositPaymentAnswer] = field(default_factory=list[DepositPaymentAnswer])
    payments_refused: set[UUID] = field(default_factory=set[UUID])
    listener: VaultClient | None = None
    listens_as: str = ""
    forgotten: list[ForgetPush] = field(default_factory=list[ForgetPush])
    steps: list[DepositCardStep] = field(default_factory=list[DepositCardStep])
    failure: Failure | None = None
    is_silent: bool = False
    refusal: str = "delivery_redeemed"
    is_older: bool = False
    is_full: bool = False
    _server: asyncio.Server | None = None
    _redeemed: set[UUID] = field(default_factory=set[UUID])
    _given: set[tuple[UUID, str]] = field(default_factory=set[tuple[UUID, str]])

    async def __aenter__(self) -> Self:
        context = server_context(*self.authority.zone("vault"), self.authority.ca)
        self._server = await asyncio.start_unix_server(self._serve, self.path, ssl=context)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        own = Authority(capability=b"c", key=b"k" * 32, expires_at=1 << 40)
        writer.write(to_frame(_pack(Hello(PROTOCOL, "vault-test", b"n" * 32, own))))
        frames = FrameBuffer()
        try:
            while data := await reader.read(65_536):
                for frame in frames.feed(data):
                    call = msgspec.msgpack.decode(frame, type=Call)
                    answer = await self._forwarded(call) or self._answer(call)
                    if self.is_silent:
                        writer.transport.abort()
                        return
                    writer.write(to_frame(_pack(answer)))
        except (OSError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            writer.close()

    def _answer(self, call: Call) -> Answer:
        if call.operation == "redeem_debit_file":
            self.files.append(msgspec.msgpack.decode(call.body, type=RedeemDebitFile).handover_id)
            given = DebitFileRedeemed(
                collector="1", reference="r", parts=1, size_bytes=len(_FILE), refused=None
            )
            return Answer(call.sequence, body=_pack(given))
        if call.operation == "give_debit_part":
            return Answer(call.sequence, body=_pack(DebitPartGiven(body=_FILE, refused=None)))
        if call.operation in {"redeem_instrument", "redeem_payer"}:
            is_card = call.operation == "redeem_instrument"
            given = self._give_card(call.body) if is_card else self._name_payer(call.body)
            return Answer(call.sequence, body=_pack(given))
        if call.operation in _HEARD:
            return self._hear(call)
        assert call.operation == "redeem_deliveries"
        request = msgspec.msgpack.decode(call.body, type=RedeemDeliveries)
        self.calls.append(request)
        if self.failure is not None:
            return Answer(call.sequence, failure=self.failure)
        deliveries = tuple(self._redeem(request.host, id_) for id_ in request.delivery_ids)
        return Answer(call.sequence, body=_pack(Redeemed(deliveries=deliveries)))

    async def _forwarded(self, call: Call) -> Answer | None:
        """What a real vault says to a company's answer about a payment, where there is one."""
        if self.listener is None or call.operation != "deposit_payment_answer":
            return None
        heard = msgspec.msgpack.decode(call.body, type=DepositPaymentAnswer)
        told = msgspec.structs.replace(heard, host=self.listens_as)
        said = await self.listener.call(DEPOSIT_PAYMENT_ANSWER, told)
        return Answer(call.sequence, body=_pack(said))

    def _hear(self, call: Call) -> Answer:
        if self.is_older and (call.operation.startswith("deposit_") or b"asked" in call.body):
            return Answer(call.sequence, failure=Failure("invalid", "request_malformed"))
        return Answer(call.sequence, body=_pack(self._note(call)))

    def _note(self, call: Call) -> Reply:
        if call.operation == "deposit_card_step":
            self.steps.append(msgspec.msgpack.decode(call.body, type=DepositCardStep))
            return CardStepDeposited(refused="not_due" if self.is_full else None)
        if call.operation == "forget_push":
            self.forgotten.append(msgspec.msgpack.decode(call.body, type=ForgetPush))
            return Done()
        if call.operation == "deposit_payment_answer":
            heard = msgspec.msgpack.decode(call.body, type=DepositPaymentAnswer)
            self.payments.append(heard)
            is_refused = heard.attempt_id in self.payments_refused
            return PaymentAnswerDeposited(refused="word_unreadable" if is_refused else None)
        if call.operation == "deposit_refund_answer":
            self.answers.append(msgspec.msgpack.decode(call.body, type=DepositRefundAnswer))
            return RefundAnswerDeposited(refused=None)
        if call.operation == "return_refund":
            self.returned.append(msgspec.msgpack.decode(call.body, type=ReturnRefund).refund_id)
            return RefundReturned(refused=None)
        asked = msgspec.msgpack.decode(call.body, type=RedeemRefund)
        self.refunds.append(asked)
        is_refused = asked.refund_id in self.refunds_refused
        return RefundRedeemed(refused="refund_differs" if is_refused else None)

    def _give_card(self, body: bytes) -> InstrumentRedeemed:
        request = msgspec.msgpack.decode(body, type=RedeemInstrument)
        if request.by_payer:
            return self._give_payer(request)
        known = self.kept if request.part == "keep" else self.cards
        belongs_to, card = known.get(request.attempt_id, ("", _NO_CARD))
        if request.part == "keep" and belongs_to == request.host:
            return card
        if belongs_to != request.host or request.attempt_id in self._redeemed:
            return _NO_CARD
        if request.part == "order":
            return msgspec.structs.replace(card, token="", customer="")
        self._redeemed.add(request.attempt_id)
        return card

    def _give_payer(self, request: RedeemInstrument) -> InstrumentRedeemed:
        """The card once, and what acts on its order once more for the last step."""
        belongs_to, card = self.cards.get(request.attempt_id, ("", _NO_CARD))
        place = (request.attempt_id, request.part)
        if belongs_to != request.host or place in self._given:
            return _NO_CARD
        if request.part == "order":
            return msgspec.structs.replace(card, token="", customer="")
        self._given.add(place)
        orders = [step for step in self.steps if step.attempt_id == request.attempt_id]
        kept = next((step for step in orders if step.order), None)
        if kept is None:
            return card
        return msgspec.structs.replace(card, order=kept.order, order_pass=kept.order_pass)

    def _name_payer(self, body: bytes) -> PayerRedeemed:
        request = msgspec.msgpack.decode(body, type=RedeemPayer)
        belongs_to, payer = self.payers.get(request.attempt_id, ("", _NOBODY))
        if belongs_to != request.host or request.attempt_id in self._redeemed:
            return _NOBODY
        self._redeemed.add(request.attempt_id)
        return payer

    def _redeem(self, host: str, id_: DeliveryId) -> RedeemedDelivery:
        if id_ in self.mails and self.mails[id_][0] == host and id_ not in self._redeemed:
            self._redeemed.add(id_)
            return self.mails[id_][1]
        belongs_to, to, body = self.values.get(id_, ("", "", ""))
        if belongs_to != host or id_ in self._redeemed:
            return RedeemedDelivery(delivery_id=id_, to="", body="", refused=self.refusal)
        self._redeemed.add(id_)
        return RedeemedDelivery(delivery_id=id_, to=to, body=body, refused=None)
