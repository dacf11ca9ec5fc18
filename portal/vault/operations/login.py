"""Data zone: who is asking. Log-in by password and TOTP or by a ticket, log-out, who am I.

Every refusal of a log-in is the same, whatever was wrong, and takes as long. Each TOTP step works
once. Failures are counted in the database and lock for longer and longer. A session lives in the
browser's cookie; the vault keeps only what was revoked.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from portal.contract.envelope import Done, Nothing
from portal.contract.login import (
    LOG_IN,
    LOG_OUT,
    REDEEM_LOGIN_TICKET,
    VIEW_VIEWER,
    LogIn,
    RedeemLoginTicket,
    Role,
    SignedIn,
    Viewer,
)
from portal.domain.contact import normalise_email
from portal.domain.errors import Expired, InvalidInput, LimitReached, NotAllowed, NotFound
from portal.kit.crypto import sha256
from portal.vault import staff
from portal.vault.act import Act
from portal.vault.case import COUNT_OPEN
from portal.vault.merchant import merchant_facts
from portal.vault.payer import enter_merchant
from portal.vault.registry import operation, standing_operation
from portal.vault.standing import Standing

_WEB: Final = frozenset({"web"})
_NOBODY_SECRET: Final = "A" * 32

_VIEWER: Final = f"""
select id, profile, role, ({COUNT_OPEN}) as open_cases from staff
where merchant_id = $1 and id = $2
"""  # noqa: S608  # a constant


@dataclass(frozen=True, slots=True)
class _Claimed:
    """Who is claimed to be logging in, as far as they exist."""

    merchant_id: UUID
    staff_id: UUID | None
    secrets: staff.StaffSecrets | None
    role: Role


@standing_operation(LOG_IN, callers=_WEB, kinds=frozenset({"caller"}), audit="effect")
async def log_in(standing: Standing, request: LogIn) -> SignedIn:
    """Check password and TOTP code and hand out a session of eight hours.

    Raises: NotAllowed ``login_refused`` for anything wrong; LimitReached ``login_locked`` (param
    ``wait_s``) when everything is right but too many failures came before.
    """
    async with standing.begin(is_audited=False) as act:
        claimed = await _find(act, request)
        now = act.now
    known = claimed.secrets
    is_right = await staff.password_is_right(
        request.password, known.password_hash if known else None
    )
    secret = known.totp_secret if known else _NOBODY_SECRET
    step = staff.totp_step_of(request.totp.strip(), secret, now.timestamp())
    if claimed.staff_id is None:
        raise NotAllowed("login_refused")
    async with standing.begin() as act:
        await act.act_for(claimed.merchant_id)
        if is_right and step is not None:
            wait_s = await staff.use_step(act, claimed.staff_id, step)
            if wait_s == 0:
                return await staff.sign_in(act, claimed.staff_id, claimed.role)
        else:
            wait_s = None
        if wait_s is None:
            await staff.count_failure(act, claimed.staff_id)
        act.outcome = "refused"
    if wait_s:
        raise LimitReached("login_locked", params={"wait_s": wait_s})
    raise NotAllowed("login_refused")


async def _find(act: Act, request: LogIn) -> _Claimed:
    known = await enter_merchant(act, request.merchant_code)
    try:
        email = normalise_email(request.email)
    except InvalidInput:
        known, email = False, "nobody@nowhere.invalid"
    row = None
    if known:
        fields = await act.fields()
        row = await act.db.fetchrow(
            "select id, secrets, role from staff where merchant_id = $1 and email_blind = $2",
            act.merchant_id,
            fields.blind("staff_email", email),
        )
        if row is not None:
            secrets = fields.open(
                staff.TABLE, "instrument", row["id"], 1, row["secrets"], staff.StaffSecrets
            )
            return _Claimed(act.merchant_id, row["id"], secrets, row["role"])
    return _Claimed(act.merchant_id, None, None, "clerk")


@operation(REDEEM_LOGIN_TICKET, callers=_WEB, kinds=frozenset({"caller"}), audit="effect")
async def redeem_login_ticket(act: Act, request: RedeemLoginTicket) -> SignedIn:
    """Exchange a single-use ticket (``<merchant code>.<secret>``) for a session.

    Raises: NotFound ``ticket_unknown``; Expired ``ticket_expired``, ``ticket_used``.
    """
    code, _, secret = request.ticket.partition(".")
    known = await enter_merchant(act, code)
    row = await act.db.fetchrow(
        "select t.staff_id, t.expires_at, t.used_at, s.role from login_ticket t"
        " join staff s on s.merchant_id = t.merchant_id and s.id = t.staff_id"
        " where t.merchant_id = $1 and t.secret_hash = $2 for update of t",
        act.merchant_id,
        sha256(secret.encode()),
    )
    if row is None or not known:
        raise NotFound("ticket_unknown")
    if row["used_at"] is not None:
        act.note_incident("ticket_used_again", row["staff_id"])
        raise Expired("ticket_used")
    if row["expires_at"] <= act.now:
        raise Expired("ticket_expired")
    await act.db.execute(
        "update login_ticket set used_at = $3 where merchant_id = $1 and secret_hash = $2",
        act.merchant_id,
        sha256(secret.encode()),
        act.now,
    )
    return await staff.sign_in(act, row["staff_id"], row["role"])


@operation(LOG_OUT, callers=_WEB, kinds=frozenset({"staff"}), audit="effect")
async def log_out(act: Act, request: Nothing) -> Done:
    """Make this session void from now on."""
    del request
    capability = act.capability
    await act.revoke(capability.jti, datetime.fromtimestamp(capability.expires_at, UTC))
    return Done()


@operation(
    VIEW_VIEWER,
    callers=_WEB,
    kinds=frozenset({"staff", "api_key"}),
    scope="*",
    audit="none",
    reveals=("staff name", "staff email"),
)
async def view_viewer(act: Act, request: Nothing) -> Viewer:
    """Say whom this authority stands for: their own name and mail, nobody else's.

    Raises: NotFound ``not_found`` when the person or key is gone.
    """
    del request
    merchant = await merchant_facts(act)
    if act.capability.kind == "api_key":
        name: str | None = await act.db.fetchval(
            "select name from api_key where merchant_id = $1 and id = $2",
            act.merchant_id,
            act.capability.subject,
        )
        if name is None:
            raise NotFound("not_found", params={"kind": "api_key"})
        return Viewer(
            name=name, email="", role=None, scopes=act.capability.scopes, merchant=merchant
        )
    row = await act.db.fetchrow(
        _VIEWER,
        act.merchant_id,
        act.capability.subject,
    )
    if row is None:
        raise NotFound("not_found", params={"kind": "staff"})
    profile = await staff.open_profile(act, row)
    return Viewer(
        name=profile.name,
        email=profile.email,
        role=row["role"],
        scopes=(),
        merchant=merchant,
        open_cases=row["open_cases"],
    )
