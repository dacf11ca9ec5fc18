"""Data zone: what the operator does from the host: merchants, staff, tickets, and sums over all.

Nothing here shows a row of anybody; a new member's TOTP secret and a ticket are shown once.
"""

import re
import secrets
from collections import Counter
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pyotp

from portal.contract.envelope import Nothing
from portal.contract.operator import (
    ADD_STAFF,
    FOUND_MERCHANT,
    INSPECT,
    ISSUE_LOGIN_TICKET,
    OPEN_MERCHANT,
    SET_WALLET,
    AddStaff,
    FoundMerchant,
    Inspection,
    IssueLoginTicket,
    LoginTicket,
    MerchantFounded,
    MerchantOpened,
    OpenMerchant,
    SetWallet,
    StaffAdded,
    WalletSet,
)
from portal.domain.card_number import refuse_card_number
from portal.domain.contact import normalise_email
from portal.domain.errors import Conflict, InvalidInput, NotFound
from portal.domain.ids import MerchantId, StaffId
from portal.domain.methods import WALLETS
from portal.kit import limits
from portal.kit.crypto import sha256
from portal.vault import audit, staff
from portal.vault.act import Act
from portal.vault.merchant import merchant_facts
from portal.vault.payer import enter_merchant
from portal.vault.registry import operation

_OPERATOR: Final = frozenset({"operator"})
_CALLER: Final = frozenset({"caller"})
_CODE: Final = re.compile(r"[a-z0-9]{3,12}")
_TEXT_CHARACTERS_MAX: Final = 200
_SECRET_CHARACTERS: Final = 22
_BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@operation(FOUND_MERCHANT, callers=_OPERATOR, kinds=_CALLER, audit="effect")
async def found_merchant(act: Act, request: FoundMerchant) -> MerchantFounded:
    """Make a merchant with keys of its own.

    Raises: InvalidInput ``merchant_code_malformed``, ``zone_unknown``, ``text_too_long``;
    NotFound ``provider_unknown`` for a wallet; Conflict ``merchant_code_taken``.
    """
    _check_merchant(request)
    _check_wallet(request.wallet_provider)
    merchant_id = act.new_id()
    taken = await act.db.fetchval(
        "insert into merchant_code (code, merchant_id) values ($1, $2)"
        " on conflict do nothing returning true",
        request.code,
        merchant_id,
    )
    if not taken:
        raise Conflict("merchant_code_taken")
    await act.act_for(merchant_id)
    await act.db.execute(
        "insert into merchant (id, code, name, zone, sms_sender, sms_provider, card_provider,"
        " phone, website, created_at, wallet_provider)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        merchant_id,
        request.code,
        request.name,
        request.zone,
        request.sms_sender,
        request.sms_provider,
        request.card_provider,
        request.phone,
        request.website,
        act.now,
        request.wallet_provider or None,
    )
    await act.found_keys()
    return MerchantFounded(merchant=await merchant_facts(act))


def _check_merchant(request: FoundMerchant) -> None:
    if not _CODE.fullmatch(request.code):
        raise InvalidInput("merchant_code_malformed")
    try:
        ZoneInfo(request.zone)
    except (KeyError, ValueError, OSError) as fault:
        raise InvalidInput("zone_unknown") from fault
    texts = (request.name, request.sms_sender, request.phone, request.website)
    if not request.name.strip() or max(map(len, texts)) > _TEXT_CHARACTERS_MAX:
        raise InvalidInput("text_too_long", params={"max": _TEXT_CHARACTERS_MAX})
    refuse_card_number(*texts)


def _check_wallet(provider: str) -> None:
    """A card company named as a wallet would show payers its card page under the wallet's name."""
    if provider and provider not in WALLETS:
        raise NotFound("provider_unknown")


async def _enter(act: Act, code: str) -> None:
    if not await enter_merchant(act, code):
        raise NotFound("merchant_unknown")


@operation(SET_WALLET, callers=_OPERATOR, kinds=_CALLER, audit="effect")
async def set_wallet(act: Act, request: SetWallet) -> WalletSet:
    """Set whose wallet a merchant takes; payments under way stay where they are.

    Raises: NotFound ``merchant_unknown``, ``provider_unknown``.
    """
    _check_wallet(request.wallet_provider)
    await _enter(act, request.merchant_code)
    before: str | None = await act.db.fetchval(
        "select wallet_provider from merchant where id = $1 for update", act.merchant_id
    )
    await act.db.execute(
        "update merchant set wallet_provider = $2 where id = $1",
        act.merchant_id,
        request.wallet_provider or None,
    )
    return WalletSet(before=before or "")


@operation(ADD_STAFF, callers=_OPERATOR, kinds=_CALLER, audit="effect")
async def add_staff(act: Act, request: AddStaff) -> StaffAdded:
    """Add a member of staff; the TOTP secret is shown this once.

    Raises: NotFound ``merchant_unknown``; InvalidInput ``email_malformed``, ``password_length``,
    ``text_too_long``, ``card_number_refused``; Conflict ``staff_exists``.
    """
    await _enter(act, request.merchant_code)
    if not 0 < len(request.name.strip()) <= _TEXT_CHARACTERS_MAX:
        raise InvalidInput("text_too_long", params={"max": _TEXT_CHARACTERS_MAX})
    email = normalise_email(request.email)
    refuse_card_number(request.name, email)
    password_hash = await staff.hash_password(request.password)
    totp_secret = pyotp.random_base32()
    staff_id = act.new_id()
    fields = await act.fields()
    profile = staff.StaffProfile(request.name.strip(), email)
    hidden = staff.StaffSecrets(password_hash, totp_secret)
    added = await act.db.fetchval(
        "insert into staff (merchant_id, id, email_blind, profile, secrets, role, created_at)"
        " values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning true",
        act.merchant_id,
        staff_id,
        fields.blind("staff_email", email),
        fields.seal(staff.TABLE, "contact", staff_id, 1, profile),
        fields.seal(staff.TABLE, "instrument", staff_id, 1, hidden),
        request.role,
        act.now,
    )
    if not added:
        raise Conflict("staff_exists")
    return StaffAdded(staff_id=StaffId(staff_id), totp_secret=totp_secret)


@operation(ISSUE_LOGIN_TICKET, callers=_OPERATOR, kinds=_CALLER, audit="effect")
async def issue_login_ticket(act: Act, request: IssueLoginTicket) -> LoginTicket:
    """Mint a single-use log-in for one member of staff.

    Raises: NotFound ``merchant_unknown``, ``staff_unknown``; InvalidInput ``life_out_of_bounds``.
    """
    if not 0 < request.life_s <= limits.LOGIN_TICKET_LIFE_MAX_S:
        most = limits.LOGIN_TICKET_LIFE_MAX_S
        raise InvalidInput("life_out_of_bounds", params={"most": most})
    await _enter(act, request.merchant_code)
    fields = await act.fields()
    staff_id = await act.db.fetchval(
        "select id from staff where merchant_id = $1 and email_blind = $2",
        act.merchant_id,
        fields.blind("staff_email", normalise_email(request.email)),
    )
    if staff_id is None:
        raise NotFound("staff_unknown")
    secret = "".join(secrets.choice(_BASE62) for _ in range(_SECRET_CHARACTERS))
    await act.db.execute(
        "delete from login_ticket where merchant_id = $1 and expires_at < $2",
        act.merchant_id,
        act.now,
    )
    await act.db.execute(
        "insert into login_ticket (merchant_id, secret_hash, staff_id, expires_at)"
        " values ($1, $2, $3, $4)",
        act.merchant_id,
        sha256(secret.encode()),
        staff_id,
        act.now + timedelta(seconds=request.life_s),
    )
    return LoginTicket(ticket=f"{request.merchant_code}.{secret}")


@operation(OPEN_MERCHANT, callers=_OPERATOR, kinds=_CALLER, audit="none")
async def open_merchant(act: Act, request: OpenMerchant) -> MerchantOpened:
    """Show what pages show of a merchant. Raises: NotFound ``merchant_unknown``."""
    await _enter(act, request.code)
    return MerchantOpened(id=MerchantId(act.merchant_id), merchant=await merchant_facts(act))


_SUMS: Final = """
select (select count(*) from bill where merchant_id = $1) as bills,
       (select count(*) from bill where merchant_id = $1 and paid_at is not null) as bills_paid,
       (select count(*) from delivery
        where merchant_id = $1 and state in ('accepted', 'delivered', 'undelivered'))
           as messages_accepted,
       (select count(*) from delivery where merchant_id = $1 and state = 'ambiguous')
           as messages_ambiguous,
       (select coalesce(sum(amount_minor), 0) from ledger_entry where merchant_id = $1)::bigint
           as ledger_sum
"""

_TASKS: Final = """
select count(*) as open, count(*) filter (
    where kind not in ('payment.inquire', 'payment.refund_inquire', 'charge.send')
          or state = 'leased'
          or next_at <= $1) as due
from task
"""
_CASES: Final = """
select kind, count(*) as cases from case_ where merchant_id = $1 and closed_at is null group by kind
"""
_SOON: Final = timedelta(seconds=10)
"""Longer than a hint lives, so that a task that is only ever hinted counts as due."""


@operation(INSPECT, callers=_OPERATOR, kinds=_CALLER, audit="none")
async def inspect(act: Act, request: Nothing) -> Inspection:
    """Add up what there is over all merchants, and check the audit against its signed heads."""
    del request
    merchants = await act.db.fetch("select merchant_id from merchant_code order by code")
    totals: Counter[str] = Counter()
    attempts: Counter[str] = Counter()
    cases: Counter[str] = Counter()
    for merchant in merchants:
        await act.act_for(merchant["merchant_id"])
        row = await act.db.fetchrow(_SUMS, act.merchant_id)
        totals.update({name: int(value) for name, value in (row or {}).items()})
        states = await act.db.fetch(
            "select state, count(*) as attempts from attempt where merchant_id = $1 group by state",
            act.merchant_id,
        )
        attempts.update({state["state"]: state["attempts"] for state in states})
        kinds = await act.db.fetch(_CASES, act.merchant_id)
        cases.update({kind["kind"]: kind["cases"] for kind in kinds})
    tasks = await act.db.fetchrow(_TASKS, act.now + _SOON)
    heads_dir = act.settings.audit_heads_dir
    verdict = await audit.verify(act.db, heads_dir, audit.read_public_key(heads_dir))
    return Inspection(
        merchants=len(merchants),
        bills=totals["bills"],
        bills_paid=totals["bills_paid"],
        messages_accepted=totals["messages_accepted"],
        messages_ambiguous=totals["messages_ambiguous"],
        attempts=dict(attempts),
        tasks_open=tasks["open"] if tasks else 0,
        tasks_due=tasks["due"] if tasks else 0,
        ledger_sum=totals["ledger_sum"],
        audit_ok=not verdict.faults,
        audit_rows=verdict.rows,
        cases=dict(cases),
    )
