"""The frames between a caller and the egress relay: a length, then msgpack.

Shared by :class:`portal.kit.outbound.Outbound` and ``portal.egress.originate``. A frame is a 4-byte
big-endian length and that many bytes of msgpack. The caller numbers its slices, so that many
travel on one link and their answers come back in whatever order they finish. Nothing here decides
anything: what may go out is the relay's business.
"""

from typing import Final

import msgspec

from portal.kit.outbound.wire import OutboundAnswer, OutboundRequest

FRAME_BYTES_MAX: Final = 32 * 1024 * 1024
"""Longest frame either side accepts: a slice of 100 answers within REPLY_BYTES_MAX fits."""

REPLY_BYTES_MAX: Final = 16 * 1024 * 1024
"""Bodies of one slice's answers together; the relay leaves out what comes above it."""

PREFIX_BYTES: Final = 4

GOODBYE: Final = 0
"""Number of the reply by which a relay that stops asks its callers to leave; no slice has it."""


class SliceCall(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Caller to relay: up to SLICE_MAX requests under a number of the caller's own."""

    number: int
    requests: list[OutboundRequest]


class SliceReply(msgspec.Struct, frozen=True, array_like=True):
    """Relay to caller: one answer for each request, in the same order."""

    number: int
    answers: list[OutboundAnswer]


_ENCODER: Final = msgspec.msgpack.Encoder()
_CALLS: Final = msgspec.msgpack.Decoder(SliceCall)
_REPLIES: Final = msgspec.msgpack.Decoder(SliceReply)


class FrameBroken(ValueError):
    """The other side sent something that is no frame; the link can't be trusted any further."""


def pack(frame: SliceCall | SliceReply) -> bytes:
    """Length and body of one frame; FrameBroken when it is longer than the other side accepts."""
    body = _ENCODER.encode(frame)
    if len(body) > FRAME_BYTES_MAX:
        msg = "frame too long"
        raise FrameBroken(msg)
    return len(body).to_bytes(PREFIX_BYTES, "big") + body


def body_bytes(prefix: bytes | bytearray | memoryview) -> int:
    """Length of the body that follows ``prefix``; FrameBroken beyond FRAME_BYTES_MAX."""
    length = int.from_bytes(prefix, "big")
    if not 0 < length <= FRAME_BYTES_MAX:
        msg = "frame length out of bounds"
        raise FrameBroken(msg)
    return length


def read_call(body: bytes) -> SliceCall:
    """The caller's slice; FrameBroken for anything else."""
    try:
        return _CALLS.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        msg = "not a slice"
        raise FrameBroken(msg) from error


def read_reply(body: bytes) -> SliceReply:
    """The relay's answers; FrameBroken for anything else."""
    try:
        return _REPLIES.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        msg = "not a reply"
        raise FrameBroken(msg) from error
