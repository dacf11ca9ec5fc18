"""Who stands at the door in tests of the application alone: sessions that no vault has minted.

They pass the doors, which only decode them; a vault would refuse every one of them.
"""

import secrets
from uuid import uuid4

import httpx
from starlette.requests import Request
from starlette.responses import Response

from portal.application.doors.session import print_api_key
from portal.contract.envelope import Authority
from portal.contract.login import MerchantFacts, Role, SignedIn
from portal.domain.ids import MerchantId, StaffId
from tests.make.web import ORIGIN, Web

LIFE_S = 3600


def an_authority(web: Web, life_s: int = LIFE_S) -> Authority:
    end = int(web.doors.clock.wall().timestamp()) + life_s
    return Authority(
        capability=secrets.token_bytes(120), key=secrets.token_bytes(32), expires_at=end
    )


def merchant_facts(code: str = "mizu") -> MerchantFacts:
    return MerchantFacts(
        id=MerchantId(uuid4()),
        code=code,
        name="Mizu",
        zone="Asia/Tokyo",
        sms_sender="0005",
        phone="0120",
        website="https://mizu.example",
    )


def staff_browser(web: Web, authority: Authority, *, role: Role = "owner") -> httpx.AsyncClient:
    """A browser that is logged in with this authority."""
    response = Response()
    facts = merchant_facts()
    signed_in = SignedIn(authority=authority, staff_id=StaffId(uuid4()), role=role, merchant=facts)
    web.doors.sessions.sign_in(response, signed_in)
    return _holding(web, response)


def payer_browser(web: Web, authority: Authority, page_ref: str) -> httpx.AsyncClient:
    """A browser that opened one link."""
    response = Response()
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": []})
    web.doors.sessions.open_page(
        request, response, authority, merchant_code="mizu", page_ref=page_ref
    )
    return _holding(web, response)


def system(web: Web, authority: Authority, code: str = "mizu") -> httpx.AsyncClient:
    """A merchant's system with its key."""
    key = print_api_key(code, authority)
    return web.browser(headers={"authorization": f"Bearer {key}"})


def _holding(web: Web, response: Response) -> httpx.AsyncClient:
    line = response.headers["set-cookie"].split(";")[0]
    return web.browser(headers={"cookie": line, "origin": ORIGIN})
