"""The signatures that the relay makes, against vectors that others have published."""

import pytest

from portal.egress.signers import ToSign, sign_opa

KEY, SECRET = "APIKeyGenerated", "APIKeySecretGenerated"
BODY = (
    b'{"sampleRequestBodyKey1":"sampleRequestBodyValue1",'
    b'"sampleRequestBodyKey2":"sampleRequestBodyValue2"}'
)


def to_sign(**changes: object) -> ToSign:
    fields: dict[str, object] = {
        "method": "POST", "path": "/v2/codes", "content_type": "application/json;charset=UTF-8;",
        "body": BODY, "nonce": "acd028", "epoch_s": 1579843452,
    }  # fmt: skip
    return ToSign(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content_type", "mac", "digest"),
    [
        (
            "application/json;charset=UTF-8;",
            "NW1jKIMnzR7tEhMWtcJcaef+nFVBt7jjAGcVuxHhchc=",
            "1j0FnY4flNp5CtIKa7x9MQ==",
        ),
        (
            "application/json;charset=UTF-8",
            "g/DAZIqKP2xU/LZSXwnEijd7hVr/qAmPNLWwzA6qPrM=",
            "RqWweDuO1iMlji2w1tz2Iw==",
        ),
    ],
)
def test_opa_signs_the_published_request_as_published(
    content_type: str, mac: str, digest: str
) -> None:
    signature = sign_opa(to_sign(content_type=content_type), key=KEY, secret=SECRET)

    assert signature.mac == mac
    assert signature.authorization == (
        f"hmac OPA-Auth:APIKeyGenerated:{mac}:acd028:1579843452:{digest}"
    )


def test_opa_calls_what_is_not_there_empty() -> None:
    plain = to_sign(method="GET", path="/v2/codes/payments/A1", body=b"", content_type="")

    said = sign_opa(plain, key=KEY, secret=SECRET)

    assert said.authorization.endswith(":acd028:1579843452:empty")
    named = to_sign(method="GET", path="/v2/codes/payments/A1", body=b"", content_type="text/plain")
    assert sign_opa(named, key=KEY, secret=SECRET) == said


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "DELETE"}, {"path": "/v2/codes/payments/B2"}, {"nonce": "acd029"},
        {"epoch_s": 1579843453}, {"body": BODY + b" "}, {"content_type": "application/json"},
    ],
)  # fmt: skip
def test_whatever_differs_in_the_request_differs_in_the_signature(
    changes: dict[str, object],
) -> None:
    published = sign_opa(to_sign(), key=KEY, secret=SECRET)

    assert sign_opa(to_sign(**changes), key=KEY, secret=SECRET).mac != published.mac


def test_another_secret_makes_another_signature() -> None:
    published = sign_opa(to_sign(), key=KEY, secret=SECRET)

    assert sign_opa(to_sign(), key=KEY, secret=f"{SECRET}x").mac != published.mac
