"""A job's body: msgpack under an HMAC, both ways; never pickle.

Application zone. Whoever can write to Valkey must not be able to make a worker do anything, so a
body counts only with a code made by the queue's key, and even then only if it is exactly a hint:
a kind that exists, a task's id, an attempt. Results are never stored.
"""

from typing import Annotated, Any, Final
from uuid import UUID

import msgspec

from portal.domain.task import TaskKind
from portal.kit.crypto import derive_key, hmac_sha256, same

CODE_BYTES: Final = 32
BODY_BYTES_MAX: Final = 512
_PURPOSE: Final = "queue job body 1"


class BodyRefused(Exception):
    """The body is not ours, or not a hint; what it said is not repeated here."""


class JobBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What arq stores of a job, by arq's own letters: try, function, arguments, time queued."""

    t: None
    f: TaskKind
    a: tuple[UUID, Annotated[int, msgspec.Meta(ge=0, le=1 << 31)]]
    k: Annotated[dict[str, None], msgspec.Meta(max_length=0)]
    et: Annotated[int, msgspec.Meta(ge=0)]


class BodySeal:
    """Seals and opens job bodies with a key derived from the queue's key file."""

    def __init__(self, key: bytes) -> None:
        """``key``: the 32 bytes of QUEUE_KEY_FILE."""
        self._key = derive_key(key, _PURPOSE)
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(JobBody)
        self.refused = 0

    def pack(self, job: dict[str, Any]) -> bytes:
        """Arq's job_serializer: 32 bytes of code, then msgpack; a result becomes nothing at all.

        Raises BodyRefused for anything but a hint, so that no other data can slip into the queue.
        """
        if "r" in job:
            return b""
        try:
            body = msgspec.convert(job, JobBody)
        except msgspec.ValidationError:
            raise BodyRefused from None
        packed = self._encoder.encode(body)
        return hmac_sha256(self._key, packed) + packed

    def unpack(self, sealed: bytes) -> dict[str, Any]:
        """Arq's job_deserializer. Raises BodyRefused, and counts it, unless the code is right."""
        code, packed = sealed[:CODE_BYTES], sealed[CODE_BYTES:]
        fits = len(code) == CODE_BYTES and len(packed) <= BODY_BYTES_MAX
        if not fits or not same(hmac_sha256(self._key, packed), code):
            self.refused += 1
            raise BodyRefused
        try:
            body = self._decoder.decode(packed)
        except msgspec.DecodeError:
            self.refused += 1
            raise BodyRefused from None
        return {"t": body.t, "f": body.f, "a": body.a, "k": {}, "et": body.et}
