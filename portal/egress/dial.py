"""A connection to one of a name's judged addresses. Zone: egress.

What is dialled is the address that the relay's own resolver judged, never the name: there is no
second answer to rebind to.
"""

import asyncio
import socket

from portal.egress.denial import Denied
from portal.egress.resolve import Resolver
from portal.egress.rule import Rule


async def dial(resolver: Resolver, rule: Rule) -> socket.socket:
    """A connected socket to one of the rule's judged addresses, tried in their order.

    Each address has ``connect_timeout_s``. Raises: as Resolver.addresses; Denied
    ``connect_failed``.
    """
    loop = asyncio.get_running_loop()
    for address in await resolver.addresses(rule):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        dialled = socket.socket(family, socket.SOCK_STREAM)
        dialled.setblocking(False)  # noqa: FBT003  # socket's own signature
        try:
            async with asyncio.timeout(rule.connect_timeout_s):
                await loop.sock_connect(dialled, (address, rule.port))
        except OSError:
            dialled.close()
        except BaseException:
            dialled.close()
            raise
        else:
            return dialled
    raise Denied("connect_failed")
