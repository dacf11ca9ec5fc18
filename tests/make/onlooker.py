"""The owner of web looks on while people use it: what passes through his hands is his."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from portal.contract.bills import LIST_BILLS, BillFilter, BillRow, ListBills
from portal.contract.envelope import Authority, Nothing
from portal.contract.intake import LIST_IMPORTS, ListImports
from portal.contract.login import LIST_API_KEYS, REDEEM_LOGIN_TICKET, RedeemLoginTicket
from portal.contract.operator import OPEN_MERCHANT, OpenMerchant
from portal.contract.page import OPEN_LINK, OpenLink
from portal.domain.ids import ApiKeyId, CaseId, ImportId
from portal.stack.access import CODE
from portal.stack.postgres import VAULT
from tests.make.intruder import OTHER_CODE, Asked, Town


@dataclass(frozen=True, slots=True)
class Seen:
    """Authorities of two members of staff and two payers, and what these show."""

    owner: Authority
    other_owner: Authority
    payer: Authority
    other_payer: Authority
    bills: tuple[BillRow, ...]
    other_bills: tuple[BillRow, ...]
    import_id: ImportId
    api_key_id: ApiKeyId
    case_id: CaseId


def all_bills() -> ListBills:
    """The list as the dashboard asks for it."""
    return ListBills(filter=BillFilter(), search=None, order="created_desc", first=100, after=None)


def look_on(town: Town) -> Seen:
    """Two members of staff of two merchants log in, and two links are opened."""
    secrets = [link.rpartition("/")[2] for link in town.links()]
    grants: list[Asked] = [
        (REDEEM_LOGIN_TICKET, RedeemLoginTicket(ticket=town.ticket()), None),
        (REDEEM_LOGIN_TICKET, RedeemLoginTicket(ticket=town.ticket(OTHER_CODE)), None),
        (OPEN_LINK, OpenLink(merchant_code=CODE, secret=secrets[0]), None),
        (OPEN_LINK, OpenLink(merchant_code=CODE, secret=secrets[1]), None),
    ]
    given = town.calls("web", grants)
    owner, other, payer, other_payer = (
        outcome.read(op).authority for outcome, (op, _, _) in zip(given, grants, strict=True)
    )
    looks: list[Asked] = [
        (LIST_BILLS, all_bills(), owner),
        (LIST_BILLS, all_bills(), other),
        (LIST_IMPORTS, ListImports(first=10, after=None), owner),
        (LIST_API_KEYS, Nothing(), owner),
    ]
    shown = town.calls("web", looks)
    bills, other_bills, imports, keys = (
        outcome.read(op) for outcome, (op, _, _) in zip(shown, looks, strict=True)
    )
    return Seen(
        owner, other, payer, other_payer, bills.bills, other_bills.bills,
        imports.imports[0].id, keys.keys[0].id, town.do(_open_case(town, bills.bills[0].id)),
    )  # fmt: skip


async def _open_case(town: Town, bill_id: UUID) -> CaseId:
    """A case about a bill of the first merchant, as the vault's own role would open it.

    Several files look on in one town: a case that another one opened is taken as it is.
    """
    async with town.stack.operator() as vault:
        merchant = (await vault.call(OPEN_MERCHANT, OpenMerchant(code=CODE))).id
    assert town.stack.postgres is not None
    link = await town.stack.postgres.connect(VAULT)
    try:
        await link.execute(f"set harai.merchant = '{merchant}'")
        case_id: UUID = await link.fetchval(
            "insert into case_ (merchant_id, id, kind, subject_id, params, opened_at)"
            " values ($1, $2, 'late_success', $3, '{}', now())"
            " on conflict (merchant_id, kind, subject_id) where closed_at is null"
            " do update set params = case_.params returning id",
            merchant, uuid4(), bill_id,
        )  # fmt: skip
    finally:
        await link.close()
    return CaseId(case_id)
