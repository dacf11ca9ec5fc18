"""Cutting the channel's byte stream into frames, for both sides; bounded by the longest frame."""

import struct
from typing import Final

from portal.contract.envelope import FRAME_BYTES_MAX

_LENGTH: Final = struct.Struct(">I")


class FrameError(Exception):
    """The peer does not speak the protocol: an empty or an overlong frame."""


def to_frame(body: bytes) -> bytes:
    """The frame of a body; ValueError when it is empty or longer than either side accepts."""
    if not 0 < len(body) <= FRAME_BYTES_MAX:
        msg = "frame out of bounds"
        raise ValueError(msg)
    return _LENGTH.pack(len(body)) + body


class FrameBuffer:
    """Collects bytes and gives out whole frames; holds at most one unfinished frame."""

    def __init__(self) -> None:
        """Start empty."""
        self._bytes = bytearray()

    @property
    def is_mid_frame(self) -> bool:
        """Whether a frame has begun and is not complete."""
        return bool(self._bytes)

    def feed(self, data: bytes) -> list[bytes]:
        """The bodies of all frames that are complete now.

        Raises: FrameError as soon as a length is known to be out of bounds, before its body is
        collected.
        """
        held = self._bytes
        held += data
        frames: list[bytes] = []
        start, end = 0, len(held)
        while end - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(held, start)
            if not 0 < length <= FRAME_BYTES_MAX:
                raise FrameError
            stop = start + _LENGTH.size + length
            if stop > end:
                break
            frames.append(bytes(held[start + _LENGTH.size : stop]))
            start = stop
        if start:
            del held[:start]
        return frames
