"""Data zone: the merchant that an act is about, as screens and pages show it."""

from portal.contract.login import MerchantFacts
from portal.domain.errors import InvariantBroken
from portal.domain.ids import MerchantId
from portal.vault.act import Act


async def merchant_facts(act: Act) -> MerchantFacts:
    """Facts of the current merchant. Raises: InvariantBroken ``merchant_missing``."""
    row = await act.db.fetchrow(
        "select id, code, name, zone, sms_sender, phone, website from merchant where id = $1",
        act.merchant_id,
    )
    if row is None:
        raise InvariantBroken("merchant_missing", context=str(act.merchant_id))
    return MerchantFacts(
        id=MerchantId(row["id"]),
        code=row["code"],
        name=row["name"],
        zone=row["zone"],
        sms_sender=row["sms_sender"],
        phone=row["phone"],
        website=row["website"],
    )
