"""What payers have on their phones and in their mailboxes, as the sandbox tells it. Stack only."""

import msgspec


class Message(msgspec.Struct, frozen=True):
    """One message as the phone shows it; ``at``: seconds of the carrier's clock.

    One whose carrier swallowed it is in the carrier's books and on nobody's phone.
    """

    seq: int
    to: str
    text: str
    link: str | None = None
    at: float = 0.0
    status: str = ""

    @property
    def is_shown(self) -> bool:
        """Whether its reader can see it."""
        return self.status != "swallowed"


class Messages(msgspec.Struct, frozen=True):
    """What a phone's or a mailbox' address answers, oldest first."""

    messages: tuple[Message, ...]
