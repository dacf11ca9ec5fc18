"""What an act writes when it ends: sent together with its commit, so that it costs no round trip.

Data zone. For rows that nothing reads again before the commit: the audit row, an event, a task.
Each is a statement prepared once a connection; what travels is its name and its values, as text.
That text is safe by its letters: numbers, UUIDs and moments as their types write them, and every
other text and all bytes as hexadecimal digits. It shows in the server's list of sessions for a
moment, so it holds nothing personal and no secret. What must not be here: statements whose answer
somebody waits for.
"""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from portal.domain.errors import InvariantBroken

Name = Literal[
    "audit", "event", "task", "answer", "lease", "return_token", "opened", "attempt", "settled",
    "paid_promise", "ladder_paid", "ladder_owed", "paper_owed",
]  # fmt: skip

_STATEMENTS: Final[dict[Name, tuple[str, str]]] = {
    "audit": (
        "text, bigint, timestamptz, uuid, text, text, uuid, uuid, text, text, int, bytea",
        (
            "insert into audit (instance, number, at, merchant_id, caller, kind, subject, jti,"
            " operation, outcome, rows, digest)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        ),
    ),
    "event": (
        "uuid, uuid, uuid, timestamptz, text, text, text",
        (
            "insert into bill_event (merchant_id, bill_id, id, at, code, actor, params)"
            " values ($1, $2, $3, $4, $5, $6, $7::jsonb)"
        ),
    ),
    "task": (
        "uuid, uuid, text, text, uuid, int, timestamptz, timestamptz",
        (
            "insert into task"
            " (merchant_id, id, kind, lane, subject_id, number, planned_at, next_at)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8)"
        ),
    ),
    "answer": (
        "uuid, text, text, bytea",
        "update once set answer = $4 where merchant_id = $1 and kind = $2 and key = $3",
    ),
    "lease": (
        "text, bigint, bigint, timestamptz",
        "insert into budget (holder, window_no, used, expires_at) values ($1, $2, $3, $4)",
    ),
    "opened": (
        "uuid, uuid, timestamptz",
        ("update bill set opened_at = $3 where merchant_id = $1 and id = $2 and opened_at is null"),
    ),
    "attempt": (
        (
            "uuid, uuid, uuid, text, text, text, text, int, bigint, timestamptz, timestamptz,"
            " timestamptz, timestamptz"
        ),
        (
            "insert into attempt (merchant_id, id, bill_id, method, provider, reference, state,"
            " version, amount_minor, created_at, state_at, doubt_at, ask_at)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
        ),
    ),
    "settled": (
        "uuid, uuid, text, timestamptz",
        (
            "update bill set settlement = $3, version = version + 1,"
            " paid_at = coalesce(paid_at, case when $3 in ('settled', 'over') then $4 end)"
            " where merchant_id = $1 and id = $2"
        ),
    ),
    "paid_promise": (
        "uuid, uuid, timestamptz, text",
        (
            "update pause set ended_at = $3, ended_by = $4, end_code = 'paid'"
            " where merchant_id = $1 and bill_id = $2 and kind = 'promise' and ended_at is null"
        ),
    ),
    "ladder_paid": (
        "uuid, uuid",
        (
            "update ladder set next_at = null, held = '', ended = 'paid'"
            " where merchant_id = $1 and bill_id = $2 and ended = ''"
        ),
    ),
    "ladder_owed": (
        "uuid, uuid, timestamptz",
        (
            "update ladder set next_at = $3, ended = ''"
            " where merchant_id = $1 and bill_id = $2 and ended = 'paid'"
        ),
    ),
    "paper_owed": (
        "uuid, uuid",
        # Not of one that a batch has, nor of a payer who has agreed to no paper since.
        (
            "update paper_due p set state = 'waiting'"
            " where p.merchant_id = $1 and p.bill_id = $2 and p.state = 'dropped'"
            " and not exists (select from print_bill o"
            " where o.merchant_id = $1 and o.bill_id = $2)"
            " and (p.reason = 'no_message' or not exists (select from bill b"
            " join digital_contract c on c.merchant_id = $1"
            " and c.contract_blind = b.contract_blind and c.state = 'digital'"
            " where b.merchant_id = $1 and b.id = $2))"
        ),
    ),
    "return_token": (
        "uuid, bytea, uuid, uuid, timestamptz",
        (
            "insert into return_token (merchant_id, token_hash, attempt_id, bill_id, expires_at)"
            " values ($1, $2, $3, $4, $5)"
        ),
    ),
}

PREPARE: Final = ";".join(
    f"prepare harai_{name} ({types}) as {statement}"
    for name, (types, statement) in _STATEMENTS.items()
)
"""Run once on every connection that acts use."""

Value = str | bytes | int | UUID | datetime | None


class Closing:
    """The statements that go with one act's commit, in the order in which they were added."""

    def __init__(self) -> None:
        """Nothing is to be written yet."""
        self._lines: list[str] = []

    def __len__(self) -> int:
        """How many statements wait: a mark for :meth:`cut`."""
        return len(self._lines)

    def add(self, name: Name, *values: Value) -> None:
        """Run a prepared statement with these values when the act ends."""
        written = ", ".join([_written(value) for value in values])
        self._lines.append(f"execute harai_{name}({written})")

    def cut(self, mark: int) -> None:
        """Forget what was added since the mark: that part of the act is undone."""
        del self._lines[mark:]

    def take(self, *last: str) -> str:
        """All that waits and then ``last``, as one text; nothing waits after."""
        lines, self._lines = self._lines, []
        return ";".join([*lines, *last])


def _written(value: Value) -> str:
    """A value as SQL that can't be read as anything but this value.

    Raises: InvariantBroken ``value_unwritable`` for another type.
    """
    match value:
        case None:
            return "null"
        case str():
            return f"convert_from('\\x{value.encode().hex()}', 'UTF8')"
        case bytes():
            return f"'\\x{value.hex()}'"
        case bool():
            raise InvariantBroken("value_unwritable", context="bool")
        case int():
            return str(int(value))
        case UUID():
            return f"'{value}'"
        case datetime():
            return f"'{value.isoformat()}'"
        case _:  # pyright: ignore[reportUnnecessaryComparison]  # nothing else may ever be pasted
            raise InvariantBroken("value_unwritable", context=type(value).__name__)
