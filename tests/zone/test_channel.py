import asyncio
import socket

import pytest

from portal.contract.client import VaultClient
from portal.contract.envelope import FRAME_BYTES_MAX, Nothing
from portal.contract.intake import STORE_PART, StorePart
from portal.contract.login import LIST_API_KEYS, VIEW_VIEWER, SignedIn
from portal.contract.operator import OPEN_MERCHANT, OpenMerchant
from portal.contract.work import AWAIT_WORK, AwaitWork
from portal.domain.errors import InvariantBroken, NotAllowed, NotFound, TryLater, Unknown
from portal.domain.ids import ImportId
from portal.kit.crypto import client_context
from portal.vault.registry import REGISTRY, caller_operations
from portal.vault.server import VaultServer
from tests.make.acts import SUBJECT
from tests.make.vault import ClientFor, Ground, add_staff, found_merchant, signed_in

MINATO = OpenMerchant(code="minato")


@pytest.fixture
async def operator(client_for: ClientFor) -> VaultClient:
    client = await client_for("operator")
    await found_merchant(client)
    return client


@pytest.fixture
async def session(client_for: ClientFor, operator: VaultClient) -> SignedIn:
    await add_staff(operator)
    return await signed_in(operator, await client_for("web"))


async def test_a_caller_is_served_over_its_own_certificate(operator: VaultClient) -> None:
    opened = await operator.call(OPEN_MERCHANT, MINATO)

    assert (opened.merchant.name, opened.merchant.code) == ("みなと電力", "minato")


async def test_a_session_says_whom_it_stands_for(client_for: ClientFor, session: SignedIn) -> None:
    web = await client_for("web")

    viewer = await web.call(VIEW_VIEWER, Nothing(), session.authority)

    assert (viewer.name, viewer.email, viewer.role) == ("山田 花子", "hana@minato.example", "owner")


async def test_errors_arrive_as_what_the_caller_should_do(
    client_for: ClientFor, operator: VaultClient
) -> None:
    with pytest.raises(NotFound) as unknown:
        await operator.call(OPEN_MERCHANT, OpenMerchant(code="nobody"))
    web = await client_for("web")
    with pytest.raises(NotAllowed):
        await web.call(OPEN_MERCHANT, MINATO)

    assert (unknown.value.code, unknown.value.params) == ("merchant_unknown", {})


async def test_a_call_that_waits_holds_up_no_other_on_its_channel(
    client_for: ClientFor,
) -> None:
    work = await client_for("work")
    waiting = asyncio.create_task(work.call(AWAIT_WORK, AwaitWork(wait_s=20, at_most=1)))
    await asyncio.sleep(0.1)

    answers = await asyncio.gather(
        *(work.call(AWAIT_WORK, AwaitWork(wait_s=0, at_most=1)) for _ in range(20))
    )

    assert [answer.tasks for answer in answers] == [()] * 20
    assert not waiting.done()
    waiting.cancel()


async def test_hundreds_of_calls_at_once_get_each_its_own_answer(
    operator: VaultClient,
) -> None:
    codes = [f"mer{number}" for number in range(20)]
    for code in codes:
        await found_merchant(operator, code)

    opened = await asyncio.gather(
        *(operator.call(OPEN_MERCHANT, OpenMerchant(code=code)) for code in codes * 20)
    )

    assert [one.merchant.code for one in opened] == codes * 20


async def test_no_answer_in_time_means_unknown_and_the_channel_goes_on(
    client_for: ClientFor,
) -> None:
    work = await client_for("work")

    with pytest.raises(Unknown, match="vault_timed_out"):
        await work.call(AWAIT_WORK, AwaitWork(wait_s=5, at_most=1), timeout_s=0.2)

    assert (await work.call(AWAIT_WORK, AwaitWork(wait_s=0, at_most=1))).tasks == ()


async def test_a_lost_vault_leaves_calls_unknown_then_away_and_a_new_one_is_found(
    ground: Ground,
) -> None:
    async with ground.vault() as first:
        work = await ground.client("work")
        waiting = asyncio.create_task(work.call(AWAIT_WORK, AwaitWork(wait_s=20, at_most=1)))
        async with asyncio.timeout(20):
            while not any(channel._calls for channel in first._host.channels):  # noqa: ASYNC110 - seen from outside
                await asyncio.sleep(0.01)
        for channel in list(first._host.channels):
            channel.close()
        with pytest.raises(Unknown, match="vault_lost"):
            await waiting

    with pytest.raises(TryLater, match="vault_away"):
        await work.call(AWAIT_WORK, AwaitWork(wait_s=0, at_most=1))
    async with ground.vault():
        for _ in range(60):
            if await _is_served(work):
                return
            await asyncio.sleep(0.1)
    pytest.fail("the client never came back")


async def _is_served(work: VaultClient) -> bool:
    try:
        await work.call(AWAIT_WORK, AwaitWork(wait_s=0, at_most=1))
    except TryLater:
        return False
    return True


async def test_a_stopping_vault_answers_what_it_has_begun(ground: Ground) -> None:
    async with ground.vault():
        operator = await ground.client("operator")
        calls = [asyncio.create_task(found_merchant(operator, f"m{n}00")) for n in range(12)]
        await asyncio.sleep(0.02)

    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    async with ground.vault():
        for number, outcome in enumerate(outcomes):
            again = await ground.client("operator")
            opened = again.call(OPEN_MERCHANT, OpenMerchant(code=f"m{number}00"))
            if isinstance(outcome, BaseException):
                assert isinstance(outcome, TryLater | Unknown)
                await asyncio.gather(opened, return_exceptions=True)
            else:
                assert (await opened).merchant.code == f"m{number}00"


async def test_over_tcp_the_same_certificates_are_asked_for(ground: Ground) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"127.0.0.1:{port}"
    async with ground.vault(tcp=address):
        context = client_context(*ground.authority.zone("operator"), ground.authority.ca)
        client = await VaultClient.connect(address, context)
        await found_merchant(client)
        assert (await client.call(OPEN_MERCHANT, MINATO)).merchant.code == "minato"
        await client.close()

        stranger = client_context(*ground.authority.zone("dmz"), ground.authority.ca)
        with pytest.raises(TryLater, match="vault_away"):
            await VaultClient.connect(address, stranger, wait_s=0)


async def test_a_request_longer_than_a_frame_is_refused_before_it_is_sent(
    client_for: ClientFor, session: SignedIn
) -> None:
    web = await client_for("web")
    long = StorePart(import_id=ImportId(SUBJECT), offset=0, body=b"x" * FRAME_BYTES_MAX)

    with pytest.raises(InvariantBroken, match="request_too_large"):
        await web.call(STORE_PART, long, session.authority)

    assert (await web.call(LIST_API_KEYS, Nothing(), session.authority)).keys == ()


def test_callers_have_no_more_of_their_own_than_was_decided(vault: VaultServer) -> None:
    del vault
    assert caller_operations("web") == (
        "answer_call", "log_in", "open_link", "record_call", "record_notice",
        "record_slip_notice", "redeem_login_ticket", "stop_by_mail", "view_mandate_return",
        "view_return",
    )  # fmt: skip
    assert caller_operations("work") == ("await_work", "take_lease")
    assert caller_operations("egress") == (
        "deposit_card_step", "deposit_mandate_word", "deposit_payment_answer",
        "deposit_refund_answer", "forget_push",
        "give_debit_part", "keep_debit_result",
        "open_debit_result", "redeem_debit_file", "redeem_deliveries", "redeem_instrument",
        "redeem_payer",
        "redeem_refund", "return_refund",
    )  # fmt: skip
    assert caller_operations("operator") == (
        "add_staff", "compare_journal", "found_merchant", "inspect", "issue_login_ticket",
        "move_clock", "open_debit_contract", "open_merchant", "open_transfer_contract",
        "restart_case", "set_app",
        "set_bank_day", "set_card_policy", "set_channel",
        "set_charges", "set_ladder", "set_lapse", "set_message_prices", "set_number",
        "set_part_payment", "set_pause_limits", "set_refund_limit", "set_slip_terms",
        "set_wallet", "survey_tasks",
    )  # fmt: skip


def test_every_operation_of_the_contract_is_served_and_no_other(vault: VaultServer) -> None:
    import importlib  # noqa: PLC0415
    import pkgutil  # noqa: PLC0415

    from portal import contract  # noqa: PLC0415
    from portal.contract.envelope import Operation  # noqa: PLC0415

    del vault
    offered = {
        value.name: value
        for module in pkgutil.iter_modules(contract.__path__)
        for value in vars(importlib.import_module(f"portal.contract.{module.name}")).values()
        if isinstance(value, Operation)
    }

    assert {name: entry.op for name, entry in REGISTRY.items()} == offered
    assert all(entry.summary for entry in REGISTRY.values())
    revealing = [entry for entry in REGISTRY.values() if entry.audit == "reveal"]
    assert all(entry.reveals for entry in revealing)
