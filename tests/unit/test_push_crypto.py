"""What the relay encrypts and signs for push services, held against code that no one here wrote."""

import base64
import json
import os
from datetime import UTC, datetime, timedelta

import http_ece
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from py_vapid import Vapid02
from pywebpush import WebPusher

from portal.egress.denial import Denied
from portal.egress.jwt import base64url
from portal.egress.webpush import (
    PLAIN_BYTES_MAX,
    Browser,
    encrypt,
    new_key,
    public_key_of,
    vapid_header,
)
from portal.kit.clock import SystemClock
from portal.sandbox.push_crypto import Unreadable, check_vapid, new_opener
from portal.stack.push_services import new_push_key

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
CLOCK = SystemClock()
OPENER = new_opener(7**90, bytes(range(16)))
BROWSER = Browser(OPENER.public, OPENER.secret)
PEM = new_push_key("webpush.key")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_the_rfcs_own_message_comes_out_byte_for_byte() -> None:
    # Source: RFC 8291 §5 and appendix A.
    private = int.from_bytes(_bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big")
    browser = Browser(
        _bytes(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
        ),
        _bytes("BTBZMqHH6r4Tts7J_aSIgg"),
    )

    sealed = encrypt(
        b"When I grow up, I want to be a watermelon",
        browser,
        salt=_bytes("DGv6ra1nlYgDCS1FRnbzlw"),
        key=ec.derive_private_key(private, ec.SECP256R1()),
    )

    assert base64url(sealed) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz"
        "AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@given(plain=st.binary(max_size=600))
def test_whatever_the_relay_seals_other_peoples_code_and_the_sandbox_open(plain: bytes) -> None:
    # given / when
    sealed = encrypt(plain, BROWSER, salt=os.urandom(16), key=new_key())

    # then
    private = ec.derive_private_key(OPENER.private, ec.SECP256R1())
    opened = http_ece.decrypt(
        sealed, private_key=private, auth_secret=OPENER.secret, version="aes128gcm"
    )
    assert opened == OPENER.open(sealed) == plain


def test_what_other_peoples_code_seals_the_sandbox_opens() -> None:
    # given
    keys = {"p256dh": base64url(OPENER.public), "auth": base64url(OPENER.secret)}

    # when
    sealed = WebPusher({"endpoint": "https://push.example/x", "keys": keys}).encode(b"said")

    # then
    assert OPENER.open(sealed["body"]) == b"said"


def test_a_message_opens_for_no_other_browser_and_not_when_it_was_touched() -> None:
    # given
    sealed = encrypt(b"said", BROWSER, salt=os.urandom(16), key=new_key())
    touched = sealed[:-1] + bytes([sealed[-1] ^ 1])

    # when / then
    for opener, body in ((new_opener(5, OPENER.secret), sealed), (OPENER, touched)):
        with pytest.raises(Unreadable):
            opener.open(body)


@pytest.mark.parametrize(
    ("plain", "browser"),
    [
        (b"x" * (PLAIN_BYTES_MAX + 1), BROWSER),
        (b"x", Browser(b"\x04" + bytes(64), OPENER.secret)),
        (b"x", Browser(b"\x04" + b"\xff" * 64, OPENER.secret)),
        (b"x", Browser(b"", OPENER.secret)),
    ],
)
def test_what_no_browser_could_read_is_not_sealed(plain: bytes, browser: Browser) -> None:
    with pytest.raises(Denied, match="value_unfit"):
        encrypt(plain, browser, salt=os.urandom(16), key=new_key())


def test_the_longest_message_is_as_long_as_services_take() -> None:
    sealed = encrypt(b"x" * PLAIN_BYTES_MAX, BROWSER, salt=os.urandom(16), key=new_key())

    assert len(sealed) == 4_096


def test_other_peoples_code_takes_our_signature_and_we_are_who_it_says() -> None:
    # given
    header = vapid_header(
        "https://push.example", PEM, subject="mailto:post@example.jp", now=CLOCK.wall()
    )

    # when
    token = header.removeprefix("vapid t=").partition(",")[0]
    claims = json.loads(_bytes(token.split(".")[1]))

    # then
    assert Vapid02.verify(header)
    assert claims["aud"] == "https://push.example"
    assert claims["sub"] == "mailto:post@example.jp"
    check_vapid(header, "https://push.example", _bytes(public_key_of(PEM)))


def test_the_sandbox_takes_other_peoples_signature_and_refuses_what_is_not_for_it() -> None:
    # given
    soon = int((CLOCK.wall() + timedelta(hours=1)).timestamp())
    theirs = Vapid02.from_pem(PEM.encode())
    claims = {"aud": "https://push.example", "exp": soon, "sub": "mailto:post@example.jp"}

    # when / then
    header = theirs.sign(claims)["Authorization"]
    check_vapid(header, "https://push.example", _bytes(public_key_of(PEM)))
    other = _bytes(public_key_of(new_push_key("webpush.key")))
    for origin, key in (("https://elsewhere.example", None), ("https://push.example", other)):
        with pytest.raises(Unreadable):
            check_vapid(header, origin, key)


def test_a_signature_lives_for_half_a_day() -> None:
    header = vapid_header("https://push.example", PEM, subject="https://a.example", now=NOW)

    claims = json.loads(_bytes(header.split(".")[1]))
    assert claims["exp"] - NOW.timestamp() == 12 * 3_600


def test_a_credential_that_is_no_such_key_signs_nothing() -> None:
    longer = ec.generate_private_key(ec.SECP384R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )

    for pem in ("", "nonsense", new_push_key("fcm.key"), longer.decode()):
        with pytest.raises(Denied, match="credential_missing"):
            vapid_header("https://push.example", pem, subject="https://a.example", now=NOW)
