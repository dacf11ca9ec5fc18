"""The demo's merchant, staff and API key: made once, kept in ``access.json`` (0600).

Stack only. Merchant and staff are made by the operator's operations, the key as a member of staff
would make it. Passwords are random; one-click links are fresh at every start and good for a day.
"""

import secrets
from pathlib import Path
from typing import Final

import msgspec

from portal.contract.card_on_file import SET_CHARGES, SetCharges
from portal.contract.client import VaultClient
from portal.contract.login import Role
from portal.contract.message import SET_CHANNEL, SetChannel
from portal.contract.number import SET_NUMBER, SetNumber
from portal.contract.operator import (
    ADD_STAFF,
    FOUND_MERCHANT,
    ISSUE_LOGIN_TICKET,
    AddStaff,
    FoundMerchant,
    IssueLoginTicket,
)
from portal.contract.slip import SET_SLIP_TERMS, SetSlipTerms
from portal.domain.errors import Conflict
from portal.kit.clock import SystemClock
from portal.stack.certificates import write_private
from portal.stack.debtors import open_bank
from portal.stack.install import DEMO_CODE
from portal.stack.merchant import make_api_key
from portal.stack.operate_transfers import open_demo_transfers
from portal.stack.programs import PUSH_SERVICES
from portal.stack.sample import ZONE
from portal.stack.up import Stack

CODE: Final = DEMO_CODE
_DAY_S: Final = 24 * 3600
_WORDS: Final = (
    "amber", "birch", "cedar", "coral", "delta", "ember", "fjord", "grove", "heron", "indigo",
    "jade", "koi", "lotus", "maple", "nectar", "otter", "pine", "quartz", "river", "sparrow",
    "tide", "umber", "violet", "willow", "yuzu", "zephyr",
)  # fmt: skip
_PEOPLE: Final[tuple[tuple[str, str, Role], ...]] = (
    ("青空 花子", "owner", "owner"),
    ("山川 一郎", "clerk", "clerk"),
)


_SLIPS: Final = SetSlipTerms(
    merchant_code=CODE, agency="sandbox_agency", maker_code="929000", company_code="00001"
)
"""The demo merchant's contract with the sandbox's collection agency."""


_NUMBERS: Final = SetNumber(merchant_code=CODE, provider="sandbox_counter", hours="09:00-17:00")
"""Who makes the demo merchant's numbers for convenience stores."""


_MAIL: Final = SetChannel(
    merchant_code=CODE,
    channel="email",
    provider="sandbox_mail",
    sender="bill@aozora.example",
    share=100,
)
"""By whom the demo merchant's mails go, and from which address."""


_CALLS: Final = SetChannel(
    merchant_code=CODE,
    channel="voice",
    provider="sandbox_tel",
    sender="+81120000555",
    share=100,
)
"""By whom its payers are called, and from which number."""


class StaffAccess(msgspec.Struct, kw_only=True):
    """How one member of staff logs in; ``one_click`` works once."""

    name: str
    role: str
    email: str
    password: str
    totp_secret: str
    one_click: str = ""


class Access(msgspec.Struct, kw_only=True):
    """Addresses and credentials of one demo: what the screen shows, for programs."""

    instance: str
    portal: str
    dashboard: str
    login: str
    graphql: str
    phone: str
    merchant_code: str
    merchant_name: str
    staff: list[StaffAccess]
    api_key: str
    logs: str


async def open_access(stack: Stack) -> tuple[Access, bool]:
    """Who may enter, and whether this was the first start. Rewrites ``access.json``.

    Raises PortalError or PortalRefusedError when merchant, staff or key can't be made.
    """
    file = stack.layout.state / "access.json"
    async with stack.operator() as vault:
        known = _read(file)
        staff = known.staff if known else await _found(vault)
        for person in staff:
            ticket = await ticket_for(vault, person.email)
            person.one_click = f"{stack.layout.origin}/login/ticket/{ticket}"
        api_key = known.api_key if known else ""
        if not api_key:
            ticket = await ticket_for(vault, staff[0].email)
            api_key = await make_api_key(stack.layout.origin, ticket, "demo")
    origin = stack.layout.origin
    access = Access(
        instance=stack.layout.facts.instance,
        portal=origin,
        dashboard=f"{origin}/d",
        login=f"{origin}/login",
        graphql=f"{origin}/graphql",
        phone=f"{stack.layout.browser_origin}/phone",
        merchant_code=CODE,
        merchant_name="あおぞら電力",
        staff=staff,
        api_key=api_key,
        logs=str(stack.layout.logs),
    )
    write_private(file, msgspec.json.format(msgspec.json.encode(access), indent=2), None)
    return access, known is None


def _read(file: Path) -> Access | None:
    return msgspec.json.decode(file.read_bytes(), type=Access) if file.exists() else None


async def _found(vault: VaultClient) -> list[StaffAccess]:
    """Make merchant and staff; after a start that was cut off here, use what is there."""
    wanted = FoundMerchant(
        code=CODE,
        name="あおぞら電力",
        zone="Asia/Tokyo",
        sms_sender="0005000123",
        sms_provider="sandbox_sms",
        card_provider="sandbox_card",
        wallet_provider="sandbox_wallet",
        phone="0120-000-555",
        website="https://aozora.example",
    )
    try:
        await vault.call(FOUND_MERCHANT, wanted)
    except Conflict:
        suffix = f"-{secrets.token_hex(2)}"
    else:
        suffix = ""
    await vault.call(SET_SLIP_TERMS, _SLIPS)
    await vault.call(SET_NUMBER, _NUMBERS)
    await vault.call(SET_CHANNEL, _MAIL)
    await vault.call(SET_CHANNEL, _CALLS)
    for service in PUSH_SERVICES:
        push = SetChannel(merchant_code=CODE, channel="push", provider=service, sender="", share=30)
        await vault.call(SET_CHANNEL, push)
    await vault.call(SET_CHARGES, SetCharges(merchant_code=CODE, days_before=0))
    await open_bank(vault, SystemClock().business_today(ZONE))
    await open_demo_transfers(vault)
    return [await add_person(vault, name, f"{box}{suffix}", role) for name, box, role in _PEOPLE]


async def add_person(vault: VaultClient, name: str, box: str, role: Role) -> StaffAccess:
    """One more member of staff; ``box`` is what stands before the @ of their mail address."""
    words = [secrets.choice(_WORDS) for _ in range(3)]
    password = f"{'-'.join(words)}-{secrets.randbelow(9000) + 1000}"
    email = f"{box}@{CODE}.example"
    added = await vault.call(
        ADD_STAFF,
        AddStaff(merchant_code=CODE, name=name, email=email, password=password, role=role),
    )
    return StaffAccess(
        name=name, role=role, email=email, password=password, totp_secret=added.totp_secret
    )


async def ticket_for(vault: VaultClient, email: str) -> str:
    """A fresh one-click log-in, good for a day."""
    asked = IssueLoginTicket(merchant_code=CODE, email=email, life_s=_DAY_S)
    return (await vault.call(ISSUE_LOGIN_TICKET, asked)).ticket
