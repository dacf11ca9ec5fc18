"""Merchant schema, contacts: those that reach nobody or somebody else, and clearing one.

Zone: application. No name stands in the list: a number's ends and the bill's number are enough.
"""

import strawberry

from portal.application.doors.graphql import digital_enums as words
from portal.application.doors.graphql import enums
from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.schema import (
    VAULT_CALL,
    DateTime,
    Info,
    PageEnd,
    PageInfo,
    by,
    page_size,
    plain,
)
from portal.contract.envelope import Done, Nothing
from portal.contract.hygiene import (
    CLEAR_CONTACT,
    COUNT_CONTACT_PROBLEMS,
    LIST_CONTACT_PROBLEMS,
    ClearContact,
    ContactProblemPage,
    ListContactProblems,
)
from portal.contract.hygiene import ContactProblem as ProblemPart
from portal.contract.hygiene import ContactProblemCount as CountPart
from portal.domain.ids import BillId, from_public, to_public


def _bill_id(problem: strawberry.Parent[ProblemPart]) -> strawberry.ID:
    return strawberry.ID(to_public("bill", problem.bill_id))


def _kind(problem: strawberry.Parent[ProblemPart]) -> words.ContactKind:
    return words.ContactKind(problem.contact)


@strawberry.type(description="What is the matter with one contact of one bill.")
class ContactProblem:
    """portal.contract.hygiene.ContactProblem."""

    bill_id: strawberry.ID = by(_bill_id, "`bill_…`: the newest bill that goes there.")
    bill_number: str = plain("The merchant's number of that bill.")
    contact: words.ContactKind = by(_kind, "What it is.")
    hint: str = plain("The ends of the number or address; empty where there is none.")
    code: str = plain("What was said or found, a code.")
    since: DateTime | None = plain("When it was noted.")
    contracts: int = plain("How many contracts have this contact, where that is the matter.")


def _nodes(page: strawberry.Parent[ContactProblemPage]) -> tuple[ProblemPart, ...]:
    return page.problems


def _page_end(page: strawberry.Parent[ContactProblemPage]) -> PageEnd:
    return PageEnd(has_next_page=page.has_next, end_cursor=page.end_cursor)


@strawberry.type(description="A page of contacts with one kind of problem, newest first.")
class ContactProblemConnection:
    """portal.contract.hygiene.ContactProblemPage."""

    nodes: list[ContactProblem] = by(_nodes, "The contacts.")
    page_info: PageInfo = by(_page_end, "Where this page ends.")


async def list_problems(
    info: Info, problem: words.ContactProblemKind, first: int, after: str | None = None
) -> ContactProblemPage:
    """A page of contacts; every one counts as customer data seen."""
    request = ListContactProblems(problem=problem.value, first=page_size(first), after=after)
    return await info.context.call(LIST_CONTACT_PROBLEMS, request)


def _problem(count: strawberry.Parent[CountPart]) -> words.ContactProblemKind:
    return words.ContactProblemKind(count.problem)


@strawberry.type(description="How many contacts have one kind of problem.")
class ContactProblemCount:
    """portal.contract.hygiene.ContactProblemCount."""

    problem: words.ContactProblemKind = by(_problem, "The kind.")
    count: int = plain("How many, counted up to 10,000.")


async def count_problems(info: Info) -> tuple[CountPart, ...]:
    """How many there are of each kind."""
    return (await info.context.look(COUNT_CONTACT_PROBLEMS, Nothing())).counts


@strawberry.type
class ContactsQuery:
    """Contacts that reach nobody, or somebody else."""

    contact_problems: ContactProblemConnection = by(
        list_problems, "Contacts with one kind of problem.", cost=VAULT_CALL
    )
    contact_problem_counts: list[ContactProblemCount] = by(
        count_problems, "How many contacts have which problem.", cost=VAULT_CALL
    )


@strawberry.input(description="Messages may go to a bill's contact again.")
class ContactClearInput:
    """portal.contract.hygiene.ClearContact."""

    id: strawberry.ID = plain("`bill_…`; it holds for its number or address.")
    channel: enums.MessageChannel = plain("By what messages go there.")
    reason: words.ContactClearReason = plain("Why.")


def _was_done(outcome: strawberry.Parent[Outcome[Done]]) -> bool:
    return outcome.entity is not None


@strawberry.type(description="Whether the contact was cleared, or why not.")
class ContactClearPayload:
    """Outcome of contactClear."""

    cleared: bool = by(_was_done, "True when the next message goes there.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def clear_contact(info: Info, input: ContactClearInput) -> Outcome[Done]:  # noqa: A002 - the argument's name in the schema
    """Staff's act."""

    async def act() -> Done:
        request = ClearContact(
            bill_id=BillId(from_public("bill", input.id)),
            channel=input.channel.value,
            reason=input.reason.value,
        )
        return await info.context.call(CLEAR_CONTACT, request)

    return await outcome_of(info, act())


@strawberry.type
class ContactsMutation:
    """What staff do about contacts."""

    contact_clear: ContactClearPayload = by(
        clear_contact, "Let messages go to a contact again.", cost=VAULT_CALL
    )
