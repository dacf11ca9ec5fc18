"""Who is asking: staff of a merchant, its API keys, and leaving again."""

from datetime import datetime
from typing import Literal

from portal.contract.envelope import Authority, Done, Nothing, Operation, Part, Reply, Request
from portal.domain.ids import ApiKeyId, MerchantId, StaffId

Role = Literal["owner", "clerk"]
Scope = Literal["bills:read", "bills:write", "imports:write", "schema:read", "paper:print"]


class MerchantFacts(Part, frozen=True, kw_only=True):
    """What every screen and page says about the merchant; nothing here is personal."""

    id: MerchantId
    code: str
    name: str
    zone: str
    sms_sender: str
    phone: str
    website: str


class LogIn(Request, frozen=True, kw_only=True):
    """Password and a current TOTP code of one member of staff. Caller: web, no principal yet."""

    merchant_code: str
    email: str
    password: str
    totp: str


class RedeemLoginTicket(Request, frozen=True, kw_only=True):
    """A single-use ticket minted by an operator on this host (one-click log-in of the demo)."""

    ticket: str


class SignedIn(Reply, frozen=True, kw_only=True):
    """The authority goes into the browser's cookie, sealed; the application keeps no copy."""

    authority: Authority
    staff_id: StaffId
    role: Role
    merchant: MerchantFacts


class Viewer(Reply, frozen=True, kw_only=True):
    """Who the presented authority stands for. ``role`` is None for an API key.

    ``open_cases`` of the merchant wait for someone; keys are not told here.
    """

    name: str
    email: str
    role: Role | None
    scopes: tuple[Scope, ...]
    merchant: MerchantFacts
    open_cases: int = 0


class ApiKeyView(Part, frozen=True, kw_only=True):
    """An API key as the list shows it; its secret is shown once, at creation."""

    id: ApiKeyId
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


class CreateApiKey(Request, frozen=True, kw_only=True):
    """``scopes`` must not be empty."""

    name: str
    scopes: tuple[Scope, ...]
    idempotency_key: str


class ApiKeyCreated(Reply, frozen=True, kw_only=True):
    """``authority`` is the key itself: the door prints it once as ``harai_<code>_<base64url>``."""

    key: ApiKeyView
    authority: Authority


class ApiKeys(Reply, frozen=True, kw_only=True):
    """All keys of the merchant, newest first (100 at most)."""

    keys: tuple[ApiKeyView, ...]


class RevokeApiKey(Request, frozen=True, kw_only=True):
    """Revoking a revoked key changes nothing."""

    id: ApiKeyId


LOG_IN = Operation("log_in", LogIn, SignedIn)
REDEEM_LOGIN_TICKET = Operation("redeem_login_ticket", RedeemLoginTicket, SignedIn)
LOG_OUT = Operation("log_out", Nothing, Done)
VIEW_VIEWER = Operation("view_viewer", Nothing, Viewer)
CREATE_API_KEY = Operation("create_api_key", CreateApiKey, ApiKeyCreated)
LIST_API_KEYS = Operation("list_api_keys", Nothing, ApiKeys)
REVOKE_API_KEY = Operation("revoke_api_key", RevokeApiKey, Done)
