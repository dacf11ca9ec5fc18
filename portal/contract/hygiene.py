"""Contacts: those that don't reach their payer or may be somebody else's, and what staff do."""

from datetime import datetime
from typing import Literal

from portal.contract.envelope import Done, Nothing, Operation, Part, Reply, Request
from portal.domain.hygiene import ClearReason, Problem
from portal.domain.ids import BillId
from portal.domain.message import Channel

Contact = Literal["phone", "email"]


class ListContactProblems(Request, frozen=True, kw_only=True):
    """A page of bills with one kind of problem with their contacts, the newest bills first."""

    problem: Problem
    first: int
    after: str | None = None


class ContactProblem(Part, frozen=True, kw_only=True):
    """One contact of one bill, without its payer's name.

    ``hint`` shows the ends of the number or address. ``since``: when it was noted, None where that
    is how the bills stand. ``contracts``: how many have this contact, for ``shared``.
    """

    bill_id: BillId
    bill_number: str
    contact: Contact
    hint: str
    code: str
    since: datetime | None
    contracts: int = 1


class ContactProblemPage(Reply, frozen=True, kw_only=True):
    """One page of them."""

    problems: tuple[ContactProblem, ...]
    end_cursor: str | None
    has_next: bool


class ContactProblemCount(Part, frozen=True, kw_only=True):
    """How many there are of one kind, counted up to 10,000."""

    problem: Problem
    count: int


class ContactProblemCounts(Reply, frozen=True, kw_only=True):
    """How many there are of each kind."""

    counts: tuple[ContactProblemCount, ...]


class ClearContact(Request, frozen=True, kw_only=True):
    """A bill's number or address takes messages again, as staff found out.

    Refused: ``not_found``, ``contact_sound`` (nothing is held against it).
    """

    bill_id: BillId
    channel: Channel
    reason: ClearReason


LIST_CONTACT_PROBLEMS = Operation("list_contact_problems", ListContactProblems, ContactProblemPage)
COUNT_CONTACT_PROBLEMS = Operation("count_contact_problems", Nothing, ContactProblemCounts)
CLEAR_CONTACT = Operation("clear_contact", ClearContact, Done)
DENY_BILL = Operation("deny_bill", Nothing, Done)
"""The payer says that the bill of this page is not theirs."""
