"""``portal provider certify sandbox_agency|dsk``: what a collection agency says of slips.

Stack only. Nothing is sent to an agency: it has a file fetched and, if it can, tells at once. So
the trial reads both as the portal does and holds them against each other: every line a notice, each
slip ending where its notices lead, nothing counted twice, and at once nothing believed that is not
signed. Either the operator brings what the agency gave out for a trial, or the sandbox's till is
worked here.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import httpx
import msgspec

from portal.application.providers.agency_notices import AT_ONCE, HEADER, TOLERANCE_S
from portal.domain.slip_file import read_notices
from portal.domain.slip_notice import SlipFacts, SlipNotice, judge
from portal.domain.slip_number import SlipNumber, read_fields
from portal.kit.clock import SystemClock
from portal.stack.certify_report import Report

SANDBOX: Final = "sandbox_agency"
_WHOLE: Final = frozenset({"provisional", "confirmed", "reversal"})
_ONLY_AT_ONCE: Final = frozenset({"provisional", "reversal"})
_TIMEOUT_S: Final = 10.0


class ToldAtOnce(msgspec.Struct, frozen=True):
    """One notice as the agency posts it: its bytes, and the header with the signature."""

    seq: int
    raw: bytes
    signature: str

    @property
    def signed_at_s(self) -> float:
        """When the agency says that it signed; 0 for what is no such header."""
        moment = self.signature.partition(",")[0].removeprefix("t=")
        return float(moment) if moment.isdecimal() else 0.0


@dataclass(frozen=True, slots=True)
class AgencyWords:
    """What an agency gave out: its file, what it told at once, the keys it signs with."""

    file: bytes
    at_once: tuple[ToldAtOnce, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AgencyTrial:
    """The acts of one agency's words. Nothing is kept and nobody's bill is touched."""

    provider: str
    words: AgencyWords
    report: Report

    def run(self) -> None:
        """The file first; then what came at once, which it has to repeat."""
        self.report.begin("read the file")
        lines = list(read_notices([self.words.file], self.provider))
        faults = [f"{one.reason} in line {one.line_no}" for one in lines if one.notice is None]
        notices = [one.notice for one in lines if one.notice is not None]
        said = ", ".join(faults) or f"{len(notices)} notices"
        self.report.read("read the file", said, fits=bool(notices) and not faults)
        self.report.begin("kinds in the file")
        kinds = {notice.kind for notice in notices}
        self.report.read("kinds in the file", sorted(kinds), fits=kinds >= _WHOLE)
        self._live_each_slip(notices)
        if self.provider not in AT_ONCE:
            self.report.say("told at once\n  from this agency nothing is taken at once")
            return
        for told in self.words.at_once:
            self._hear(told, notices)

    def _live_each_slip(self, notices: Sequence[SlipNotice]) -> None:
        """Each slip of the file from made out to its end, and the same file once more."""
        slips: dict[str, list[SlipNotice]] = {}
        for notice in notices:
            slips.setdefault(_key_of(notice), []).append(notice)
        for place, told in enumerate(slips.values(), 1):
            act = f"slip {place}"
            self.report.begin(act)
            states, cases = live(told)
            self.report.read(act, " → ".join(["issued", *states, *cases]), fits=not cases)

    def _hear(self, told: ToldAtOnce, notices: Sequence[SlipNotice]) -> None:
        """A notice that came at once: proven, of a kind that counts, and told by the file too."""
        lines = list(read_notices([told.raw], self.provider))
        heard = [one.notice for one in lines if one.notice is not None]
        act = f"told at once: {', '.join(one.kind for one in heard) or 'nothing'}"
        self.report.begin(act)
        known = {notice.key for notice in notices}
        rules = {
            "signed": self._is_genuine(told),
            "readable": bool(heard) and len(heard) == len(lines),
            "of a kind that counts": {one.kind for one in heard} <= _ONLY_AT_ONCE,
            "in the file": {one.key for one in heard} <= known,
        }
        self._judge(act, rules)
        act = "forged"
        self.report.begin(act)
        self._judge(act, self._forged(told))

    def _judge(self, act: str, rules: Mapping[str, bool]) -> None:
        said = ", ".join(name if holds else f"NOT {name}" for name, holds in rules.items())
        self.report.read(act, said, fits=all(rules.values()))

    def _forged(self, told: ToldAtOnce) -> dict[str, bool]:
        """Whatever is not exactly what the agency signed is refused."""
        other = msgspec.structs.replace(told, raw=_changed(told.raw))
        bare = msgspec.structs.replace(told, signature="")
        late_s = told.signed_at_s + TOLERANCE_S + 1
        return {
            "another digit is refused": not self._is_genuine(other),
            "no signature is refused": not self._is_genuine(bare),
            "another's key is refused": not self._is_genuine(told, keys=(secrets.token_hex(16),)),
            "without a key nothing is taken": not self._is_genuine(told, keys=()),
            "an old one is refused": not self._is_genuine(told, now_s=late_s),
        }

    def _is_genuine(
        self, told: ToldAtOnce, keys: Sequence[str] | None = None, now_s: float | None = None
    ) -> bool:
        """As the portal's door decides it, at the moment that the agency signed."""
        by = self.words.keys if keys is None else keys
        at_s = told.signed_at_s if now_s is None else now_s
        return AT_ONCE[self.provider].is_genuine(told.raw, {HEADER: told.signature}, by, at_s)


def live(notices: Sequence[SlipNotice]) -> tuple[list[str], list[str]]:
    """A slip's states after each of these notices, and why a person would have to look.

    Told all of them once more it has to know every one.
    """
    facts = SlipFacts(state="issued", number=read_fields(notices[0].digits))
    states: list[str] = []
    cases: list[str] = []
    for notice in (*notices, *notices):
        verdict = judge(facts, notice)
        state = verdict.edge.state if verdict.edge else facts.state
        known = (*facts.known, notice) if verdict.counts else facts.known
        facts = replace(facts, state=state, known=known)
        states += [state] if verdict.edge else []
        cases += [verdict.case] if verdict.case else []
    return states, cases


def read_words(
    provider: str, file: Path, notice: Path | None, signature: str, keys: Path | None
) -> AgencyWords:
    """What the operator has of an agency, from files. Raises: OSError; ValueError for bad keys."""
    told = () if notice is None else (ToldAtOnce(0, notice.read_bytes(), signature),)
    return AgencyWords(file.read_bytes(), told, read_keys(provider, keys))


def read_keys(provider: str, file: Path | None) -> tuple[str, ...]:
    """Every key of an agency in the file that the web process has (``NOTICE_KEYS_FILE``).

    Raises: OSError; ValueError.
    """
    if file is None:
        return ()
    known = msgspec.json.decode(file.read_bytes(), type=dict[str, dict[str, tuple[str, ...]]])
    return tuple(key for keys in known.get(provider, {}).values() for key in keys)


async def work_the_till(client: httpx.AsyncClient, keys: tuple[str, ...]) -> AgencyWords:
    """Pay two slips at the sandbox's till: one is confirmed, the other given back.

    They are told to a merchant of this run's own, whom nobody knows.

    Raises: RuntimeError for a till that is not the sandbox's; httpx.HTTPError.
    """
    account = f"certify{secrets.token_hex(2)}"
    today = SystemClock().wall().date()
    for act in ("confirm", "reverse"):
        digits = _new_slip(today).digits()
        await _post(client, "/till", {"account": account, "digits": digits, "company": "010"})
        taken = max(told.seq for told in await _told_by_till(client, account))
        await _post(client, f"/till/{taken}", {"act": act})
    wanted = {"account": account}
    file = await client.get("/till/notices.csv", params=wanted, timeout=_TIMEOUT_S)
    return AgencyWords(file.content, await _told_by_till(client, account), keys)


async def _told_by_till(client: httpx.AsyncClient, account: str) -> tuple[ToldAtOnce, ...]:
    answer = await client.get("/till/told", params={"account": account}, timeout=_TIMEOUT_S)
    try:
        return msgspec.json.decode(answer.content, type=tuple[ToldAtOnce, ...])
    except msgspec.DecodeError:
        msg = "the sandbox's till did not say what it told; it needs the key of its agency"
        raise RuntimeError(msg) from None


async def _post(client: httpx.AsyncClient, path: str, form: Mapping[str, str]) -> None:
    answer = await client.post(path, data=form, timeout=_TIMEOUT_S)
    if not answer.is_redirect:
        msg = f"the till answered {answer.status_code}"
        raise RuntimeError(msg)


def _key_of(notice: SlipNotice) -> str:
    """What finds a slip: the post blots out its last day, so not all of its digits."""
    return read_fields(notice.digits).key


def _new_slip(today: date) -> SlipNumber:
    """A slip that nobody's bill has: 29 days to pay, and a customer made up by chance."""
    return SlipNumber(
        maker_code="929000",
        free=f"00001{secrets.randbelow(10**16):016d}",
        issue=0,
        pay_until=today + timedelta(days=29),
        needs_stamp=False,
        amount_minor=100 + secrets.randbelow(900),
    )


def _changed(raw: bytes) -> bytes:
    """The same notice as whoever carries it might like it: with another digit at its end."""
    end = raw.rstrip()
    return end[:-1] + (b"2" if end[-1:] == b"1" else b"1") + raw[len(end) :]
