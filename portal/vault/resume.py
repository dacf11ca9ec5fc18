"""Data zone: the live tries that stand in the way of a new one: gone back to, or given up."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from portal.contract.payment import StartPayment
from portal.domain import payment as rules
from portal.domain.card_payment import may_be_taken, may_begin_anew
from portal.domain.errors import Conflict
from portal.domain.number import METHOD as NUMBER
from portal.vault.act import Act
from portal.vault.attempt import Attempt, emit_attempt, find_all_live, move, store_attempt
from portal.vault.card_charge import has_left
from portal.vault.card_payment import forget_order
from portal.vault.payee import Payee


async def lives_of(act: Act, payee: Payee, shares: Mapping[UUID, int]) -> list[Attempt]:
    """The tries by which money may still come for any of the bills."""
    if len(shares) > 1:
        return await find_all_live(act, list(shares))
    return [] if payee.live is None else [payee.live]


async def resume(
    act: Act, lives: Sequence[Attempt], shares: Mapping[UUID, int], request: StartPayment
) -> Attempt | None:
    """The live try, if the payer may go back to its page; None when there is none any more.

    It may be given up for a new one only where the locks cover all that it pays: where nobody can
    have its page, or nothing is paid there without a last step of ours that was not taken. Not
    while its company may be charging a card that it keeps: that needs no page.

    Raises: Conflict ``attempt_running``, ``attempt_elsewhere``.
    """
    if not lives:
        return None
    live = lives[0]
    if live.card_payment == "secured":
        raise Conflict("attempt_running", params={"state": live.state})
    if len(lives) == 1 and live.state == "requires_action":
        has_page = bool(live.instrument.redirect_url or live.instrument.number)
        # A number that we don't have may be in somebody's hand all the same.
        is_nowhere = not has_page and live.method != NUMBER
        is_ours = may_begin_anew(live.provider, live.card_payment)
        is_over = (is_nowhere or is_ours) and not await _may_be_taken(act, live)
        if is_over and live.parts.keys() <= shares.keys():
            await _supersede(act, live)
            return None
        is_same = live.method == request.method and live.parts == shares
        if has_page and not (is_same and (live.card_payment is not None) == request.kept):
            raise Conflict("attempt_elsewhere", params={"method": live.method})
        if has_page:
            return live
    raise Conflict("attempt_running", params={"state": live.state})


async def _may_be_taken(act: Act, live: Attempt) -> bool:
    is_led = bool(live.instrument.redirect_url)
    waited = (live.heard_at or live.doubt_at) - live.doubt_at
    return may_be_taken(is_led=is_led, waited=waited) and await has_left(act, live)


async def _supersede(act: Act, live: Attempt) -> None:
    """Give up a try by which nobody can pay any more."""
    edge = rules.advance(live.state, "supersede")
    given_up = await store_attempt(act, move(act, live, edge.state, "superseded"))
    await emit_attempt(act, given_up, edge.code)
    await forget_order(act, live)
