"""Does a company do what its adapter believes, at a merchant's own account there?

Stack. One payment's life in five acts: opened, asked about, given back in part, asked about again,
told of by a notice; of a number for a store: made, asked about, made again, withdrawn, asked about
again. Requests go through the egress' own code in this process, under the rules that
the operator means to sign, so that a rule which is too narrow shows as well. Real money moves where
the account is a real one. No vault, no merchant's data: the reference is made for this run.
"""

import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Protocol, TypeVar, runtime_checkable

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portal.application.methods.number import ByNumber
from portal.application.methods.redirect import ByRedirect
from portal.application.methods.registry import find_number, find_redirect
from portal.application.providers.exchange import (
    Endpoint,
    Exchange,
    NumberWanted,
    RefundWanted,
    SessionWanted,
)
from portal.application.providers.registry import CAPABILITIES, NOTICES
from portal.contract.payment import Finding
from portal.domain.errors import InvalidInput, InvariantBroken
from portal.domain.konbini import Store
from portal.domain.money import Money
from portal.domain.reference import form_of, reference_for
from portal.domain.refund_word.word import RefundAnswer, RefundFinding
from portal.egress.callers import Caller
from portal.egress.journal import Journal
from portal.egress.metrics import Metrics
from portal.egress.originate import Originate
from portal.egress.policy import RuleBook
from portal.egress.record import Record
from portal.egress.resolve import Resolver
from portal.egress.rules import sign_rules
from portal.egress.sender import Sender
from portal.kit.clock import SystemClock, new_id
from portal.stack.certify_awkward import Awkward, look_at_authentication
from portal.stack.certify_bank import BankTrial, OneDebitFile
from portal.stack.certify_card import TrialCard, TrialVault
from portal.stack.certify_mail import OneMail, send_one
from portal.stack.certify_push import OnePush
from portal.stack.certify_report import Report, Say
from portal.stack.certify_text import OneText

T = TypeVar("T")

STEPS_MAX: Final = 4
_ROLES: Final = frozenset({"web", "work"})
_WEB: Final = frozenset({"web"})
"""A key to one order that the company made: it acts, so it is not shown."""


@runtime_checkable
class _GivesBack(Protocol):
    def refund(self, endpoint: Endpoint, wanted: RefundWanted) -> Exchange[RefundAnswer]: ...

    def inquire_refund(
        self, endpoint: Endpoint, wanted: RefundWanted
    ) -> Exchange[RefundFinding]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What to try: ``paid`` names a payment that is there already, as reference and company's name.

    ``whole``: also one that is declined, one whose opening is not answered, and whether a card's
    payment tells what 3-D Secure came to. ``card``: the payment's card is left there, and charged
    once without the payer; ``payer``: then once more with them, as a page's payer does. With a
    ``store`` a number for it is made instead of a
    page. ``mail`` is the one mail to be sent, ``text`` the one text or call and ``push`` the one
    notification, for a company that carries messages and no money; ``debit`` the one file for a
    bank.

    Units: ``amount_minor`` in yen, at least 2: half of it is given back.
    """

    provider: str
    endpoint: Endpoint
    amount_minor: int
    return_url: str
    paid: tuple[str, str] | None = None
    mail: OneMail | None = None
    text: OneText | None = None
    push: OnePush | None = None
    debit: OneDebitFile | None = None
    notice: bytes | None = None
    store: Store | None = None
    whole: bool = False
    card: bool = False
    payer: bool = False


@dataclass(frozen=True, slots=True)
class Certifier:
    """One run against one company."""

    case: Case
    relay: Originate
    report: Report
    vault: TrialVault

    async def run(self, pay: Callable[[str], Awaitable[None]]) -> None:
        """All acts in order; stops where the next one would have nothing to stand on.

        ``pay`` gets the page's address and returns when the payer is done there.
        """
        if self.case.mail is not None:
            await self._send_mail()
            return
        if self.case.text is not None:
            await self._send_text(self.case.text)
            return
        if self.case.push is not None:
            await self._send_push()
            return
        if self.case.debit is not None:
            parts = (self.case.endpoint, self.case.debit, self._converse, self.report)
            await BankTrial(self.case.provider, *parts).run()
            return
        if self.case.store is not None:
            await self._make_number(find_number(self.case.provider), self.case.store)
        else:
            await self._live_by_page(pay)
        if self.case.notice is not None:
            self._read_notice(self.case.notice)

    async def _live_by_page(self, pay: Callable[[str], Awaitable[None]]) -> None:
        case, adapter = self.case, find_redirect(self.case.provider)
        if case.whole:
            parts = (adapter, case.endpoint, self._wanted, self._converse, self.report, pay)
            await Awkward(*parts).run()
        found = await self._take_money(adapter, pay)
        if found is None:
            return
        if case.whole and "card" in CAPABILITIES[case.provider].methods:
            look_at_authentication(self.report, found[1])
        await self._give_back(adapter, *found)

    def _wanted(self) -> SessionWanted:
        """One more payment, under a reference that nobody had."""
        return SessionWanted(
            reference=_fresh_reference(self.case.provider),
            amount=Money(self.case.amount_minor),
            return_url=self.case.return_url,
            account="certify",
            description="certify",
        )

    async def _make_number(self, adapter: ByNumber, store: Store) -> None:
        """Nobody goes to a store: the number is withdrawn again."""
        endpoint, reference = self.case.endpoint, _fresh_reference(self.case.provider)
        wanted = NumberWanted(
            reference=reference, amount=Money(self.case.amount_minor), store=store, days=3,
            attempt_id=new_id(SystemClock()),
            contact_name="certify", contact_phone="03-0000-0000", contact_hours="09:00-17:00",
        )  # fmt: skip
        made = await self._converse("make a number", adapter.issue(endpoint, wanted))
        self.report.read("make a number", made, fits=made.outcome == "accepted")
        if made.outcome != "accepted":
            return
        found = await self._converse("inquire", adapter.inquire(endpoint, reference))
        fits = (found.payment.state, found.numbers) == ("requires_action", made.numbers)
        self.report.read("inquire", found, fits=fits)
        again = await self._converse("make it again", adapter.issue(endpoint, wanted))
        fits = (again.outcome, again.code) == ("unknown", "reference_exists")
        self.report.read("make it again", again, fits=fits)
        ended = await self._converse("withdraw", adapter.withdraw(endpoint, reference))
        self.report.read("withdraw", ended, fits=ended.outcome == "withdrawn")
        after = await self._converse("inquire after", adapter.inquire(endpoint, reference))
        self.report.read("inquire after", after, fits=after.payment.state == "failed")

    async def _send_mail(self) -> None:
        self.report.begin("mail")
        by = ("email", self.case.provider)
        read = await send_one(self.relay, self.case.endpoint, new_id(SystemClock()), _ROLES, by)
        self.report.read("mail", read, fits=read.outcome == "accepted")
        if self.case.notice is not None:
            self._read_notice(self.case.notice)

    async def _send_text(self, text: OneText) -> None:
        act = "call" if text.channel == "voice" else "text"
        self.report.begin(act)
        where = (self.case.provider, self.case.endpoint)
        read = await text.send(self.relay, where, new_id(SystemClock()), _ROLES)
        self.report.read(act, read, fits=read.outcome == "accepted")
        if self.case.notice is not None:
            self._read_notice(self.case.notice)

    async def _send_push(self) -> None:
        self.report.begin("push")
        by = ("push", self.case.provider)
        read = await send_one(self.relay, self.case.endpoint, new_id(SystemClock()), _ROLES, by)
        self.report.read("push", read, fits=read.outcome == "accepted")

    async def _take_money(
        self, adapter: ByRedirect, pay: Callable[[str], Awaitable[None]]
    ) -> tuple[str, Finding] | None:
        case, card = self.case, self._card() if self.case.card else None
        wanted = self._wanted() if card is None else card.left_with(self._wanted())
        reference, name = case.paid or (wanted.reference, "")
        if card is not None:
            card.awaited(reference)
        if case.paid is None:
            opened = await self._converse("open", adapter.open_session(case.endpoint, wanted))
            accepted = opened.outcome == "accepted"
            self.report.read("open", opened, fits=accepted)
            if not accepted:
                return None
            await pay(opened.redirect_url)
            name = opened.provider_ref
        found = await self._converse("inquire", adapter.inquire(case.endpoint, reference, name))
        paid = (found.state, found.amount_minor) == ("succeeded", case.amount_minor)
        self.report.read("inquire", found, fits=paid)
        if not paid:
            return None
        if card is not None:
            await card.charge(adapter, found, reference)
            if case.payer:
                await card.pay(adapter, found, case.return_url, pay)
        return reference, msgspec.structs.replace(found, provider_ref=found.provider_ref or name)

    def _card(self) -> TrialCard:
        return TrialCard(
            provider=self.case.provider,
            endpoint=self.case.endpoint,
            vault=self.vault,
            converse=self._converse,
            report=self.report,
            as_web=partial(self._converse, roles=_WEB),
        )

    async def _give_back(self, adapter: ByRedirect, reference: str, found: Finding) -> None:
        if not isinstance(adapter, _GivesBack):
            self.report.say("refund\n  the adapter offers none")
            return
        part = self.case.amount_minor // 2
        wanted = RefundWanted(
            refund_id=new_id(SystemClock()),
            reference=reference,
            provider_ref=found.provider_ref,
            refund_reference=_fresh_reference(self.case.provider),
            amount=Money(part),
            remaining=Money(self.case.amount_minor - part),
            account="certify",
        )
        before = adapter.inquire_refund(self.case.endpoint, wanted)
        absent = await self._converse("inquire refund before", before)
        fits = absent.state == "not_found"
        self.report.read("inquire refund before", absent, fits=fits)
        if not fits:
            return
        given = await self._converse("refund", adapter.refund(self.case.endpoint, wanted))
        self.report.read("refund", given, fits=given.outcome in {"succeeded", "accepted"})
        after = await self._converse(
            "inquire refund after", adapter.inquire_refund(self.case.endpoint, wanted)
        )
        done = after.state == "pending" or (after.state, after.amount_minor) == ("succeeded", part)
        self.report.read("inquire refund after", after, fits=done)

    def _read_notice(self, raw: bytes) -> None:
        self.report.begin("notice")
        try:
            claims = NOTICES[self.case.provider].parse(raw, {})
        except InvalidInput as fault:
            self.report.read("notice", fault.code, fits=False)
            return
        self.report.read("notice", claims, fits=True)

    async def _converse(self, act: str, exchange: Exchange[T], roles: frozenset[str] = _ROLES) -> T:
        """As the payment desk does it, and told."""
        self.report.begin(act)
        for _ in range(STEPS_MAX):
            self.report.sent(exchange.request)
            [answer] = await self.relay.send_slice(Caller(0, roles), [exchange.request])
            self.report.heard(answer)
            following = exchange.then(answer) if exchange.then is not None else None
            if following is None:
                return exchange.read(answer)
            exchange = following
        raise InvariantBroken("adapter_endless", context=exchange.request.path)


async def certify(
    case: Case,
    rules: Mapping[str, object],
    credentials: Mapping[str, str],
    pay: Callable[[str], Awaitable[None]],
    *,
    say: Say,
    sandbox_ca: Path | None = None,
) -> bool:
    """Run the case under ``rules`` (the payload that is to be signed); whether everything fits.

    Raises: RulesRefused for rules that no relay would take.
    """
    clock = SystemClock()
    key = Ed25519PrivateKey.generate()
    sender = Sender(Resolver(), sandbox_ca)
    report = Report(say)
    with tempfile.TemporaryDirectory(prefix="harai-certify-") as made:
        folder = Path(made)
        file = folder / "rules.json"
        file.write_bytes(sign_rules(key, rules))
        book = RuleBook(file, key.public_key(), folder, production=False)
        record = Record(Journal(folder / "denied.jsonl", clock), Metrics())
        trial = TrialVault()
        vault = case.mail or case.text or case.push or case.debit or trial
        relay = Originate(book, vault, sender, record, credentials=credentials, clock=clock)
        try:
            await Certifier(case, relay, report, trial).run(pay)
        finally:
            await sender.close()
    report.close()
    return report.is_good


def _fresh_reference(provider: str) -> str:
    return reference_for(form_of(provider), new_id(SystemClock()))
