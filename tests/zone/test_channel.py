from portal.contract.envelope import Nothing
from portal.contract.login import VIEW_VIEWER
from portal.contract.operator import OPEN_MERCHANT, OpenMerchant
from tests.make.vault import ClientFor, add_staff, found_merchant, signed_in


async def test_a_caller_is_served_over_its_own_certificate(client_for: ClientFor) -> None:
    operator = await client_for("operator")
    await found_merchant(operator)
    opened = await operator.call(OPEN_MERCHANT, OpenMerchant(code="minato"))

    assert opened.merchant.name == "みなと電力"
    assert opened.merchant.code == "minato"


async def test_a_session_says_whom_it_stands_for(client_for: ClientFor) -> None:
    operator, web = await client_for("operator"), await client_for("web")
    await found_merchant(operator)
    await add_staff(operator)
    session = await signed_in(operator, web)

    viewer = await web.call(VIEW_VIEWER, Nothing(), session.authority)

    assert (viewer.name, viewer.email, viewer.role) == ("山田 花子", "hana@minato.example", "owner")
