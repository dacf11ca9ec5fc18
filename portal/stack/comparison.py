"""The companies' own journals against ours, each company's for itself, item by item.

Stack only; shared by the demo's check and the drills. A company without a single payment is
compared, too: whatever we say that it knows must be in its journal.
"""

from typing import Final

from portal.contract.operator import (
    COMPARE_JOURNAL,
    CompareJournal,
    JournalDifference,
    JournalLine,
)
from portal.stack.access import CODE
from portal.stack.payers import Journal
from portal.stack.up import Stack

COMPANIES: Final = (
    "sandbox_card", "sandbox_wallet", "sandbox_counter", "sandbox_agency", "bank_debit",
    "bank_transfer",
)  # fmt: skip
"""Companies that take payments of the demo's merchant, or give money back; a debit's provider is
its bank, and so is a transfer's."""

_LINES: Final = 5000
_PATIENCE_S: Final = 30.0


async def compare_journals(stack: Stack, journal: Journal) -> list[str]:
    """Every difference in words; none when both sides agree about each payment.

    A payment of a company that is not in COMPANIES is a difference by itself.
    """
    return [str(one) for one in await find_differences(stack, journal)]


async def find_differences(stack: Stack, journal: Journal) -> list[JournalDifference]:
    """The same for programs, which tell them apart by code."""
    found = [
        JournalDifference(reference=one.reference, code="company_unknown", theirs=one.provider)
        for one in (*journal.payments, *journal.refunds)
        if one.provider not in COMPANIES
    ]
    for company in COMPANIES:
        found += await _compare(stack, journal, company)
    return found


async def _compare(stack: Stack, journal: Journal, company: str) -> list[JournalDifference]:
    lines = [
        JournalLine(
            reference=one.reference,
            state=one.state,
            amount_minor=one.amount,
            taken_back_minor=one.taken_back,
            dispute=one.dispute,
        )
        for one in journal.payments
        if one.provider == company
    ]
    pieces = [lines[start : start + _LINES] for start in range(0, len(lines), _LINES)] or [[]]
    refunds = tuple(one.line for one in journal.refunds if one.provider == company)
    found: list[JournalDifference] = []
    async with stack.operator() as vault:
        for piece in pieces:
            is_last = piece is pieces[-1]
            request = CompareJournal(
                merchant_code=CODE,
                provider=company,
                lines=tuple(piece),
                last=is_last,
                refunds=refunds if is_last else (),
            )
            compared = await vault.call(COMPARE_JOURNAL, request, timeout_s=_PATIENCE_S)
            found += compared.differences
    return found
