"""A merchant whose calls say its own words: written by a clerk, approved by an owner."""

from dataclasses import dataclass

from portal.contract.template import (
    ASK_TEMPLATE,
    DECIDE_TEMPLATE,
    SAVE_TEMPLATE,
    AskTemplate,
    DecideTemplate,
    SaveTemplate,
    TemplateVersion,
)
from portal.domain.template_state import TemplateDecision
from portal.vault.server import VaultServer
from tests.make.money import World
from tests.make.refunds import Member, member
from tests.make.vault import Ground
from tests.make.workshop import MERCHANT, Workshop


@dataclass
class Wording:
    """Who writes what calls say, and who agrees to it."""

    clerk: Member
    owner: Member

    async def in_force(self, greeting: str, told: str) -> TemplateVersion:
        """What is said from now on in calls about a bill that is not overdue, in Japanese."""
        web, clerk = self.clerk.world.web, self.clerk.authority
        save = SaveTemplate(
            template_id=None,
            version=0,
            channel="voice",
            language="ja",
            occasion="reminder",
            subject=greeting,
            body=told,
            idempotency_key=f"save {greeting}",
        )
        draft = (await web.call(SAVE_TEMPLATE, save, clerk)).template
        ask = AskTemplate(
            template_id=draft.id, version=draft.version, idempotency_key=f"ask {draft.id}"
        )
        asked = (await web.call(ASK_TEMPLATE, ask, clerk)).template
        return await self.decide(asked, "approve")

    async def decide(self, version: TemplateVersion, decision: TemplateDecision) -> TemplateVersion:
        """The owner's word about a version."""
        await self.owner.let_codes_be_fresh()
        request = DecideTemplate(
            template_id=version.id,
            decision=decision,
            totp=self.owner.code(),
            idempotency_key=f"{decision} {version.id}",
        )
        web = self.owner.world.web
        return (await web.call(DECIDE_TEMPLATE, request, self.owner.authority)).template


async def have_wording(shop: Workshop, ground: Ground, server: VaultServer) -> Wording:
    """Two members of staff, logged in."""
    operator, work = await ground.client("operator"), await ground.client("work")
    [merchant] = await shop.rows("select id from merchant")
    world = World(server, shop.web, work, operator, MERCHANT, merchant["id"])
    return Wording(await member(world, "ryo", "clerk"), await member(world, "second"))
