"""Calls of the protocol type, and what the company calls us. Application zone; pure."""

from typing import Final
from urllib.parse import urlencode

from portal.application.providers.exchange import Endpoint
from portal.domain.errors import InvariantBroken
from portal.kit.outbound.wire import OutboundRequest

_WITHOUT_SITE: Final = 2
_WITH_SITE: Final = 3


def account(endpoint: Endpoint) -> tuple[str, str, str]:
    """The ids of the shop, of its page's settings and of the site; "" where we have no site.

    A site is where the company keeps cards, for all shops that belong to it.

    Raises: InvariantBroken ``provider_unconfigured``.
    """
    if len(endpoint.account) not in {_WITHOUT_SITE, _WITH_SITE}:
        context = f"{endpoint.host} needs /shop id/settings id[/site id] behind its port"
        raise InvariantBroken("provider_unconfigured", context=context)
    shop, page, site = (*endpoint.account, "")[:_WITH_SITE]
    return shop, page, site


def post(endpoint: Endpoint, act: str, fields: dict[str, str], timeout_s: float) -> OutboundRequest:
    """A call of the protocol type. All that we send is ASCII, whatever the charset."""
    return OutboundRequest(
        host=endpoint.host,
        port=endpoint.port,
        method="POST",
        path=f"/payment/{act}.idPass",
        headers={},
        body=urlencode(fields),
        body_kind="form",
        timeout_s=timeout_s,
    )
