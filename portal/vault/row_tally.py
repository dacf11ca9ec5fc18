"""Data zone, stage "intake": what became of the rows of one chunk, and who has which number.

Of rows with one number the earliest line has it, whatever else becomes of that line: in its chunk
(here), among what other chunks stored (portal.vault.operations.intake_rows), and among what gave
its bill up again (portal.vault.claims).
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from portal.domain.ids import to_public
from portal.domain.intake.row import BillRequest, Fault, shown
from portal.vault.db import Row
from portal.vault.splitter import SealedBill, Verdicts
from portal.vault.waits import UNDECIDED

if TYPE_CHECKING:
    from uuid import UUID


def duplicate(request: BillRequest, first_line: int) -> Fault:
    """The fault of a row whose key stands on an earlier line of its file."""
    return Fault(
        request.line, "number", "duplicate_in_file", {"line": first_line}, shown(request.number)
    )


class RowTally:
    """What one chunk changes in its import. Counts are rows; ``displaced`` were good before.

    ``lost``: bills whose number an earlier line of the file has, and that line. ``renamed``: lines
    that lost a number, and the earlier ones that have it now. ``claims``: see portal.vault.claims;
    ``faults_gone``: how many faults of a code that were stored before are told no more.
    """

    def __init__(self, verdicts: Verdicts) -> None:
        """Begin with what the rows themselves said."""
        self.faults = verdicts.faults
        self.faulty = verdicts.faulty
        self.good = 0
        self.known = 0
        self.amount_minor = 0
        self.displaced = 0
        self.stored: set[UUID] = set()
        self.lost: dict[UUID, int] = {}
        self.doubles: dict[UUID, list[SealedBill]] = {}
        self.waits_for: Counter[UUID] = Counter()
        self.renamed: dict[int, int] = {}
        self.claims: dict[str, int] = {}
        self.faults_gone: Counter[str] = Counter()

    def refuse(self, fault: Fault) -> None:
        """Note the one fault of a row."""
        self.faults.append(fault)
        self.faulty += 1

    def lose(self, bill: SealedBill, line: int) -> None:
        """Refuse a row whose number an earlier line has."""
        self.refuse(duplicate(bill.request, line))
        self.lost[bill.id] = line

    def keep_first(self, bills: Sequence[SealedBill]) -> list[SealedBill]:
        """Of these, in the order of their lines, the first with each key; in the order of keys."""
        first: dict[tuple[str, bytes, str, str], SealedBill] = {}
        for bill in bills:
            has_it = first.setdefault(bill.key, bill)
            if has_it is not bill:
                self.doubles.setdefault(has_it.id, []).append(bill)
        return [first[key] for key in sorted(first)]

    def lose_doubles(self, firsts: Sequence[SealedBill]) -> list[SealedBill]:
        """Refuse rows after those with their number; those of numbers that no row of the file has.

        These are another import's, or were canceled: they are judged like the first of them.
        """
        others: list[SealedBill] = []
        for first in firsts:
            doubles = self.doubles.get(first.id, [])
            if first.id not in self.stored and first.id not in self.lost:
                others += doubles
                continue
            for bill in doubles:
                self.lose(bill, self.lost.get(first.id, first.request.line))
        return others

    def compare(self, request: BillRequest, there: Row) -> None:
        """A request that came with an earlier import: known, or known with another content.

        Whoever sends a bill again that was extended since sends its first due date, or the new one.
        """
        value = shown(request.number)
        if there["lifecycle"] in {"canceling", "canceled", "superseded"}:
            self.refuse(Fault(request.line, "number", "known_canceled", {}, value))
            return
        is_undecided = there["import_state"] in UNDECIDED
        if is_undecided:
            self.waits_for[there["import_id"]] += 1
        is_due_then = request.due_on in {there["due_on"], there["first_due_on"]}
        if is_due_then and there["amount_minor"] == request.amount_minor:
            self.known += 1
            return
        params: dict[str, str | int] = {
            "amount": there["amount_minor"], "due": there["due_on"].isoformat()
        }  # fmt: skip
        if is_undecided:
            params["import"] = to_public("import", there["import_id"])
        code = "known_undecided" if is_undecided else "known_differs"
        self.refuse(Fault(request.line, "number", code, params, value))

    def take_canceled(self, request: BillRequest, there: Row) -> None:
        """A bill of this file that staff canceled before the decision keeps its line's place."""
        if there["line"] == request.line:  # a second look at the same row
            self.good += 1
            self.amount_minor += there["amount_minor"]
        else:
            value = shown(request.number)
            self.refuse(Fault(request.line, "number", "known_canceled", {}, value))

    def faults_by_code(self) -> Counter[str]:
        """Rows by the code of their fault; less than nothing where a stored one is told no more."""
        found = Counter(code for _, code in {(fault.line, fault.code) for fault in self.faults})
        found.subtract(self.faults_gone)
        return found
