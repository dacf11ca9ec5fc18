"""A job's body is a hint under our key, or it is nothing."""

import pickle  # noqa: TID251 - the attack itself
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.kit.crypto import derive_key, hmac_sha256
from worker.queue.body import BODY_BYTES_MAX, BodyRefused, BodySeal

KEY = bytes(range(32))
TASK = UUID(int=0xABCDEF)
JOB: dict[str, Any] = {"t": None, "f": "payment.inquire", "a": (TASK, 3), "k": {}, "et": 1}


def sealed_by_key(packed: bytes) -> bytes:
    return hmac_sha256(derive_key(KEY, "queue job body 1"), packed) + packed


def test_body_comes_back_as_it_went() -> None:
    seal = BodySeal(KEY)

    assert seal.unpack(seal.pack(JOB)) == JOB
    assert seal.refused == 0


def test_body_under_another_key_is_refused_and_counted() -> None:
    seal = BodySeal(KEY)

    with pytest.raises(BodyRefused):
        seal.unpack(BodySeal(bytes(32)).pack(JOB))

    assert seal.refused == 1


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_one_changed_bit_is_refused(place: int, bit: int) -> None:
    seal = BodySeal(KEY)
    body = bytearray(seal.pack(JOB))
    body[place % len(body)] ^= 1 << bit

    with pytest.raises(BodyRefused):
        seal.unpack(bytes(body))


@given(body=st.binary(max_size=300))
def test_random_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(BodyRefused):
        BodySeal(KEY).unpack(body)


def test_pickled_body_is_refused_without_being_unpickled() -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return (pytest.fail, ("unpickled",))

    with pytest.raises(BodyRefused):
        BodySeal(KEY).unpack(pickle.dumps(Bomb()))
    with pytest.raises(BodyRefused):
        BodySeal(KEY).unpack(sealed_by_key(pickle.dumps(Bomb())))


@pytest.mark.parametrize(
    "changes",
    [
        {"f": "os.system"},
        {"f": "payment.inquire", "a": (TASK,)},
        {"a": (TASK, -1)},
        {"a": (TASK, 3, "name")},
        {"a": ("Yamada Taro", 3)},
        {"k": {"phone": None}},
        {"t": 5},
        {"extra": 1},
    ],
)
def test_body_with_our_key_still_has_to_be_exactly_a_hint(changes: dict[str, Any]) -> None:
    seal = BodySeal(KEY)

    with pytest.raises(BodyRefused):
        seal.pack(JOB | changes)
    with pytest.raises(BodyRefused):
        seal.unpack(sealed_by_key(msgspec.msgpack.encode(JOB | changes)))

    assert seal.unpack(sealed_by_key(msgspec.msgpack.encode(JOB))) == JOB


def test_long_body_is_refused_before_it_is_read() -> None:
    with pytest.raises(BodyRefused):
        BodySeal(KEY).unpack(sealed_by_key(b"\x80" * (BODY_BYTES_MAX + 1)))


def test_results_are_never_stored() -> None:
    assert BodySeal(KEY).pack({**JOB, "r": "anything", "s": True}) == b""
