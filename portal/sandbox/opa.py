"""How the wallet company knows its merchants: every request is signed, and it checks each one.

Its own code, written from the document and sharing no line with the relay that signs.
Source: PayPay Open Payment API, "API Authentication".
"""

import base64
import hashlib
import hmac
import re
import time
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

_SCHEME: Final = "hmac OPA-Auth"
_PARTS: Final = 6
_SKEW_S: Final = 300
_NONCES_MAX: Final = 100_000
_BODY_BYTES_MAX: Final = 16_384
_REFERENCE: Final = re.compile(r"[^:\s]{1,64}")
_AMOUNT_MAX: Final = 99_999_999_999
_CODE_IDS: Final = {"SUCCESS": "08100001", "REQUEST_ACCEPTED": "08100001"}


class OpaError(Exception):
    """A refusal in the company's own form: status and code."""

    def __init__(self, status: int, code: str) -> None:
        """Keep what the answer says."""
        super().__init__(code)
        self.status = status
        self.code = code


async def answer_opa_error(request: Request, error: Exception) -> Response:
    """Turn an OpaError into its answer (Starlette's exception handler)."""
    del request
    if not isinstance(error, OpaError):
        raise error
    return opa_answer(error.status, error.code, None)


def opa_answer(status: int, code: str, data: dict[str, Any] | None) -> Response:
    """An answer as the interface has it: what came of it, and the data if there is any."""
    info = {"code": code, "message": code.title(), "codeId": _CODE_IDS.get(code, "00000000")}
    return JSONResponse({"resultInfo": info, "data": data}, status_code=status)


class SignatureCheck:
    """Lets in what was signed with the key and secret that the company gave out, once."""

    def __init__(self, company: str) -> None:
        """``company`` names its keys: ``<company>.key`` and ``<company>.secret``."""
        self._company = company
        self._nonces: dict[str, None] = {}

    async def read(self, request: Request) -> bytes:
        """The body of a request that is signed as it must be.

        Raises OpaError 401 ``UNAUTHORIZED``; 400 ``INVALID_REQUEST_PARAMS`` past 16 KiB.
        """
        body = await request.body()
        if len(body) > _BODY_BYTES_MAX:
            raise OpaError(400, "INVALID_REQUEST_PARAMS")
        parts = request.headers.get("authorization", "").split(":")
        if len(parts) != _PARTS or parts[0] != _SCHEME or not parts[4].isdecimal():
            raise OpaError(401, "UNAUTHORIZED")
        _, key, mac, nonce, epoch, told_hash = parts
        content_type = request.headers.get("content-type", "") if body else "empty"
        body_hash = _hash_of(content_type, body) if body else "empty"
        signed = (_path_of(request), request.method, nonce, epoch, content_type, body_hash)
        is_good = (
            abs(int(epoch) - time.time()) <= _SKEW_S
            and told_hash == body_hash
            and self._knows(request.app.state.keys, key, mac, signed)
            and self._is_fresh(nonce)
        )
        if not is_good:
            raise OpaError(401, "UNAUTHORIZED")
        return body

    def _knows(self, keys: dict[str, str], key: str, mac: str, signed: tuple[str, ...]) -> bool:
        """Whether key and code are the ones given out; any will do if none was."""
        known = keys.get(f"{self._company}.key")
        secret = keys.get(f"{self._company}.secret")
        if known is None or secret is None:
            return bool(key and mac)
        presented = hashlib.sha256(key.encode()).hexdigest()
        made = hmac.new(secret.encode(), "\n".join(signed).encode(), hashlib.sha256).digest()
        return hmac.compare_digest(presented, known) and hmac.compare_digest(
            base64.b64encode(made).decode(), mac
        )

    def _is_fresh(self, nonce: str) -> bool:
        if nonce in self._nonces:
            return False
        self._nonces[nonce] = None
        if len(self._nonces) > _NONCES_MAX:
            del self._nonces[next(iter(self._nonces))]
        return True


def _path_of(request: Request) -> str:
    """The path as it was sent: escapes are signed as they stand."""
    raw: bytes = request.scope["raw_path"]
    return raw.partition(b"?")[0].decode("ascii")


def _hash_of(content_type: str, body: bytes) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    digest.update(content_type.encode())
    digest.update(body)
    return base64.b64encode(digest.digest()).decode()


def money(amount: int) -> dict[str, Any]:
    """An amount as the interface has it."""
    return {"amount": amount, "currency": "JPY"}


def read_object(body: bytes) -> dict[str, Any]:
    """The fields of a request's body. Raises OpaError 400 ``INVALID_REQUEST_PARAMS``."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise OpaError(400, "INVALID_REQUEST_PARAMS") from error


def read_reference(value: object) -> str:
    """A merchant's own reference. Raises OpaError 400 ``INVALID_REQUEST_PARAMS``."""
    if not isinstance(value, str) or not _REFERENCE.fullmatch(value):
        raise OpaError(400, "INVALID_REQUEST_PARAMS")
    return value


def read_amount(values: dict[str, Any]) -> int:
    """Yen of a request. Raises OpaError 400 ``INVALID_REQUEST_PARAMS``."""
    match values.get("amount"):
        case {"amount": int(amount), "currency": "JPY"} if 1 <= amount <= _AMOUNT_MAX:
            return amount
        case _:
            raise OpaError(400, "INVALID_REQUEST_PARAMS")
