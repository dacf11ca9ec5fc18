"""Data zone: what an act of a payer is about, and the secrets of addresses that payers follow.

A payer's authority is bound to one bill (``scope_id``); one that came from a return address is
narrowed further to one attempt (``subject``). Nothing a request says can widen that.
"""

import secrets
from base64 import b32encode
from typing import Final
from uuid import UUID

from portal.domain.errors import InvariantBroken, NotFound
from portal.vault.act import Act
from portal.vault.attempt import Attempt
from portal.vault.fields import Fields

_BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_CHARACTERS: Final = 22
_PAGE_REF_BYTES: Final = 10


def bill_of(act: Act) -> UUID:
    """The one bill of a payer's authority.

    Raises: InvariantBroken ``payer_unbound`` for an authority that the vault should not have made.
    """
    bill_id = act.capability.scope_id
    if act.capability.kind != "payer" or bill_id is None:
        raise InvariantBroken("payer_unbound")
    return bill_id


def require_own_attempt(act: Act, attempt: Attempt) -> None:
    """Refuse an attempt that does not pay the payer's bill, or not the one they returned with.

    Raises: NotFound ``not_found``, the same as for an attempt that does not exist.
    """
    bill_id = bill_of(act)
    if bill_id not in attempt.parts or act.capability.subject not in {bill_id, attempt.id}:
        raise NotFound("not_found", params={"kind": "attempt"})


async def enter_merchant(act: Act, code: str) -> bool:
    """Enter the merchant of a public code; for an unknown one enter nobody and say so."""
    return await act.act_for_code(code)


def page_ref_of(fields: Fields, bill_id: UUID) -> str:
    """The short public name of a bill's page: stable, says nothing, grants nothing."""
    return b32encode(fields.blind("page_ref", bill_id.hex)[:_PAGE_REF_BYTES]).decode().lower()


def new_return_token() -> str:
    """A token of 131 bits for a return address; only its SHA-256 is stored."""
    return "".join(secrets.choice(_BASE62) for _ in range(_SECRET_CHARACTERS))
