"""Data zone: proving who a member of staff is, and what their session may do.

Passwords are argon2id. They are checked in two threads of their own, so that a flood of log-ins
takes neither the event loop nor all cores, and for people who don't exist as well, so that the
time of an answer names nobody.
"""

import asyncio
import hmac
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from uuid import UUID

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from pyotp.totp import TOTP

from portal.contract.login import Role, SignedIn
from portal.domain.errors import InvalidInput, LimitReached
from portal.domain.ids import StaffId
from portal.kit import limits
from portal.vault.act import Act
from portal.vault.capability import ALL_OPERATIONS
from portal.vault.db import Row
from portal.vault.merchant import merchant_facts

TABLE: Final = "staff"
TOTP_STEP_S: Final = 30
TOTP_DRIFT_STEPS: Final = 1
"""A code of the step before or after is taken too: telephones' clocks drift (RFC 6238 §5.2)."""

_HASHER: Final = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)
"""Source: OWASP Password Storage Cheat Sheet, argon2id well above its least settings."""

_THREADS: Final = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")


class StaffProfile(msgspec.Struct, frozen=True, array_like=True):
    """Who it is; sealed under the class ``contact``."""

    name: str
    email: str


class StaffSecrets(msgspec.Struct, frozen=True, array_like=True):
    """How they prove it; sealed under the class ``instrument``."""

    password_hash: str
    totp_secret: str

    def __repr__(self) -> str:
        """Never print them."""
        return "StaffSecrets()"


async def hash_password(password: str) -> str:
    """The password's argon2id hash.

    Raises: InvalidInput ``password_length`` (params ``least``, ``most``).
    """
    least, most = limits.PASSWORD_CHARACTERS_MIN, limits.PASSWORD_CHARACTERS_MAX
    if not least <= len(password) <= most:
        raise InvalidInput("password_length", params={"least": least, "most": most})
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _HASHER.hash, password)


async def password_is_right(password: str, password_hash: str | None) -> bool:
    """Check a password; with None (nobody by that name) the same work is done for nothing."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_THREADS, _check, password, password_hash)


def _check(password: str, password_hash: str | None) -> bool:
    if len(password) > limits.PASSWORD_CHARACTERS_MAX:
        return False
    try:
        right = _HASHER.verify(password_hash or _nobodys_hash(), password)
    except VerificationError:
        return False
    return right and password_hash is not None


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return _HASHER.hash("a password that nobody has")


def totp_step_of(code: str, secret: str, now_s: float) -> int | None:
    """The 30-second step whose code this is, within the drift, or None. Every step is tried."""
    totp = TOTP(secret, interval=TOTP_STEP_S)
    this_step = int(now_s) // TOTP_STEP_S
    found: int | None = None
    for step in range(this_step - TOTP_DRIFT_STEPS, this_step + TOTP_DRIFT_STEPS + 1):
        if hmac.compare_digest(totp.at(step * TOTP_STEP_S).encode(), code.encode()):
            found = step
    return found


async def use_step(act: Act, staff_id: UUID, step: int) -> int | None:
    """Use up a TOTP step: 0 when it was good, seconds to wait when locked, None when used before.

    Whoever gets None counts a failure.
    """
    row = await act.db.fetchrow(
        "select totp_step, locked_until from staff where merchant_id = $1 and id = $2 for update",
        act.merchant_id,
        staff_id,
    )
    if row is None:
        return None
    locked_until: datetime | None = row["locked_until"]
    if locked_until is not None and locked_until > act.now:
        return 1 + int((locked_until - act.now).total_seconds())
    if row["totp_step"] >= step:
        act.note_incident("totp_repeated", staff_id)
        return None
    await act.db.execute(
        "update staff set totp_step = $3, failures = 0, locked_until = null"
        " where merchant_id = $1 and id = $2",
        act.merchant_id,
        staff_id,
        step,
    )
    return 0


async def lock(act: Act, staff_id: UUID) -> None:
    """Lock a member of staff until the act ends: their codes are looked at one by one."""
    await act.db.execute(
        "select from staff where merchant_id = $1 and id = $2 for update", act.merchant_id, staff_id
    )


async def count_failure(act: Act, staff_id: UUID) -> None:
    """One more failure; from the fifth on each locks, and each lock is twice the one before."""
    failures: int | None = await act.db.fetchval(
        "update staff set failures = failures + 1 where merchant_id = $1 and id = $2"
        " returning failures",
        act.merchant_id,
        staff_id,
    )
    beyond = (failures or 0) - limits.LOGIN_FAILURES_MAX
    if beyond < 0:
        return
    lock_s = min(limits.LOGIN_LOCK_S * 2 ** min(beyond, 16), limits.LOGIN_LOCK_MAX_S)
    await act.db.execute(
        "update staff set locked_until = $3 where merchant_id = $1 and id = $2",
        act.merchant_id,
        staff_id,
        act.now + timedelta(seconds=lock_s),
    )
    act.note_incident("login_locked", staff_id)


class StepUpRefusedError(Exception):
    """The code proves nothing: the act ends, and whoever began it counts a failure."""


async def step_up(act: Act, code: str) -> None:
    """Prove by a TOTP code not used before that this session's own person is there.

    Used up in the act's transaction, so an act that is refused for another reason leaves it good.

    Raises: StepUpRefusedError; LimitReached ``login_locked`` (param ``wait_s``).
    """
    staff_id = act.capability.subject
    row = await act.db.fetchrow(
        "select secrets from staff where merchant_id = $1 and id = $2", act.merchant_id, staff_id
    )
    if row is None:
        raise StepUpRefusedError
    fields = await act.fields()
    secret = fields.open(TABLE, "instrument", staff_id, 1, row["secrets"], StaffSecrets).totp_secret
    step = totp_step_of(code.strip(), secret, act.now.timestamp())
    wait_s = None if step is None else await use_step(act, staff_id, step)
    if wait_s is None:
        raise StepUpRefusedError
    if wait_s:
        raise LimitReached("login_locked", params={"wait_s": wait_s})


async def open_profile(act: Act, row: Row) -> StaffProfile:
    """Name and mail of a row of ``staff``."""
    fields = await act.fields()
    return fields.open(TABLE, "contact", row["id"], 1, row["profile"], StaffProfile)


async def sign_in(act: Act, staff_id: UUID, role: Role) -> SignedIn:
    """A session of a member of staff of the current merchant, for STAFF_SESSION_S."""
    authority = await act.mint(
        kind="staff",
        subject=staff_id,
        ops=ALL_OPERATIONS,
        life_s=limits.STAFF_SESSION_S,
        role=role,
        budget_rows=act.settings.budget_staff_rows_per_hour,
        budget_window_s=3600,
    )
    return SignedIn(
        authority=authority,
        staff_id=StaffId(staff_id),
        role=role,
        merchant=await merchant_facts(act),
    )
