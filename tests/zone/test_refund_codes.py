"""Codes that prove who asks for a refund, and who approves one or a file of bank debits."""

import asyncio

import pytest

from portal.domain.errors import NotAllowed
from portal.vault.server import VaultServer
from tests.make.bank import new_desk
from tests.make.money import new_world
from tests.make.refunds import member, new_counter, paid
from tests.make.vault import ClientFor


async def test_a_right_code_behind_many_wrong_ones_at_once_is_locked_out(
    vault: VaultServer, client_for: ClientFor
) -> None:
    """Each wrong code is counted before the next is looked at; the last gets no connection before
    many others had theirs."""
    counter = await new_counter(await new_world(vault, client_for))
    bill, attempt = await paid(counter.world)
    right = counter.owner.code()
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    counter.codes_are_fresh = False

    tries = [counter.ask(bill, attempt, 100, totp=code) for code in [wrong] * 40 + [right]]
    said = await asyncio.gather(*tries, return_exceptions=True)

    assert {getattr(one, "code", "accepted") for one in said[:-1]} == {"totp_refused"}
    assert getattr(said[-1], "code", "accepted") == "login_locked"
    assert not await counter.world.rows("select state from refund")


async def test_approving_needs_a_fresh_code_and_a_wrong_one_counts(
    vault: VaultServer, client_for: ClientFor
) -> None:
    counter = await new_counter(await new_world(vault, client_for))
    second = await member(counter.world, "second")
    bill, attempt = await paid(counter.world)
    await counter.limit(0)
    refund = await counter.ask(bill, attempt, 100)
    counter.codes_are_fresh = False

    for code in ("", f"{(int(second.code()) + 1) % 1_000_000:06d}", counter.owner.code()):
        with pytest.raises(NotAllowed, match="totp_refused"):
            await counter.decide(refund, by=second, totp=code)
    assert await counter.state(refund) == "requested"
    assert await counter.world.value("select max(failures) from staff") == 3

    assert (await counter.decide(refund, by=second)).state == "reserved"
    # A repeat of the same form is the same act and needs no other code.
    assert (await counter.decide(refund, by=second)).state == "reserved"
    # Withdrawing gives nothing away and needs none.
    assert (await counter.decide(refund, "withdraw", key="w", totp="")).state == "withdrawn"


async def test_approving_a_debit_file_needs_a_fresh_code_of_that_owner(
    vault: VaultServer, client_for: ClientFor
) -> None:
    desk = await new_desk(await new_world(vault, client_for))
    await desk.debtor()
    one = await desk.build()
    await desk.worked()
    await desk.owner.let_codes_be_fresh()

    wrong = f"{(int(desk.owner.code()) + 1) % 1_000_000:06d}"
    for code in ("", wrong, desk.builder.code()):
        with pytest.raises(NotAllowed, match="totp_refused"):
            await desk.rule(one, totp=code)
    with pytest.raises(NotAllowed, match="not_allowed"):
        await desk.rule(one, by=desk.builder, totp=desk.builder.code())
    assert (await desk.seen(one)).state == "sealed"
    assert await desk.world.value("select max(failures) from staff") == 3

    code = desk.owner.code()
    assert (await desk.rule(one, key="yes", totp=code)).state == "approved"
    # A repeat of the same form is the same act; another act by the same code is refused.
    assert (await desk.rule(one, key="yes", totp=code)).state == "approved"
    # Discarding asks no bank for money and needs none.
    assert (await desk.rule(one, "discard", totp="")).state == "discarded"
    assert await desk.world.value("select max(failures) from staff") == 0
