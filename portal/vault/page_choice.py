"""Data zone: what the holder of a link may choose to pay on its page, and what they chose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from portal.contract.share import OtherBill, PaidShare, PartRange, ViewPage
from portal.domain.errors import PortalError
from portal.domain.share import BILLS_MAX, PartBounds, part_bounds, split
from portal.vault.act import Act
from portal.vault.attempt import Attempt, find_all_live
from portal.vault.db import Row
from portal.vault.share import Sibling, siblings_of

_BILLS: Final = """
select id, period, due_on from bill where merchant_id = $1 and id = any($2::uuid[])
order by due_on, id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a page offers to pay beside the whole bill, and what the payer chose of that.

    ``pay_minor`` is what it comes to. Units: minor units.
    """

    pay_minor: int
    part_minor: int | None = None
    others: tuple[OtherBill, ...] = ()
    part: PartRange | None = None
    refused: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is all that is left of the page's bill and nothing else."""
        return self.part_minor is None and not any(one.is_chosen for one in self.others)


async def read_choice(act: Act, row: Row, request: ViewPage) -> Choice:
    """The choice of a payer whose bill can be paid now; what can't be chosen is not.

    ``row``: the page's, which says whether there are other bills to choose at all.
    """
    bill_id: UUID = row["id"]
    left_minor: int = row["left_minor"]
    least_minor: int | None = row["part_least_minor"]
    siblings = await _free(act, await siblings_of(act, bill_id)) if row["has_others"] else []
    bounds = part_bounds(left_minor, least_minor)
    part = _range(bounds)
    chosen = [one for one in siblings if one.ref in request.also]
    left = {bill_id: left_minor} | {one.id: one.left_minor for one in chosen}
    refused = None
    if len(chosen) != len(set(request.also)) or len(left) > BILLS_MAX:
        refused = "other_not_payable"
    else:
        try:
            shares = split(bill_id, left, request.part_minor, least_minor)
        except PortalError as fault:
            refused = fault.code
        else:
            return Choice(
                pay_minor=sum(shares.values()),
                part_minor=request.part_minor,
                others=_others(siblings, left),
                part=part,
            )
    return Choice(pay_minor=left_minor, others=_others(siblings, {}), part=part, refused=refused)


async def _free(act: Act, siblings: Sequence[Sibling]) -> list[Sibling]:
    """Those by which no money may be coming already: offered, they would only be refused."""
    if not siblings:
        return []
    lives = await find_all_live(act, [one.id for one in siblings])
    busy = {bill_id for live in lives for bill_id in live.parts}
    return [one for one in siblings if one.id not in busy]


async def read_shares(act: Act, bill_id: UUID, attempt: Attempt | None) -> tuple[PaidShare, ...]:
    """What each bill gets of an attempt that pays several; of the others nothing personal."""
    if attempt is None or not attempt.shares:
        return ()
    rows = await act.db.fetch(_BILLS, act.merchant_id, list(attempt.shares))
    return tuple(
        PaidShare(
            period=row["period"],
            due_on=row["due_on"],
            amount_minor=attempt.shares[row["id"]],
            is_this=row["id"] == bill_id,
        )
        for row in rows
    )


def _range(bounds: PartBounds | None) -> PartRange | None:
    if bounds is None:
        return None
    return PartRange(least_minor=bounds.least_minor, most_minor=bounds.most_minor)


def _others(siblings: Sequence[Sibling], chosen: Mapping[UUID, int]) -> tuple[OtherBill, ...]:
    return tuple(
        OtherBill(
            ref=one.ref,
            period=one.period,
            due_on=one.due_on,
            amount_minor=one.left_minor,
            is_chosen=one.id in chosen,
        )
        for one in siblings
    )
