"""Messages from the file to the phone: real vault, real relay, real companies at the other end."""

from portal.domain.sms import BillText
from tests.make.vault import Ground, VaultServer
from tests.make.workshop import Workshop, a_workshop, phones

SENDING = {"message.send_chunk"}


async def test_a_file_becomes_messages_at_the_carrier_once_each(
    ground: Ground, vault: VaultServer
) -> None:
    async with a_workshop(ground) as shop:
        import_id = await shop.issued(phones(230))
        await shop.work_off(SENDING)

        taken = shop.texts()
        assert len(taken) == 230
        assert len({row["reference"] for row in taken}) == 230
        assert {row["recipient"] for row in taken} == {f"+81901{n:07}" for n in range(230)}
        assert (await shop.view(import_id)).rows_issued == 230
        assert await shop.hints() == []
