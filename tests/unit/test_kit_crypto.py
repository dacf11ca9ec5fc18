import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.contract.frames import FrameBuffer, FrameError, to_frame
from portal.contract.onetime import one_time_parameter
from portal.domain.errors import InvariantBroken
from portal.kit.crypto import derive_key, hmac_sha256, open_sealed, seal

KEY = bytes(range(32))
MOST = 2 * 1024 * 1024


@given(st.binary(max_size=200), st.binary(max_size=50))
def test_what_was_sealed_opens_in_its_context_only(plain: bytes, context: bytes) -> None:
    sealed = seal(KEY, plain, context)

    assert open_sealed(KEY, sealed, context) == plain
    with pytest.raises(InvariantBroken, match="seal_broken"):
        open_sealed(KEY, sealed, context + b"x")
    with pytest.raises(InvariantBroken, match="seal_broken"):
        open_sealed(bytes(32), sealed, context)


def test_a_changed_bit_anywhere_is_found() -> None:
    sealed = seal(KEY, b"plain", b"context")
    for place in range(len(sealed)):
        broken = bytearray(sealed)
        broken[place] ^= 1
        with pytest.raises(InvariantBroken, match="seal_broken"):
            open_sealed(KEY, bytes(broken), b"context")


@pytest.mark.parametrize("length", [0, 1, 11, 12, 27])
def test_what_is_too_short_to_be_sealed_is_refused(length: int) -> None:
    with pytest.raises(InvariantBroken, match="seal_broken"):
        open_sealed(KEY, bytes(length), b"")


def test_the_message_code_is_the_standards_own() -> None:
    # Source: RFC 4231, test case 2.
    code = hmac_sha256(b"Jefe", b"what do ya want for nothing?")

    assert code.hex() == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


def test_keys_for_two_purposes_have_nothing_in_common() -> None:
    assert derive_key(KEY, "a") == derive_key(KEY, "a")
    assert derive_key(KEY, "a") != derive_key(KEY, "b")


def test_every_input_of_the_one_time_parameter_counts() -> None:
    inputs = (KEY, b"n" * 32, 1, "view_page", 1, 1000, b"body")
    others = (bytes(32), b"m" * 32, 2, "view_pag", 2, 1001, b"bodz")
    right = one_time_parameter(*inputs)

    assert one_time_parameter(*inputs) == right
    for place, other in enumerate(others):
        changed = (*inputs[:place], other, *inputs[place + 1 :])
        assert one_time_parameter(*changed) != right  # type: ignore[arg-type]


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=20), st.integers(1, 50))
def test_frames_come_out_as_they_went_in_however_the_bytes_are_cut(
    bodies: list[bytes], step: int
) -> None:
    stream = b"".join(to_frame(body) for body in bodies)
    buffer = FrameBuffer()

    got = [
        frame
        for place in range(0, len(stream), step)
        for frame in buffer.feed(stream[place : place + step])
    ]

    assert got == bodies
    assert not buffer.is_mid_frame


@pytest.mark.parametrize("length", [0, 2 * 1024 * 1024 + 1, 2**32 - 1])
def test_a_length_out_of_bounds_is_refused_before_its_body_comes(length: int) -> None:
    with pytest.raises(FrameError):
        FrameBuffer().feed(length.to_bytes(4, "big"))


@pytest.mark.parametrize(
    ("length", "fits"), [(0, False), (1, True), (MOST, True), (MOST + 1, False)]
)
def test_a_frame_has_one_byte_to_two_mebibytes(length: int, fits: bool) -> None:  # noqa: FBT001
    body = secrets.token_bytes(length)
    if fits:
        assert FrameBuffer().feed(to_frame(body)) == [body]
        return
    with pytest.raises(ValueError, match="out of bounds"):
        to_frame(body)
