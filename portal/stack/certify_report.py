"""What `portal provider certify` says of each act, as it happens. Stack only."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from portal.kit.outbound.wire import OutboundAnswer, OutboundRequest

Say = Callable[[str], None]

_ACCESS: Final = re.compile(r"(AccessPass=)[^&]*")


@dataclass(slots=True)
class Report:
    """Acts with whether they read as they should; printed as they happen."""

    say: Say
    acts: list[tuple[str, bool]] = field(default_factory=list[tuple[str, bool]])

    @property
    def is_good(self) -> bool:
        """Whether there were acts and all of them read as they should."""
        return bool(self.acts) and all(fits for _, fits in self.acts)

    def close(self) -> None:
        """The last line: how many fit."""
        self.say(f"{sum(fits for _, fits in self.acts)} of {len(self.acts)} acts fit")

    def begin(self, act: str) -> None:
        """A new act."""
        self.say(f"{act}")

    def sent(self, request: OutboundRequest) -> None:
        """What was composed, with its placeholders: the relay's own values are never here."""
        self.say(f"  sent   {request.method} {request.path}")
        for name, text in request.headers.items():
            self.say(f"         {name}: {text}")
        if request.body:
            shown = unquote(request.body) if request.body_kind == "form" else request.body
            masked = _ACCESS.sub(r"\1***", shown)
            self.say(f"         {masked}")

    def heard(self, answer: OutboundAnswer) -> None:
        """Its fate and its size; what it holds is the account's own."""
        code = f" {answer.code}" if answer.code else ""
        self.say(f"  heard  {answer.fate}{code} {answer.status}, {len(answer.body):,} bytes")

    def read(self, act: str, reading: object, *, fits: bool) -> None:
        """How the last answer read, and the verdict."""
        self.say(f"  read   {reading}")
        self.say(f"  fits   {'yes' if fits else 'NO'}")
        self.acts.append((act, fits))
