"""No text that people type for us to keep holds a card number, in whatever dress it comes."""

from collections.abc import Awaitable, Callable

import pytest

from portal.contract.bills import CANCEL_BILL, CancelBill
from portal.contract.intake import CREATE_IMPORT, CreateImport
from portal.contract.login import CREATE_API_KEY, CreateApiKey
from portal.contract.operator import ADD_STAFF, FOUND_MERCHANT, AddStaff, FoundMerchant
from portal.domain.errors import InvalidInput
from portal.vault.server import VaultServer
from tests.make.intake import Desk, line, new_desk
from tests.make.vault import ClientFor

DRESSES = [
    "4242424242424242", "4242 4242 4242 4242", "4242.4242.4242.4242", "4242/4242/4242/4242",
    "4242_4242_4242_4242", "4242\u30fc4242\u30fc4242\u30fc4242", "\uff14\uff12" * 8,
    "3782-822463-10005",
]  # fmt: skip

Keep = Callable[[Desk, str], Awaitable[object]]


@pytest.fixture
async def desk(vault: VaultServer, client_for: ClientFor) -> Desk:
    return await new_desk(vault, client_for)


async def as_key_name(desk: Desk, text: str) -> object:
    request = CreateApiKey(name=text, scopes=("bills:read",), idempotency_key=desk.key())
    return await desk.web.call(CREATE_API_KEY, request, desk.staff)


async def as_filename(desk: Desk, text: str) -> object:
    request = CreateImport(filename=text, size_bytes=None, idempotency_key=desk.key())
    return await desk.web.call(CREATE_IMPORT, request, desk.staff)


async def as_reason(desk: Desk, text: str) -> object:
    number = f"E-{desk.key()}"
    await desk.take_in(line(number))
    bill = next(bill for bill in (await desk.bills()).bills if bill.number == number)
    request = CancelBill(
        bill_id=bill.id, version=bill.version, reason=text, idempotency_key=desk.key()
    )
    return await desk.web.call(CANCEL_BILL, request, desk.staff)


async def as_staff_name(desk: Desk, text: str) -> object:
    request = AddStaff(
        merchant_code=desk.code,
        name=text,
        email=f"{desk.key()}@example.jp",
        password="correct horse battery",
        role="clerk",
    )
    return await desk.operator.call(ADD_STAFF, request)


async def as_merchant_name(desk: Desk, text: str) -> object:
    request = FoundMerchant(
        code=desk.key().replace("-", ""),
        name=text,
        zone="Asia/Tokyo",
        sms_sender="0005123456",
        sms_provider="sandbox_sms",
        card_provider="sandbox_card",
        phone="0120-000-000",
        website="https://minato.example",
    )
    return await desk.operator.call(FOUND_MERCHANT, request)


@pytest.mark.parametrize(
    "keep", [as_key_name, as_filename, as_reason, as_staff_name, as_merchant_name]
)
async def test_a_card_number_is_not_kept(desk: Desk, keep: Keep) -> None:
    for text in DRESSES:
        with pytest.raises(InvalidInput, match="card_number_refused"):
            await keep(desk, f"x {text}")

        # The control: one wrong check digit, and the letter that the remedy asks for.
        assert await keep(desk, f"x {text[:-1]}{1 if text[-1] != '1' else 3}")
        assert await keep(desk, f"x {text[:9]}K{text[9:]}")


async def test_a_row_says_what_to_do_about_a_number_of_ones_own(desk: Desk) -> None:
    made = await desk.take_in(
        line("E-1", customer_no="4242.4242.4242.4242"),
        line("E-2", customer_no="4242424K242424242"),
        line("E-3", payer_name="4242/4242/4242/4242"),
    )

    faults = await desk.faults(made.id)
    assert [(fault.line, fault.column, fault.code) for fault in faults] == [
        (2, "customer_no", "card_number_refused"),
        (4, "payer_name", "card_number_refused"),
    ]
    assert {fault.value for fault in faults} == {"***************4242"}
    assert made.rows_good == 1
