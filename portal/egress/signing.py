"""What a rule says of who signs its requests; part of the signed file.

Zone: egress; pure. See ``portal.egress.rules``; the signatures are in ``portal.egress.signers``.
"""

import re
from collections.abc import Iterator
from typing import Final, Literal

import msgspec

SCOPE_PART: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,31}", re.ASCII)
"""A region or a service, as AWS writes them."""


class Signer(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Who signs a rule's requests, and the names of the credentials that it signs with.

    See ``portal.egress.signers``. ``key`` tells the company who signed and ``secret`` proves it;
    neither may stand in a placeholder of any rule. ``aws4`` signs for one ``service`` in one
    ``region``, as AWS names them; no other signer has these.
    """

    name: Literal["opa", "aws4"]
    key: str
    secret: str
    region: str = ""
    service: str = ""

    def faults(self) -> Iterator[str]:
        """What of it breaks its own terms."""
        if self.key == self.secret:
            yield "signer: one credential for both"
        said = (self.region, self.service)
        if self.name != "aws4" and any(said):
            yield "signer: a region and a service are for aws4"
        if self.name == "aws4" and not all(SCOPE_PART.fullmatch(part) for part in said):
            yield "signer: aws4 signs for a region and a service"
