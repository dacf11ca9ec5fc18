"""The default mode: the relay itself sends what it has checked, filled and may vouch for.

Zone: egress. A slice goes through four steps, each for all its requests before the next: judged by
the rules, delivered (one call to the vault a host), filled and booked, sent. So nothing has left
when a placeholder is wrong, and the vault is not asked for what will not be sent. Values live in
one slice's memory and are scrubbed out of its answers. A file is redeemed only once a place to send
it is free.
"""

import asyncio
import secrets
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final, TypeVar
from uuid import UUID

import msgspec

from portal.domain.errors import InvalidInput, InvariantBroken
from portal.domain.host import PORT_MAX, canonical_host
from portal.egress.bank_file import AnswerKeeper, open_answer, redeem_file
from portal.egress.callers import Caller
from portal.egress.deliver import (
    Values,
    Vault,
    redeem,
    redeem_instrument,
    redeem_payer,
    redeem_refund,
    return_refund,
)
from portal.egress.denial import Denied
from portal.egress.deposit import asked_of, deposit_answer, deposit_card, deposit_mandate, timed
from portal.egress.job import Job
from portal.egress.mime import make_mail
from portal.egress.orders import Orders
from portal.egress.policy import RuleBook
from portal.egress.push import Push, make_push
from portal.egress.pusher import Pusher
from portal.egress.record import Record
from portal.egress.refund import read_said
from portal.egress.rule import Mode, Rule
from portal.egress.scrub import scrub_answer
from portal.egress.sender import Sender
from portal.egress.ses import hand_in
from portal.egress.signers import ToSign, host_of, sign
from portal.egress.signing import Signer
from portal.egress.template import (
    Filled,
    Template,
    read_submission,
    read_template,
)
from portal.kit.clock import Clock
from portal.kit.crashpoint import crash_point
from portal.kit.outbound.frames import REPLY_BYTES_MAX
from portal.kit.outbound.wire import PUSH, SUBMIT, OutboundAnswer, OutboundRequest

_T = TypeVar("_T")
_BY_METHOD: Final[Mapping[str, Mode]] = {SUBMIT: "submit", PUSH: "push"}
"""Methods of requests that name a delivery and nothing else."""

_NONCE_BYTES: Final = 8
_MARK_BYTES: Final = 32


class Originate:
    """Judges, fills and sends slices for known callers."""

    def __init__(
        self,
        book: RuleBook,
        vault: Vault,
        sender: Sender,
        record: Record,
        *,
        credentials: Mapping[str, str],
        clock: Clock,
    ) -> None:
        """All that a slice needs; ``credentials`` maps names to the providers' secrets."""
        self._book = book
        self._vault = vault
        self._sender = sender
        self._credentials = credentials
        self._pusher = Pusher(sender, vault, credentials)
        self._orders = Orders(clock)
        self._record = record
        self._clock = clock

    async def send_slice(
        self, caller: Caller, requests: Sequence[OutboundRequest]
    ) -> list[OutboundAnswer]:
        """One answer for each request, in order; never raises for what a request holds."""
        jobs = [Job(request) for request in requests]
        delivered: set[UUID] = set()
        for job in jobs:
            with self._deciding(caller, job):
                self._judge(caller, job, delivered)
        await self._deliver(caller, jobs)
        for job in jobs:
            if job.answer is None and not job.goes_alone:
                with self._deciding(caller, job):
                    self._fill(job)
        async with asyncio.TaskGroup() as sending:
            for job in jobs:
                if job.goes_alone and job.awaited_delivery is not None:
                    sending.create_task(self._hand_over(caller, job, job.awaited_delivery))
                elif job.answer is None:
                    sending.create_task(self._send(job))
        return list(_within_frame(job.answer for job in jobs if job.answer is not None))

    def _judge(self, caller: Caller, job: Job, delivered: set[UUID]) -> None:
        """Find the rule and read the template; Denied when the request may not leave."""
        request = job.request
        if not caller.roles:
            raise Denied("caller_unknown")
        try:
            job.host = canonical_host(request.host)
        except InvalidInput as error:
            raise Denied("host_invalid") from error
        if not 1 <= request.port <= PORT_MAX:
            raise Denied("port_invalid")
        if not request.timeout_s > 0:  # so written for the sake of NaN
            raise Denied("timeout_invalid")
        self._rule(caller, job)
        self._lend(job, _decided(job.rule), _decided(job.template))
        if request.delivery_id is not None:
            if request.delivery_id in delivered:
                raise Denied("delivery_repeated")
            delivered.add(request.delivery_id)

    def _rule(self, caller: Caller, job: Job) -> None:
        """The rule that decides, and the request held to it."""
        request, policy, now = job.request, self._book.policy, self._clock.wall()
        mode = _BY_METHOD.get(request.method)
        if mode is not None:
            job.rule = policy.decide_delivery(
                caller.roles, mode, host=job.host, port=request.port, now=now
            )
            job.template = read_submission(request)
            return
        job.rule = policy.decide_request(
            caller.roles,
            host=job.host,
            port=request.port,
            method=request.method,
            path=request.path,
            now=now,
        )
        job.template = read_template(request, job.rule)

    def _lend(self, job: Job, rule: Rule, template: Template) -> None:
        """The credentials that the request needs; Denied where one is missing."""
        for placeholder in template.placeholders:
            source, _, name = placeholder.partition(":")
            if source == "credential":
                job.values[placeholder] = self._credential(name)
        if rule.signer is not None:
            job.values["signer:key"] = self._credential(rule.signer.key)
            job.values["signer:secret"] = self._credential(rule.signer.secret)
        if rule.submission is not None:
            for name in rule.submission.secret_names:
                self._credential(name)
        if rule.pushing is not None and not rule.pushing.apps:
            self._credential(rule.pushing.key)  # whose app's it is, is the delivery's to say

    async def _deliver(self, caller: Caller, jobs: Sequence[Job]) -> None:
        """Fetch the values of all messages: one call for each host's."""
        by_host: dict[str, dict[UUID, Job]] = {}
        for job in jobs:
            delivery_id = job.awaited_delivery
            if delivery_id is not None and not job.goes_alone:
                by_host.setdefault(job.host, {})[delivery_id] = job
        if not by_host:
            return
        async with asyncio.TaskGroup() as asking:
            answers = {
                host: asking.create_task(redeem(self._vault, host, list(waiting)))
                for host, waiting in by_host.items()
            }
        for host, waiting in by_host.items():
            found = answers[host].result()
            for delivery_id, job in waiting.items():
                with self._deciding(caller, job):
                    job.values |= _values_or_denied(found[delivery_id])
        _redeemed()

    async def _hand_over(self, caller: Caller, job: Job, delivery_id: UUID) -> None:
        """What goes alone has one of its rule's places all its way: none is redeemed unsent.

        What waits for a place holds nothing, and was not tried.
        """
        rule = _decided(job.rule)
        with self._deciding(caller, job):
            async with self._sender.place(rule, min(job.request.timeout_s, rule.timeout_s)):
                await self._redeem_alone(job, delivery_id)
                _redeemed()
                self._fill(job)
                await self._send(job, has_place=True)
        if job.is_agreed and job.came_to_nothing:
            await return_refund(self._vault, job.host, delivery_id)

    async def _redeem_alone(self, job: Job, delivery_id: UUID) -> None:
        """Redeem what goes alone: a try to fetch an answer, a file, a charge, a refund, a payer."""
        if job.is_kept:
            await self._open(job, delivery_id)
        elif job.is_file:
            await self._redeem(job, delivery_id)
        elif job.is_refund:
            await self._agree(job, delivery_id)
        elif job.names_payer:
            found = await redeem_payer(self._vault, job.host, delivery_id)
            job.values |= _values_or_denied(found)
        else:
            by_payer = _decided(job.rule).card_payment is not None
            if not by_payer:
                job.values |= self._orders.take(job, delivery_id)
            asked = (self._vault, job.host, delivery_id, _decided(job.template).part)
            found = await redeem_instrument(*asked, by_payer=by_payer)
            job.values |= _values_or_denied(found)

    async def _redeem(self, job: Job, delivery_id: UUID) -> None:
        """Redeem a bank's file; its parts are asked for while it is sent."""
        source = await redeem_file(self._vault, job.host, delivery_id)
        if isinstance(source, Denied):
            raise source
        job.values |= source.values
        job.source = source

    async def _agree(self, job: Job, delivery_id: UUID) -> None:
        """Have the vault agree to a refund, which it takes for sent from now on."""
        places, template = _decided(_decided(job.rule).refund), _decided(job.template)
        said = read_said(places, template.stands_at)
        asked = asked_of(job.request)
        if asked is None:
            # What the vault can't read it can't hold to the refund, and would take on trust.
            raise Denied("body_invalid")
        denied = await redeem_refund(self._vault, job.host, delivery_id, said, asked)
        if denied is not None:
            raise denied
        job.is_agreed = True

    async def _open(self, job: Job, delivery_id: UUID) -> None:
        """Open a try in the vault; Denied where the path asks for another file's answer."""
        reference = await open_answer(self._vault, job.host, delivery_id)
        if isinstance(reference, Denied):
            raise reference
        if job.request.path.rpartition("/")[2] != reference:
            raise Denied("place_not_as_fixed")
        job.keeper = AnswerKeeper(self._vault, job.host, delivery_id)

    def _credential(self, name: str) -> str:
        if name not in self._credentials:
            raise Denied("credential_missing")
        return self._credentials[name]

    def _fill(self, job: Job) -> None:
        """Put the values in, sign, and book the bytes against the rule's quota."""
        rule, template = _decided(job.rule), _decided(job.template)
        if rule.submission is not None:
            delivery_id, now = _decided(job.request.delivery_id), self._clock.wall()
            job.mail = make_mail(rule.submission, job.values, delivery_id, now, self._credentials)
            self._book.quotas.spend(rule, len(job.mail.data))
            self._record.metrics.bytes_up.labels(rule.id).inc(len(job.mail.data))
            return
        if rule.pushing is not None:
            delivery_id, now = _decided(job.request.delivery_id), self._clock.wall()
            job.push = make_push(rule, job.values, now, self._credentials, delivery_id)
            self._book.quotas.spend(rule, len(job.push.path) + len(job.push.body))
            self._record.metrics.bytes_up.labels(rule.id).inc(len(job.push.body))
            return
        if job.source is None:
            filled = template.fill(job.values)
        else:
            filled = template.fill_around(job.values, secrets.token_hex(_MARK_BYTES))
        if rule.signer is not None:
            filled = self._signed(job, rule, rule.signer, filled)
        size = len(job.request.path) + len(filled.body) + len(filled.tail)
        size += 0 if job.source is None else job.source.letters
        size += sum(len(name) + len(text) for name, text in filled.headers.items())
        self._book.quotas.spend(rule, size)
        self._record.metrics.bytes_up.labels(rule.id).inc(size)
        job.filled = filled

    def _signed(self, job: Job, rule: Rule, signer: Signer, filled: Filled) -> Filled:
        """The request with its signature, which is scrubbed out of the answer like the key."""
        wanted = ToSign(
            method=job.request.method,
            path=job.request.path.partition("?")[0],
            content_type=filled.headers.get("content-type", ""),
            body=filled.body,
            nonce=secrets.token_hex(_NONCE_BYTES),
            epoch_s=int(self._clock.wall().timestamp()),
            host=host_of(rule.host, rule.port),
        )
        key, secret = job.values["signer:key"], job.values["signer:secret"]
        signed = sign(signer, wanted, key=key, secret=secret)
        job.values |= {"signer:mac": signed.mac, "signer:authorization": signed.authorization}
        return Filled({**filled.headers, **signed.headers}, filled.body)

    async def _send(self, job: Job, *, has_place: bool = False) -> None:
        """Send, count, and scrub what comes back."""
        rule = _decided(job.rule)
        with self._record.metrics.seconds.labels(rule.id).time(), timed(job):
            if job.mail is not None:
                answer = await hand_in(
                    self._sender, rule, job.mail, self._credentials, job.request, self._clock.wall()
                )
            elif job.push is not None:
                answer = await self._push(job.push, job.request.timeout_s)
            else:
                answer = await self._sender.send(
                    rule,
                    job.request,
                    _decided(job.filled),
                    job.source,
                    job.keeper,
                    has_place=has_place,
                )
        crash_point("egress.after_send")
        self._record.metrics.requests.labels(rule.id, answer.fate).inc()
        self._record.metrics.bytes_down.labels(rule.id).inc(len(answer.body))
        if job.push is not None:
            job.answer = await self._pusher.heard(rule, job.push, job.request, answer)
        elif rule.deposit:
            job.answer = await deposit_mandate(self._vault, job, answer)
        elif job.keeper is not None:
            job.answer = answer  # of the bank's it holds the status; the rest is our own word
        elif job.is_file:
            # A bank that quotes a line of the file quotes it to nobody.
            job.answer = msgspec.structs.replace(answer, headers={}, body=b"")
        else:
            if rule.card_payment is not None:
                answer = await deposit_card(self._vault, job, answer, rule.card_payment)
            else:
                job.values |= self._orders.note(job, answer)
            job.answer = scrub_answer(answer, job.secrets, job.codec)
            job.answer = await deposit_answer(self._vault, job)

    async def _push(self, push: Push, timeout_s: float) -> OutboundAnswer:
        """Push one notification to the host that its rule or its browser says."""
        request = OutboundRequest(
            host=push.rule.host, port=push.rule.port, method="POST", path=push.path,
            timeout_s=timeout_s,
        )  # fmt: skip
        send = partial(self._sender.send, push.rule, request)
        return await self._pusher.push(push, self._clock.wall(), send)

    @contextmanager
    def _deciding(self, caller: Caller, job: Job) -> Generator[None]:
        """A step that may deny the request: the denial becomes its answer and is journaled."""
        try:
            yield
        except Denied as denied:
            job.answer = OutboundAnswer(fate="not_sent", code=denied.code)
            self._record.denied(
                caller,
                "originate",
                job.host,
                job.request.port,
                denied.code,
                is_attempt=denied.is_attempt,
            )


def _redeemed() -> None:
    crash_point("egress.after_redeem")


def _values_or_denied(found: Values | Denied) -> Values:
    if isinstance(found, Denied):
        raise found
    return found


def _decided(value: _T | None) -> _T:
    """What an earlier step has set for every request that is still on its way."""
    if value is None:
        raise InvariantBroken("egress_step_skipped")
    return value


def _within_frame(answers: Iterable[OutboundAnswer]) -> Iterator[OutboundAnswer]:
    """Leave out bodies beyond what one reply may hold; their requests are unclear then."""
    total = 0
    for answer in answers:
        total += len(answer.body)
        if total <= REPLY_BYTES_MAX:
            yield answer
        else:
            total -= len(answer.body)
            yield OutboundAnswer(fate="unclear", status=answer.status, code="too_large")
