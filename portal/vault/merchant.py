"""Data zone: the merchant that an act is about, as screens show it, and who moves its money."""

from typing import Final

from portal.contract.login import MerchantFacts
from portal.domain.errors import InvariantBroken
from portal.domain.ids import MerchantId
from portal.vault.act import Act
from portal.vault.db import Row

PROVIDER_COLUMNS: Final = {
    "card": "card_provider",
    "wallet": "wallet_provider",
    "number": "number_provider",
}
"""Method → the merchant's column that names its provider; empty where there is none."""


def providers_of(row: Row) -> dict[str, str]:
    """Method → provider, for the methods that a merchant has one for.

    ``row`` has all columns of PROVIDER_COLUMNS.
    """
    named = {method: row[column] for method, column in PROVIDER_COLUMNS.items()}
    return {method: provider for method, provider in named.items() if provider}


async def code_of(act: Act) -> str:
    """The public code of the current merchant."""
    code: str = await act.db.fetchval("select code from merchant where id = $1", act.merchant_id)
    return code


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


def facts_beside(act: Act, row: Row) -> MerchantFacts:
    """Facts of the current merchant from a row that has its columns beside another's."""
    return MerchantFacts(
        id=MerchantId(act.merchant_id),
        code=row["code"],
        name=row["name"],
        zone=row["zone"],
        sms_sender=row["sms_sender"],
        phone=row["phone"],
        website=row["website"],
    )
