"""``portal merchant …``: what the operator sets for a merchant. Stack only; thin like portal.cli.

A zone is imported inside its command, so that no process loads another's code.
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

merchant: Final = typer.Typer(help="What the operator sets for a merchant.", no_args_is_help=True)

State = Annotated[
    Path | None, typer.Option(help="State folder (default: .demo, or the next free .demo-N).")
]


@merchant.command()
def lapse(
    code: Annotated[str, typer.Argument(help="The merchant's public code.")],
    state: State = None,
    *,
    after_days: Annotated[int | None, typer.Option(help="Without it: never.", min=0)] = None,
) -> None:
    """Set after how many days past due a merchant's bills can no longer be paid here."""
    from portal.stack.operate import set_lapse

    set_lapse(state or Path(".demo"), code, after_days)


@merchant.command()
def cards(
    code: Annotated[str, typer.Argument(help="The merchant's public code.")],
    state: State = None,
    *,
    days_before: Annotated[int | None, typer.Option(help="Without it: no card.", min=0)] = None,
) -> None:
    """Let a merchant's payers leave their card, charged so many days before later bills are due."""
    from portal.stack.operate import set_charges

    set_charges(state or Path(".demo"), code, days_before)


@merchant.command()
def card_policy(
    code: Annotated[str, typer.Argument(help="The merchant's public code.")],
    policy: Annotated[
        Literal["any", "attempted", "authenticated"],
        typer.Argument(help="Results of 3-D Secure that need nobody's look."),
    ],
    state: State = None,
) -> None:
    """Set which card payments a merchant accepts as they are; of any other there is a case."""
    from portal.stack.operate import set_card_policy

    set_card_policy(state or Path(".demo"), code, policy)


@merchant.command()
def wallet(
    code: Annotated[str, typer.Argument(help="The merchant's public code.")],
    state: State = None,
    *,
    provider: Annotated[str | None, typer.Option(help="E.g. paypay; without it: none.")] = None,
) -> None:
    """Set whose smartphone wallet a merchant's payers can pay with."""
    from portal.stack.operate import set_wallet

    set_wallet(state or Path(".demo"), code, provider)


@merchant.command()
def number(
    code: Annotated[str, typer.Argument(help="The merchant's public code.")],
    state: State = None,
    *,
    provider: Annotated[str | None, typer.Option(help="E.g. gmopg; without it: none.")] = None,
    hours: Annotated[str, typer.Option(help="When its telephone is answered.")] = "09:00-17:00",
) -> None:
    """Set who makes numbers by which a merchant's payers pay at convenience stores."""
    from portal.stack.operate import set_number

    set_number(state or Path(".demo"), code, provider, hours)


@merchant.command()
def refund_limit(
    code: Annotated[str, typer.Argument(help="The merchant's public code.")],
    state: State = None,
    *,
    yen: Annotated[int, typer.Option(help="Yen of one payment; 0: every refund is approved.")],
) -> None:
    """Set what a merchant gives back of one payment without a second person."""
    from portal.stack.operate import set_refund_limit

    set_refund_limit(state or Path(".demo"), code, yen)


@merchant.command()
def pause_limits(
    code: Annotated[str, typer.Argument(help="The merchant's public code.")],
    state: State = None,
    *,
    promise_days: Annotated[int | None, typer.Option(help="Days ahead of today.", min=0)] = None,
    extension_days: Annotated[
        int | None, typer.Option(help="Days that a bill may be extended in all.", min=0)
    ] = None,
) -> None:
    """Set how long payers' promises and extensions may be; what is not given stays."""
    from portal.stack.operate import set_pause_limits

    set_pause_limits(state or Path(".demo"), code, promise_days, extension_days)


@merchant.command()
def slips(  # noqa: PLR0913  # what a contract with an agency says
    code: Annotated[str, typer.Argument(help="The merchant's public code.")],
    state: State = None,
    *,
    agency: Annotated[str, typer.Option(help="The collection agency, e.g. dsk.")],
    maker_code: Annotated[str, typer.Option(help="6 digits that it gave; begins with 9.")],
    company_code: Annotated[str, typer.Option(help="5 digits: its number of the merchant.")],
    most: Annotated[int, typer.Option(help="Yen of a slip at most.")] = 300_000,
    days_open: Annotated[int, typer.Option(help="Days that a slip made out late is good.")] = 14,
    grace_days: Annotated[int, typer.Option(help="Days that notices may come later.")] = 14,
    public_money: Annotated[bool, typer.Option(help="Rates or taxes: never a stamp.")] = False,
    screens: Annotated[bool, typer.Option(help="Its registers read telephone screens.")] = False,
    off: Annotated[bool, typer.Option(help="Make out no new slips.")] = False,
    transfer: Annotated[str | None, typer.Option(help="For bills too large for a slip.")] = None,
) -> None:
    """Set by which contract a merchant's payment slips are made out; old ones stay good."""
    from portal.contract.slip import SetSlipTerms
    from portal.stack.operate import set_slip_terms

    set_slip_terms(
        state or Path(".demo"),
        SetSlipTerms(
            merchant_code=code,
            agency=agency,
            maker_code=maker_code,
            company_code=company_code,
            amount_max=most,
            days_open=days_open,
            grace_days=grace_days,
            is_public_money=public_money,
            scans_screens=screens,
            offered=not off,
            transfer_text=transfer,
        ),
    )


@merchant.command()
def debit_contract(
    code: Annotated[str, typer.Argument(help="The merchant's public code.")],
    terms: Annotated[Path, typer.Argument(help="The contract as JSON: see docs/bank-debit.md.")],
    state: State = None,
) -> None:
    """Write down what a bank agreed to with a merchant about debiting its payers' accounts."""
    from portal.stack.operate import open_debit_contract

    open_debit_contract(state or Path(".demo"), code, terms)


@merchant.command()
def transfer_contract(
    code: Annotated[str, typer.Argument(help="The merchant's public code.")],
    terms: Annotated[Path, typer.Argument(help="The contract as JSON: see docs/bank-transfer.md.")],
    state: State = None,
) -> None:
    """Write down what a bank agreed to with a merchant about transferring refunds by its files."""
    from portal.stack.operate_transfers import open_transfer_contract

    open_transfer_contract(state or Path(".demo"), code, terms)


@merchant.command()
def bank_day(
    code: Annotated[str, typer.Argument(help="The merchant's public code.")],
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="The day.")],
    word: Annotated[
        Literal["closed", "open", "calendar"],
        typer.Argument(help="What its banks are on that day; calendar takes a word back."),
    ],
    state: State = None,
    *,
    collector: Annotated[
        str, typer.Option(help="The contract's collector code; without it: all contracts.")
    ] = "",
) -> None:
    """Close or open a day of a merchant's banks, for a holiday that was made or moved late."""
    from portal.contract.debit import SetBankDay
    from portal.stack.operate import set_bank_day

    request = SetBankDay(merchant_code=code, day=day.date(), word=word, collector_code=collector)
    set_bank_day(state or Path(".demo"), request)


@merchant.command()
def part_payment(
    code: Annotated[str, typer.Argument(help="The merchant's public code.")],
    state: State = None,
    *,
    least: Annotated[
        int | None, typer.Option(help="Least yen at once; without it: all or nothing.", min=1)
    ] = None,
) -> None:
    """Set whether a merchant's payers may pay a part of a bill, and how small a part."""
    from portal.stack.operate import set_part_payment

    set_part_payment(state or Path(".demo"), code, least)


@merchant.command()
def channel(  # noqa: PLR0913  # one option a fact of the road
    code: Annotated[str, typer.Argument(help="The merchant's public code.")],
    name: Annotated[str, typer.Argument(help="The channel: sms, email, voice or push.")],
    provider: Annotated[str, typer.Argument(help="The company that carries it.")],
    state: State = None,
    *,
    sender: Annotated[str, typer.Option(help="Number, address or name it comes from.")] = "",
    share: Annotated[
        int, typer.Option(help="Part of the channel's new messages, 0 to 100.", min=0, max=100)
    ] = 100,
    off: Annotated[bool, typer.Option("--off", help="Take this road away.")] = False,
    leave_unclear: Annotated[
        bool | None,
        typer.Option(
            "--leave-unclear/--same-key",
            help="Never repeat what may have gone out; or do, under its key, where safe.",
        ),
    ] = None,
    amount: Annotated[
        bool | None,
        typer.Option("--amount/--no-amount", help="push: name the sum on the locked screen."),
    ] = None,
) -> None:
    """Set by which company a merchant's messages of a channel go."""
    from portal.stack.operate import set_channel

    set_channel(
        state or Path(".demo"),
        code,
        name,
        provider,
        sender,
        None if off else share,
        leaves_unclear=leave_unclear,
        says_amount=amount,
    )


app: Final = typer.Typer(help="A merchant's own app at a push service.", no_args_is_help=True)
merchant.add_typer(app, name="app")


@app.command("set")
def app_set(
    code: Annotated[str, typer.Argument(help="The merchant's public code.")],
    provider: Annotated[str, typer.Argument(help="fcm or apns.")],
    name: Annotated[str, typer.Argument(help="The app's name in the egress' rules.")],
    state: State = None,
) -> None:
    """Send a merchant's notifications to its own app; its devices register anew."""
    from portal.stack.operate import set_app

    set_app(state or Path(".demo"), code, provider, name)


@app.command("off")
def app_off(
    code: Annotated[str, typer.Argument(help="The merchant's public code.")],
    provider: Annotated[str, typer.Argument(help="fcm or apns.")],
    state: State = None,
) -> None:
    """Send them to the installation's app again."""
    from portal.stack.operate import set_app

    set_app(state or Path(".demo"), code, provider, "")


@merchant.command()
def prices(
    code: Annotated[str, typer.Argument(help="The merchant's public code.")],
    provider: Annotated[str, typer.Argument(help="Who carries messages; paper: the print shop.")],
    yen: Annotated[
        list[str] | None,
        typer.Argument(help="Yen for a message of 1, 2, 3 … parts, as 3.3; none: not known."),
    ] = None,
    state: State = None,
    *,
    calls: Annotated[bool, typer.Option(help="As --channel voice.")] = False,
    channel: Annotated[Literal["sms", "email", "push", "voice"], typer.Option()] = "sms",
) -> None:
    """Set what a company takes for an SMS by its number of parts, or for one of something else."""
    from portal.stack.operate import set_message_prices

    paid = "voice" if calls else channel
    set_message_prices(state or Path(".demo"), code, provider, yen or [], channel=paid)


@merchant.command()
def ladder(
    code: Annotated[str, typer.Argument(help="The merchant's public code.")],
    plan: Annotated[Path, typer.Argument(help="The plan as JSON; see docs/ladder.md.")],
    state: State = None,
) -> None:
    """Set by which messages a merchant's payers are told of bills, when, and how often."""
    from portal.stack.operate import set_ladder

    set_ladder(state or Path(".demo"), code, plan)
