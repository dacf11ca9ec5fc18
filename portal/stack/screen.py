"""What the demo shows in the terminal: bars while it starts, addresses when it stands.

Stack only; nothing but text. Without a terminal it prints one plain line per step.
"""

from typing import Final, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from portal.stack.access import Access
from portal.stack.layout import Borders
from portal.stack.up import STEPS

_NAMES: Final = {
    "keys": "keys, certificates and egress rules",
    "postgres": "PostgreSQL",
    "valkey": "Valkey",
    "sandbox": "sandbox: carriers, phones, card and wallet companies",
    "migrations": "schema",
    "vault": "data zone",
    "egress": "egress relay",
    "web": "application",
    "work": "workers",
    "dmz": "DMZ (nginx)",
    "check": "rows checked and sealed",
    "issue": "bills opened",
    "send": "messages with the carriers",
}


class Screen:
    """Bars for steps and legs; use it as a context manager while things move."""

    def __init__(self, console: Console | None = None) -> None:
        """``console`` None: standard output."""
        self.console = console or Console(highlight=False)
        self._bars = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self._start: TaskID | None = None
        self._begun: set[str] = set()
        self._done: set[str] = set()
        self._legs: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        """Show the bars."""
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the bars as they are."""
        self._bars.stop()

    def step(self, name: str, seconds: float | None) -> None:
        """A step of the start begins (None) or is done."""
        if self._start is None:
            self._start = self._bars.add_task("starting", total=len(STEPS))
        if seconds is None:
            self._begun.add(name)
        else:
            self._done.add(name)
            self._plain(f"  {_NAMES[name]}: {seconds:.1f} s")
        under_way = [_NAMES[one] for one in STEPS if one in self._begun - self._done]
        self._bars.update(
            self._start,
            completed=len(self._done),
            description=", ".join(under_way)[:46] or "all processes answer",
        )

    def leg(self, name: str, done: int, of: int) -> None:
        """A leg of the file's road has come so far."""
        if name not in self._legs:
            self._legs[name] = self._bars.add_task(_NAMES[name], total=of)
            self._plain(f"  {_NAMES[name]} …")
        self._bars.update(self._legs[name], completed=done, total=of)

    def say(self, text: str) -> None:
        """A line of its own."""
        self.console.print(text, soft_wrap=True)

    def _plain(self, text: str) -> None:
        if not self.console.is_terminal:
            self.console.print(text)


def welcome(access: Access, link: str | None, borders: Borders, folder: str) -> str:
    """Every address and log-in; each address on a line of its own, so that it can be clicked."""
    blocks = [
        ("Merchant's dashboard", [access.staff[0].one_click], "one click, once; good for a day"),
        ("Payers' phone", [access.phone], "messages as they arrive: tap one, pay it"),
    ]
    if link:
        blocks.append(
            ("A payer's page", [link], "card 4242 4242 4242 4242, any date and code; or the wallet")
        )
    blocks.append(("GraphQL", [access.graphql], f"API key in {folder}/access.json"))
    for person in access.staff:
        lines = [
            access.login,
            f"merchant {access.merchant_code} · {person.email} · {person.password}",
            f"TOTP secret {person.totp_secret}",
        ]
        blocks.append((f"Log in as {person.role}", lines, ""))
    kind = "each zone has a uid of its own" if borders.real else f"logical: {borders.reason}"
    out = ["", "[bold green]Harai 払い is up.[/] Ctrl-C stops everything; the data stays.", ""]
    for title, lines, hint in blocks:
        out.append(f"  [bold]{title}[/]{f'  [dim]{hint}[/]' if hint else ''}")
        out += [f"    {line}" for line in lines]
    out += ["", f"  [dim]borders: {kind}[/]", f"  [dim]logs: {access.logs}[/]", ""]
    return "\n".join(out)
