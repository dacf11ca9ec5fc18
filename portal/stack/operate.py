"""`portal clock` and `portal merchant …`: what an operator changes on a running stack.

Stack only. Speaks to the vault with the operator's certificate, which no server process holds.
"""

import asyncio
import re
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final, Literal, cast, get_args

import msgspec

from portal.contract.card_on_file import SET_CHARGES, SetCharges
from portal.contract.debit import (
    OPEN_DEBIT_CONTRACT,
    SET_BANK_DAY,
    OpenDebitContract,
    SetBankDay,
)
from portal.contract.due import MOVE_CLOCK, SET_LAPSE, MoveClock, SetLapse
from portal.contract.ladder import SET_LADDER, SetLadder
from portal.contract.message import SET_CHANNEL, SetChannel
from portal.contract.number import SET_NUMBER, SetNumber
from portal.contract.operator import SET_CARD_POLICY, SET_WALLET, SetCardPolicy, SetWallet
from portal.contract.pause import SET_PAUSE_LIMITS, SetPauseLimits
from portal.contract.push import SET_APP, SetApp
from portal.contract.refund import SET_REFUND_LIMIT, SetRefundLimit
from portal.contract.share import SET_PART_PAYMENT, SetPartPayment
from portal.contract.slip import SET_SLIP_TERMS, SetSlipTerms
from portal.contract.template import SET_MESSAGE_PRICES, SetMessagePrices
from portal.domain.authentication import CardPolicy
from portal.domain.days import JAPAN
from portal.domain.errors import InvalidInput, NotFound
from portal.domain.ids import to_public
from portal.domain.ladder import Hours, is_quiet
from portal.domain.ladder_plan import read_plan
from portal.domain.message import Channel
from portal.domain.template_form import SMS_STEPS
from portal.stack.operator import ask

_PRICED: Final = {"voice": " a call", "email": " a mail", "push": " a notification"}
_DAY_S = 86_400
_HOUR_S = 3_600
_JUMP = re.compile(r"([+-][0-9]{1,4}(?:\.[0-9]{1,2})?)([dh])", re.ASCII)


def move_clock(state: Path, days: float) -> None:
    """Set the business clock so many days ahead of the real one, and say so.

    Raises: NotAllowed in production; InvalidInput; OSError when no stack runs in ``state``.
    """
    moved = asyncio.run(ask(state, MOVE_CLOCK, MoveClock(offset_s=days * _DAY_S)))
    before, now = moved.before_s / _DAY_S, moved.offset_s / _DAY_S
    sys.stdout.write(f"the business clock is {now:g} days ahead (before: {before:g})\n")


def jump_clock(state: Path, by: str) -> None:
    """Move the business clock on by ``+3d`` or ``+12h`` from where it is, and say so.

    Raises: InvalidInput ``clock_jump``; NotAllowed in production; OSError when no stack runs.
    """
    found = _JUMP.fullmatch(by)
    if found is None:
        raise InvalidInput("clock_jump", context="such as +3d, +12h or -1d")
    offset_s = float(found[1]) * (_DAY_S if found[2] == "d" else _HOUR_S)
    moved = asyncio.run(ask(state, MOVE_CLOCK, MoveClock(offset_s=offset_s, is_jump=True)))
    now = datetime.now(UTC) + timedelta(seconds=moved.offset_s)
    sys.stdout.write(f"it is {now.astimezone(JAPAN):%Y-%m-%d %H:%M} in Japan now; bills that ")
    is_night = is_quiet(now.astimezone(JAPAN), Hours())
    when = "at 8 in the morning: jump on by hours" if is_night else "within seconds"
    sys.stdout.write(f"are due for their next message get it {when}\n")


def set_ladder(state: Path, code: str, plan: Path) -> None:
    """Set a merchant's plan of messages from a JSON file.

    Raises: InvalidInput ``ladder_plan`` (context: where and what is wrong); NotFound; OSError.
    """
    raw = plan.read_bytes()
    try:
        read_plan(raw)
    except InvalidInput as fault:
        raise InvalidInput(fault.code, context=str(fault.params["field"])) from fault
    done = asyncio.run(ask(state, SET_LADDER, SetLadder(merchant_code=code, plan=raw)))
    sys.stdout.write(f"plan {done.version} of {code} holds for bills issued from now on; ")
    sys.stdout.write("its quiet hours and caps hold for all\n")


def set_lapse(state: Path, code: str, after_days: int | None) -> None:
    """Set when a merchant's bills lapse; None: never. Raises: NotFound; InvalidInput; OSError."""
    request = SetLapse(merchant_code=code, lapse_after_days=after_days)
    done = asyncio.run(ask(state, SET_LAPSE, request))
    days = done.lapse_after_days
    word = "never lapse" if days is None else f"lapse {days} days after their due date"
    sys.stdout.write(f"bills of {code} {word}, from the next business day on\n")


def set_charges(state: Path, code: str, days_before: int | None) -> None:
    """Set when a merchant's cards on file are charged; None: it keeps none.

    Raises: NotFound; InvalidInput; OSError.
    """
    request = SetCharges(merchant_code=code, days_before=days_before)
    done = asyncio.run(ask(state, SET_CHARGES, request))
    if done.days_before is None:
        word = "keeps no cards, and charges none"
    else:
        word = f"lets payers leave a card, charged {done.days_before} days before a bill is due"
    sys.stdout.write(f"{code} {word}\n")


def set_card_policy(state: Path, code: str, policy: CardPolicy) -> None:
    """Set which results of 3-D Secure a merchant accepts. Raises: NotFound; OSError."""
    request = SetCardPolicy(merchant_code=code, policy=policy)
    done = asyncio.run(ask(state, SET_CARD_POLICY, request))
    sys.stdout.write(f"card payments of {code}: {policy} (before: {done.before})\n")


def set_wallet(state: Path, code: str, provider: str | None) -> None:
    """Set whose wallet a merchant takes; None: no wallet. Raises: NotFound; OSError."""
    request = SetWallet(merchant_code=code, wallet_provider=provider or "")
    done = asyncio.run(ask(state, SET_WALLET, request))
    sys.stdout.write(f"payers of {code} pay by {provider or 'no wallet'} ")
    sys.stdout.write(f"(before: {done.before or 'no wallet'})\n")


def set_number(state: Path, code: str, provider: str | None, hours: str) -> None:
    """Set who makes a merchant's numbers for stores; None: nobody.

    Raises: NotFound; InvalidInput; OSError.
    """
    request = SetNumber(merchant_code=code, provider=provider or "", hours=hours)
    done = asyncio.run(ask(state, SET_NUMBER, request))
    sys.stdout.write(f"payers of {code} get numbers for stores by {provider or 'nobody'} ")
    sys.stdout.write(f"(before: {done.before or 'nobody'})\n")


def set_refund_limit(state: Path, code: str, yen: int) -> None:
    """Set what a merchant gives back of one payment without a second person.

    Raises: NotFound; InvalidInput; OSError.
    """
    request = SetRefundLimit(merchant_code=code, limit_minor=yen)
    done = asyncio.run(ask(state, SET_REFUND_LIMIT, request))
    sys.stdout.write(f"{code} gives back up to {done.limit_minor:,} yen of a payment unapproved\n")


def set_part_payment(state: Path, code: str, least: int | None) -> None:
    """Set the least that a merchant takes of a bill at once; None: all or nothing.

    Raises: NotFound; InvalidInput; OSError.
    """
    request = SetPartPayment(merchant_code=code, least_minor=least)
    done = asyncio.run(ask(state, SET_PART_PAYMENT, request))
    least = done.least_minor
    word = "as a whole" if least is None else f"in parts of {least:,} yen at least"
    sys.stdout.write(f"payers of {code} pay a bill {word}\n")


def set_app(state: Path, code: str, provider: str, name: str) -> None:
    """Set a merchant's own app at a push service; "" for the installation's.

    Raises: NotFound; InvalidInput; Conflict; OSError.
    """
    if provider not in {"fcm", "apns"}:
        raise NotFound("provider_unknown")
    kind = cast("Literal['fcm', 'apns']", provider)
    request = SetApp(merchant_code=code, provider=kind, app=name)
    before = asyncio.run(ask(state, SET_APP, request)).before
    now, was = name or "the installation's app", before or "the installation's app"
    sys.stdout.write(f"{provider} of {code}: {now} (was: {was})\n")


def set_channel(  # noqa: PLR0913 - as the command has them
    state: Path,
    code: str,
    channel: str,
    provider: str,
    sender: str,
    share: int | None,
    *,
    leaves_unclear: bool | None = None,
    says_amount: bool | None = None,
) -> None:
    """Set one road of a merchant's messages; ``share`` None takes it away.

    Raises: NotFound; InvalidInput; OSError.
    """
    if channel not in get_args(Channel):
        raise InvalidInput("channel_unknown", params={"known": ", ".join(get_args(Channel))})
    request = SetChannel(
        merchant_code=code, channel=cast("Channel", channel), provider=provider, sender=sender,
        share=share,
        unclear=None if leaves_unclear is None else "leave" if leaves_unclear else "same_key",
        says_amount=says_amount,
    )  # fmt: skip
    done = asyncio.run(ask(state, SET_CHANNEL, request))
    for road in done.roads:
        sys.stdout.write(f"{channel} of {code}: {road.provider} as {road.sender or '-'}, ")
        sys.stdout.write(f"share {road.share}\n")
    if not done.roads:
        sys.stdout.write(f"{code} sends nothing by {channel}\n")


def set_message_prices(
    state: Path, code: str, provider: str, yen: list[str], *, channel: Channel = "sms"
) -> None:
    """Set what a company takes for a message by its parts, or for a call; none: not known.

    The company ``paper`` is the print shop: its one price is a letter's, with postage.

    Raises: NotFound; InvalidInput; OSError.
    """
    try:
        prices = tuple(int(Decimal(price) * 100) for price in yen)
    except (InvalidOperation, ValueError, OverflowError) as fault:
        raise InvalidInput("message_prices", params={"max": SMS_STEPS}) from fault
    paid: Channel | Literal["paper"] = "paper" if provider == "paper" else channel
    request = SetMessagePrices(merchant_code=code, channel=paid, provider=provider, prices=prices)
    done = asyncio.run(ask(state, SET_MESSAGE_PRICES, request))
    shown = ", ".join(f"{Decimal(price) / 100} yen" for price in done.prices)
    unit = _PRICED.get(paid, "") if shown else ""
    sys.stdout.write(f"{paid} of {code} by {provider}: {shown or 'prices not known'}{unit}\n")


def set_pause_limits(
    state: Path, code: str, promise_days: int | None, extension_days: int | None
) -> None:
    """Set how long promises and extensions of a merchant's bills may be; None: as it is.

    Raises: NotFound; InvalidInput; OSError.
    """
    request = SetPauseLimits(
        merchant_code=code, promise_days=promise_days, extension_days=extension_days
    )
    done = asyncio.run(ask(state, SET_PAUSE_LIMITS, request))
    sys.stdout.write(f"payers of {code} may promise {done.promise_days} days ahead; ")
    sys.stdout.write(f"a due date moves {done.extension_days} days in all\n")


def set_slip_terms(state: Path, terms: SetSlipTerms) -> None:
    """Set by which terms a merchant's slips are made out.

    Raises: NotFound; InvalidInput; OSError.
    """
    done = asyncio.run(ask(state, SET_SLIP_TERMS, terms))
    word = f"by {terms.agency}, up to {terms.amount_max:,} yen" if done.offered else "no more"
    sys.stdout.write(f"slips of {terms.merchant_code} are made out {word}\n")


def open_debit_contract(state: Path, code: str, terms: Path) -> None:
    """Write down a bank's contract from a JSON file.

    Raises: InvalidInput ``debit_contract`` (param ``field``); NotFound; Conflict; OSError.
    """
    request = read_debit_contract(code, terms.read_bytes())
    done = asyncio.run(ask(state, OPEN_DEBIT_CONTRACT, request))
    sys.stdout.write(f"{code} debits by {to_public('debit_contract', done.contract_id)}\n")


def set_bank_day(state: Path, request: SetBankDay) -> None:
    """Say of one day that a merchant's banks are closed, or work, whatever the calendar says.

    Raises: NotFound; InvalidInput.
    """
    done = asyncio.run(ask(state, SET_BANK_DAY, request))
    day = request.day.isoformat()
    sys.stdout.write(f"{day} is {request.word} for {done.contracts} contracts\n")
    if done.files:
        sys.stdout.write(f"{done.files} files are for {day}: discard them, or ask their bank\n")


def read_debit_contract(code: str, raw: bytes) -> OpenDebitContract:
    """The terms in a JSON file, for that merchant.

    Raises: InvalidInput ``debit_contract`` (param ``field``: what the reader says is wrong).
    """
    try:
        terms = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        terms["merchant_code"] = msgspec.Raw(msgspec.json.encode(code))
        return msgspec.json.decode(msgspec.json.encode(terms), type=OpenDebitContract)
    except msgspec.MsgspecError as fault:
        params = {"field": str(fault)}
        raise InvalidInput("debit_contract", params=params, context=str(fault)) from fault
