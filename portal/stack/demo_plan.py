"""The demo merchant's plan of messages: telephones ring and browsers remind, too. Stack only."""

from typing import Final

from portal.contract.client import VaultClient
from portal.contract.ladder import SET_LADDER, SetLadder
from portal.domain.ladder import Hours, Plan, Rung
from portal.domain.ladder_plan import write_plan
from portal.stack.install import DEMO_CODE

PLAN: Final = Plan(
    ladders={
        "": (
            Rung(when="issue", channel="sms"),
            Rung(when="after_issue", days=3, channel="email", unless="opened"),
            Rung(when="after_issue", days=5, channel="voice", unless="opened"),
            Rung(when="before_due", days=3, channel="push"),
            Rung(when="before_due", days=2, channel="sms"),
            Rung(when="after_due", days=2, channel="sms"),
            Rung(when="after_failure", channel="sms"),
        )
    },
    hours=Hours(quiet_from=Hours().quiet_until),
)
"""At any hour: people look at demos at night, and a check runs at any."""


async def set_demo_plan(vault: VaultClient) -> None:
    """Let it hold for the bills to come; the same again changes nothing."""
    await vault.call(SET_LADDER, SetLadder(merchant_code=DEMO_CODE, plan=write_plan(PLAN)))
