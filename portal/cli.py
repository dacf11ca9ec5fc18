"""`portal …`: every command of the product; thin, and importing a zone only inside its command.

No zone. Nothing is decided here: a command reads its options, calls one function and turns what
it raises into one line that says what to do. A zone's process never loads another zone's code.
"""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from portal.domain.errors import PortalError
from portal.kit.memory import loading
from portal.stack.merchant_commands import merchant

app: Final = typer.Typer(
    name="portal",
    help="Harai 払い: collect money digitally. Try `portal demo`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
audit: Final = typer.Typer(help="The audit of the data zone.", no_args_is_help=True)
app.add_typer(audit, name="audit")
app.add_typer(merchant, name="merchant")
tasks: Final = typer.Typer(
    help="What waits and what was given up, over all merchants.", invoke_without_command=True
)
app.add_typer(tasks, name="tasks")
demo_app: Final = typer.Typer(invoke_without_command=True)
app.add_typer(demo_app, name="demo")
drill: Final = typer.Typer(help="Break it on purpose and compare.", no_args_is_help=True)
app.add_typer(drill, name="drill")

provider: Final = typer.Typer(help="Companies that move money for us.", no_args_is_help=True)
app.add_typer(provider, name="provider")

State = Annotated[
    Path | None, typer.Option(help="State folder (default: .demo, or the next free .demo-N).")
]

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


class DrillOf(StrEnum):
    """What a crash drill is about."""

    ALL = "all"
    PAYMENTS = "payments"
    MESSAGES = "messages"


@demo_app.callback()
def demo(
    context: typer.Context,
    state: State = None,
    *,
    bills: Annotated[
        int, typer.Option(help="Bills to hand in at the first start.", min=1)
    ] = 10_000,
    check: Annotated[
        bool, typer.Option("--check", help="Fresh folder, 1,000 bills, verify, stop.")
    ] = False,
    json: Json = False,
) -> None:
    """Start everything on this machine and show it; Ctrl-C stops it."""
    if context.invoked_subcommand is not None:
        return
    if check:
        from portal.stack.check import run_check

        raise typer.Exit(run_check(as_json=json))
    from portal.stack.demo import run_demo

    raise typer.Exit(run_demo(state, bills=bills))


@demo_app.command("jump", context_settings={"ignore_unknown_options": True})
def demo_jump(
    by: Annotated[str, typer.Argument(help="How far: +3d, +12h.")], state: State = None
) -> None:
    """Move a running demo's business clock on: who has not opened a bill gets the next message."""
    from portal.stack.operate import jump_clock

    jump_clock(state or Path(".demo"), by)


@app.command("sample-bills")
def sample_bills(
    *,
    rows: Annotated[int, typer.Option(min=1, max=10_000_000)] = 1000,
    seed: Annotated[int, typer.Option()] = 1,
    faulty: Annotated[float, typer.Option(help="Share of faulty rows.", min=0, max=1)] = 0.0,
    output: Annotated[Path | None, typer.Option(help="File (default: standard output).")] = None,
) -> None:
    """Write a realistic CSV of billing requests."""
    from portal.stack.sample import write_sample

    write_sample(rows=rows, seed=seed, faulty=faulty, output=output)


@app.command()
def doctor(state: State = None, *, json: Json = False) -> None:
    """Say what is wrong on this machine and how to mend it."""
    from portal.stack.doctor import run_doctor

    raise typer.Exit(run_doctor(state or Path(".demo"), as_json=json))


@app.command()
def migrate(
    *, sql: Annotated[bool, typer.Option("--sql", help="Print the SQL, touch nothing.")] = False
) -> None:
    """Bring the database up to date (PORTAL_MIGRATE_*)."""
    with loading():
        from portal.vault.migrate import migrations_sql, run

    if not sql:
        run()
        return
    # Each real run sets its time-outs first; the linter must see them too.
    typer.echo("set lock_timeout = '5s'; set statement_timeout = '10min';")
    typer.echo(migrations_sql())


@audit.command()
def verify(state: State = None, *, json: Json = False) -> None:
    """Check the audit's chain against its signed heads, on a stopped or running stack."""
    from portal.stack.audit import run_verify

    raise typer.Exit(run_verify(state or Path(".demo"), as_json=json))


@tasks.callback()
def list_tasks(context: typer.Context, state: State = None, *, json: Json = False) -> None:
    """List what waits by kind, and what was given up; exit code 1 when anything was."""
    if context.invoked_subcommand is not None:
        return
    from portal.stack.tasks import run_list

    raise typer.Exit(run_list(state or Path(".demo"), as_json=json))


@tasks.command()
def restart(
    case: Annotated[str, typer.Argument(help="The id that `portal tasks` shows: case_…")],
    state: State = None,
) -> None:
    """Start again what one case tells of, and settle it."""
    from portal.stack.tasks import run_restart

    raise typer.Exit(run_restart(state or Path(".demo"), case))


@app.command()
def clock(
    state: State = None,
    *,
    days: Annotated[
        float, typer.Option(help="Days ahead of today (0: today), in the business' own time.")
    ],
) -> None:
    """Move the business clock of a running demo: bills fall due, nothing that guards moves."""
    from portal.stack.operate import move_clock

    move_clock(state or Path(".demo"), days)


@app.command()
def vault() -> None:
    """Run the data zone's server (PORTAL_VAULT_*)."""
    with loading():
        from portal.vault.run import run

    run()


@app.command()
def web() -> None:
    """Run the application's doors (PORTAL_WEB_*)."""
    with loading():
        from portal.application.run import run

    run()


@app.command()
def work() -> None:
    """Run the application's background workers (PORTAL_WORK_*)."""
    with loading():
        from worker.main import run

    run()


@app.command()
def egress() -> None:
    """Run the relay to the outside (PORTAL_EGRESS_*)."""
    with loading():
        from portal.egress.run import run

    run()


@app.command("egress-probe")
def egress_probe() -> None:
    """Try hostile CONNECTs on the relay of this environment (PORTAL_EGRESS_*)."""
    from portal.egress.check import run

    run()


@app.command()
def dmz() -> None:
    """Become nginx under the generated configuration (PORTAL_DMZ_*)."""
    from portal.dmz.run import run

    run()


@app.command()
def sandbox() -> None:
    """Run the outside world in small (PORTAL_SANDBOX_*)."""
    with loading():
        from portal.sandbox.run import run

    run()


@app.command()
def bench(
    name: Annotated[
        str,
        typer.Argument(
            help="intake, dispatch, urgent, pay, debits, debit-line, data-api, start, all."
        ),
    ],
    *,
    size: Annotated[
        int | None,
        typer.Option(
            "--size", "--lines", "--messages", min=1, help="Load: rows, messages, payments, lines."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Measure a figure beside its floor, on a stack of its own."""
    from portal.stack.measure import run_bench

    raise typer.Exit(run_bench(name, size=size, as_json=json))


@drill.command("crash")
def drill_crash(
    *,
    seed: Annotated[int, typer.Option(help="The same seed kills in the same order.")] = 1,
    rounds: Annotated[int, typer.Option(help="Of `all`: kills of each a phase.", min=1)] = 1,
    of: Annotated[
        DrillOf,
        typer.Option(
            help="`payments`: people pay and staff give back, in one storm."
            " `messages`: 5,000 go out by a company that honours keys and by one that does not."
        ),
    ] = DrillOf.ALL,
    json: Json = False,
) -> None:
    """Kill every process again and again, then compare the outside's books with ours."""
    if of is DrillOf.PAYMENTS:
        from portal.stack.drill.payments import run_payments

        raise typer.Exit(run_payments(seed=seed, as_json=json))
    if of is DrillOf.MESSAGES:
        from portal.stack.drill.messages import run_messages

        raise typer.Exit(run_messages(seed=seed, as_json=json))
    from portal.stack.drill.crash import run_crash

    raise typer.Exit(run_crash(seed=seed, rounds=rounds, as_json=json))


@drill.command("reach")
def drill_reach(
    *,
    seed: Annotated[int, typer.Option(help="The same seed, the same payers.")] = 1,
    json: Json = False,
) -> None:
    """Live a month in which carriers swallow a fifth of all text messages, and count who knew."""
    from portal.stack.drill.reach import run_reach

    raise typer.Exit(run_reach(seed=seed, as_json=json))


@provider.command("certify")
def provider_certify(  # noqa: PLR0913 - each is one option of the command
    name: Annotated[
        str,
        typer.Argument(
            help="stripe, gmopg, smbc_gp, paypay, "
            "smtp, aws_ses, twilio, aws_sns, webpush, fcm, apns, "
            "a bank (sandbox_bank), an agency (sandbox_agency, dsk)."
        ),
    ],
    *,
    endpoint: Annotated[
        str, typer.Option(help="host:port[/account], as in PROVIDER_ENDPOINTS; the sandbox's till.")
    ] = "",
    rules: Annotated[Path | None, typer.Option(help="The rules to be signed, as JSON.")] = None,
    credentials: Annotated[
        Path | None, typer.Option(help="The egress' credentials file (0600).")
    ] = None,
    sandbox_ca: Annotated[Path | None, typer.Option(help="Trusted for sandbox rules.")] = None,
    amount: Annotated[int, typer.Option(help="Yen.", min=2, max=1_000_000)] = 100,
    paid: Annotated[str, typer.Option(help="REFERENCE=ID of a payment that is there.")] = "",
    notice: Annotated[Path | None, typer.Option(help="A notice's body to be read.")] = None,
    store: Annotated[str, typer.Option(help="Make a number for this store, e.g. lawson.")] = "",
    mail: Annotated[str, typer.Option(help="smtp, aws_ses: FROM=TO of one mail.")] = "",
    text: Annotated[str, typer.Option(help="twilio, aws_sns: FROM=TO of one text.")] = "",
    call: Annotated[str, typer.Option(help="twilio: FROM=TO=URL of a call's words.")] = "",
    push: Annotated[Path | None, typer.Option(help="A subscription (JSON) or a token.")] = None,
    device_app: Annotated[str, typer.Option(help="fcm, apns: whose app, as in the rules.")] = "",
    whole: Annotated[
        bool, typer.Option(help="Also be declined, lose an answer, and look at 3-D Secure.")
    ] = False,
    debit: Annotated[Path | None, typer.Option(help="A bank: the debit file to be sent.")] = None,
    sent: Annotated[str, typer.Option(help="A bank: reference of a file that is there.")] = "",
    told: Annotated[Path | None, typer.Option(help="An agency: its file of notices.")] = None,
    signature: Annotated[str, typer.Option(help="An agency: header of --notice.")] = "",
    notice_keys: Annotated[Path | None, typer.Option(help="An agency: NOTICE_KEYS_FILE.")] = None,
    card: Annotated[bool, typer.Option(help="Also leave the card, and charge it once.")] = False,
    payer: Annotated[bool, typer.Option(help="--card, then pay by it, with you there.")] = False,
) -> None:
    """Live one payment's life at a company, or send one message, and report each act."""
    from portal.stack.certify_command import Files, OneMail, run_certify
    from portal.stack.certify_text import read_numbers

    sender, _, to = mail.partition("=")
    one = OneMail(to=to, sender=sender) if mail else None
    numbers = read_numbers(text, call)
    files = Files(
        rules, credentials, sandbox_ca, notice, one, numbers, push, device_app, whole,
        debit, sent, told, signature, notice_keys, card, payer,
    )  # fmt: skip
    done = run_certify(name, endpoint, files, amount=amount, paid=paid, store=store)
    raise typer.Exit(done)


@app.command()
def docs(
    *, check: Annotated[bool, typer.Option(help="Only say whether the pages are current.")] = False
) -> None:
    """Write the generated pages of docs/ (data-api.md)."""
    from portal.stack.docs import run_docs

    raise typer.Exit(run_docs(check=check))


def main() -> None:
    """Run the command line: one line on stderr for whatever goes wrong, exit code 1."""
    try:
        app()
    except PortalError as error:
        from portal.stack.refusal import say

        sys.exit(f"portal: {say(error)}")
    except (RuntimeError, OSError, TimeoutError) as error:
        sys.exit(f"portal: {error}")


if __name__ == "__main__":
    main()
