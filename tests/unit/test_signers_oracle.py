"""The relay signs as PayPay's own client for Python does, which runs as a process of its own."""

import json
import subprocess
import sys
from dataclasses import dataclass

import pytest

from portal.egress.signers import ToSign, sign_opa

KEY, SECRET = "a_key_4711", "c2VjcmV0LW9mLW5vYm9keQ=="
PAYMENT = "04000000000000004711"
REFUND = {
    "merchantRefundId": "R-1",
    "paymentId": PAYMENT,
    "amount": {"amount": 420, "currency": "JPY"},
    "requestedAt": 1_795_000_060,
}
_SCRIPT = """
import json, sys
from paypayopa.client import Client

class Answer:
    status_code = 200
    def json(self):
        return {}

class Session:
    def __init__(self):
        self.seen = []
    def _note(self, method, url, headers, params=None, data=None):
        self.seen.append({"method": method, "url": url, "params": params, "body": data or "",
                          "authorization": headers["Authorization"]})
        return Answer()
    def get(self, url, **more):
        return self._note("GET", url, **more)
    def post(self, url, **more):
        return self._note("POST", url, **more)

key, secret, refund, payment = json.loads(sys.argv[1])
session = Session()
client = Client(session=session, auth=(key, secret), base_url="")
client.get("/v2/refunds/R-1", {"paymentId": payment}, api_id="ask")
client.get("/v2/codes/payments/A-1", None, api_id="ask")
client.post("/v2/refunds", refund, api_id="act")
print(json.dumps(session.seen))
"""


@dataclass(frozen=True)
class Theirs:
    """One request as PayPay's client made it."""

    method: str
    url: str
    params: dict[str, str] | None
    body: str
    authorization: str


@pytest.fixture(scope="module")
def theirs() -> list[Theirs]:
    given = json.dumps([KEY, SECRET, REFUND, PAYMENT])
    ran = subprocess.run(  # noqa: S603 - our own words, and this Python
        [sys.executable, "-W", "ignore", "-c", _SCRIPT, given],
        check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return [Theirs(**one) for one in json.loads(ran.stdout)]


def ours(request: Theirs, path: str) -> str:
    """What the relay would write at their moment and with their nonce."""
    _, _, _, nonce, epoch, _ = request.authorization.split(":")
    signed = ToSign(
        method=request.method, path=path, content_type="application/json;charset=UTF-8",
        body=request.body.encode(), nonce=nonce, epoch_s=int(epoch),
    )  # fmt: skip
    return sign_opa(signed, key=KEY, secret=SECRET).authorization


def test_every_request_is_signed_as_paypays_own_client_signs_it(theirs: list[Theirs]) -> None:
    assert [request.method for request in theirs] == ["GET", "GET", "POST"]

    assert [ours(request, request.url) for request in theirs] == [
        request.authorization for request in theirs
    ]


def test_the_query_of_an_inquiry_is_no_part_of_what_is_signed(theirs: list[Theirs]) -> None:
    asked = theirs[0]
    assert asked.params == {"paymentId": PAYMENT}

    assert ours(asked, asked.url) == asked.authorization
    assert ours(asked, f"{asked.url}?paymentId={PAYMENT}") != asked.authorization
