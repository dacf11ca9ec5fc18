"""Reading the first message of TLS: one name, in the clear, or nothing."""

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.egress.check import client_hello, in_records
from portal.egress.denial import Denied
from portal.egress.hello import BUFFER_BYTES_MAX, HELLO_BYTES_MAX, check_hello

HOST = "api.provider.test"


def vector(width: int, body: bytes) -> bytes:
    return len(body).to_bytes(width, "big") + body


def extension(kind: int, body: bytes) -> bytes:
    return kind.to_bytes(2, "big") + vector(2, body)


def server_name(*names: bytes, kind: int = 0) -> bytes:
    return extension(0, vector(2, b"".join(bytes([kind]) + vector(2, name) for name in names)))


VERSIONS = extension(43, vector(1, b"\x03\x04\x03\x03"))
NAMED = server_name(HOST.encode())


def hello(*extensions: bytes, **changes: bytes) -> bytes:
    parts = {
        "version": b"\x03\x03", "random": b"r" * 32, "session": vector(1, b""),
        "ciphers": vector(2, b"\x13\x01"), "compressions": vector(1, b"\0"),
        "extensions": vector(2, b"".join(extensions)),
    } | changes  # fmt: skip
    message = b"\x01" + vector(3, b"".join(parts.values()))
    return b"\x16\x03\x01" + vector(2, message)


def test_what_openssl_says_passes_for_its_own_name_in_any_case() -> None:
    assert check_hello(client_hello(HOST), HOST)
    assert check_hello(client_hello(HOST.upper()), HOST)


def test_a_hand_made_hello_passes_so_that_its_spoilt_copies_prove_something() -> None:
    assert check_hello(hello(VERSIONS, NAMED), HOST)
    assert check_hello(hello(NAMED), HOST)
    grease = extension(43, vector(1, b"\x5a\x5a\x03\x04"))
    assert check_hello(hello(extension(0x5A5A, b""), grease, NAMED), HOST)


@pytest.mark.parametrize("size", [16, 100, 16_384])
def test_a_hello_in_many_records_is_put_together(size: int) -> None:
    assert check_hello(in_records(client_hello(HOST), size), HOST)


def test_every_beginning_of_a_hello_waits_for_more() -> None:
    whole = in_records(client_hello(HOST), 90)

    assert not any(check_hello(whole[:length], HOST) for length in range(len(whole)))


def test_a_second_record_after_the_hello_is_let_through() -> None:
    assert check_hello(client_hello(HOST) + b"\x14\x03\x03\x00\x01\x01", HOST)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (client_hello("evil.test"), "sni_mismatch"),
        (client_hello(f"x.{HOST}"), "sni_mismatch"),
        (client_hello(None), "sni_missing"),
        (hello(VERSIONS), "sni_missing"),
        (hello(extensions=b""), "sni_missing"),
        (hello(VERSIONS, NAMED, NAMED), "hello_invalid"),
        (hello(VERSIONS, server_name(HOST.encode(), b"evil.test")), "hello_invalid"),
        (hello(VERSIONS, server_name(HOST.encode(), kind=1)), "hello_invalid"),
        (hello(VERSIONS, server_name()), "hello_invalid"),
        (hello(VERSIONS, server_name(b"")), "hello_invalid"),
        (hello(VERSIONS, server_name(b"127.0.0.1")), "hello_invalid"),
        (hello(VERSIONS, server_name(HOST.encode() + b"\0")), "hello_invalid"),
        (hello(VERSIONS, server_name("\u3042.test".encode())), "hello_invalid"),
        (hello(VERSIONS, extension(0, b"\x00\x30\x00")), "hello_invalid"),
        (hello(VERSIONS, NAMED, extension(0xFE0D, b"x")), "hello_encrypted"),
        (hello(VERSIONS, NAMED, extension(0xFFCE, b"x")), "hello_encrypted"),
        (hello(VERSIONS, NAMED, extension(0xFD00, b"x")), "hello_encrypted"),
        (hello(extension(43, vector(1, b"\x03\x02\x03\x01")), NAMED), "tls_too_old"),
        (hello(extension(43, vector(1, b"\x5a\x5a\x03\x01")), NAMED), "tls_too_old"),
        (hello(extension(43, vector(1, b"")), NAMED), "tls_too_old"),
        (hello(NAMED, version=b"\x03\x01"), "tls_too_old"),
        (hello(extension(43, vector(1, b"\x03")), NAMED), "hello_invalid"),
        (hello(NAMED, session=vector(1, b"s" * 33)), "hello_invalid"),
        (hello(NAMED, ciphers=vector(2, b"")), "hello_invalid"),
        (hello(NAMED, ciphers=vector(2, b"\x13")), "hello_invalid"),
        (hello(NAMED, compressions=vector(1, b"\x01")), "hello_invalid"),
        (hello(extensions=vector(2, NAMED) + b"x"), "hello_invalid"),
        (hello(extensions=b"\xff\xff" + NAMED), "hello_invalid"),
        (b"GET / HTTP/1.1\r\n\r\n", "hello_invalid"),
        (b"\x16\x02\x00\x00\x10", "hello_invalid"),
        (b"\x17\x03\x03\x00\x10", "hello_invalid"),
        (b"\x16\x03\x01\x00\x00", "hello_invalid"),
        (b"\x16\x03\x01\xff\xff", "hello_invalid"),
        (b"\x16\x03\x01\x00\x04\x02\x00\x00\x00", "hello_invalid"),
        (b"\x16\x03\x01\x00\x04\x01\xff\xff\xff", "hello_invalid"),
    ],
)
def test_any_other_hello_is_refused(raw: bytes, code: str) -> None:
    with pytest.raises(Denied) as refused:
        check_hello(raw, HOST)
    assert refused.value.code == code


def test_a_hello_at_the_limit_passes_and_one_past_it_is_refused() -> None:
    room = HELLO_BYTES_MAX - len(hello(NAMED, extension(21, b""))) + 5
    assert check_hello(in_records(hello(NAMED, extension(21, b"\0" * room)), 16_000), HOST)
    with pytest.raises(Denied, match="hello_invalid"):
        check_hello(in_records(hello(NAMED, extension(21, b"\0" * (room + 1))), 16_000), HOST)


def test_what_is_held_while_waiting_is_bounded() -> None:
    endless = in_records(hello(NAMED, extension(21, b"\0" * 16_000)), 300)

    assert not check_hello(endless[:16_000], HOST)
    with pytest.raises(Denied, match="hello_invalid"):
        check_hello(b"\x16\x03\x01\x40\x00\x01\x00\x3f\xf0" + b"\0" * BUFFER_BYTES_MAX, HOST)


def test_a_hello_may_come_in_64_records_and_no_more() -> None:
    whole = hello(VERSIONS, NAMED)
    size = -(-len(whole[5:]) // 64)

    assert check_hello(in_records(whole, size), HOST)
    with pytest.raises(Denied, match="hello_invalid"):
        check_hello(in_records(whole, 1), HOST)


@given(st.binary(max_size=600))
def test_no_bytes_raise_anything_but_a_denial(raw: bytes) -> None:
    for start in (b"", b"\x16\x03\x01", b"\x16\x03\x01" + vector(2, raw)[:2] + b"\x01"):
        try:
            check_hello(start + raw, HOST)
        except Denied:
            continue


@given(place=st.integers(0, 10_000), value=st.integers(0, 255))
def test_one_changed_byte_never_lets_another_name_through(place: int, value: int) -> None:
    spoilt = bytearray(client_hello("evil.test"))
    spoilt[place % len(spoilt)] = value
    try:
        is_whole = check_hello(bytes(spoilt), HOST)
    except Denied:
        return
    assert not is_whole


def test_a_context_of_the_standard_library_is_good_enough() -> None:
    context = ssl.create_default_context()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname=HOST).do_handshake()

    assert check_hello(outgoing.read(), HOST)
