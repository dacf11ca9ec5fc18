"""Whatever a host sends by HTTP/2, each request ends, and in one of the ways that are written down.

Frames are made by hyperframe and hpack, in orders that no honest host would choose, and cut or
spoiled; the seed says which.
"""

import asyncio
import random
import socket
from collections import Counter

from hpack import Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from portal.egress.denial import CODES, Denied
from portal.egress.http2 import Link, NotBegun, Progress

HEAD = ((":method", "POST"), (":scheme", "https"), (":authority", "x"), (":path", "/"))
SEEDS = 300


async def test_whatever_a_host_sends_each_request_ends_in_one_known_way() -> None:
    chances = [random.Random(seed) for seed in range(SEEDS)]  # noqa: S311 - the same each time
    ends = Counter([await exchange(hostile(chance)) for chance in chances])

    assert {code for _, code in ends if code} <= set(CODES)
    assert ends["answered", ""]
    assert ends["not_sent", "going_away"]
    assert ends["not_sent", "stream_refused"]
    assert ends["unclear", "dropped"]
    assert ends["unclear", "answer_invalid"]


def hostile(chance: random.Random) -> bytes:
    """What a host says after its own settings."""
    encoder = Encoder()
    return b"".join(one_frame(chance, encoder) for _ in range(chance.randrange(5)))


def one_frame(chance: random.Random, encoder: Encoder) -> bytes:
    stream = chance.choice([1, 1, 1, 3])
    status = chance.choice(["200", "200", "403", "103", "abc", ""])
    ended = chance.choice([["END_HEADERS"], ["END_HEADERS", "END_STREAM"]])
    piece = b"x" * chance.randrange(300)
    frames: list[Frame] = [
        HeadersFrame(stream, data=encoder.encode([(":status", status)]), flags=ended),
        DataFrame(stream, data=piece, flags=chance.choice([[], ["END_STREAM"]])),
        RstStreamFrame(stream, error_code=chance.randrange(14)),
        GoAwayFrame(0, last_stream_id=chance.randrange(2), error_code=0),
        PingFrame(0, opaque_data=b"12345678", flags=chance.choice([[], ["ACK"]])),
        SettingsFrame(0, settings={chance.randrange(1, 7): chance.choice([0, 1, 16_384])}),
        WindowUpdateFrame(chance.choice([0, 1]), window_increment=chance.choice([1, 2**31 - 1])),
        PushPromiseFrame(stream, promised_stream_id=2, data=b"\x82", flags=["END_HEADERS"]),
        ContinuationFrame(stream, data=b"\x88", flags=["END_HEADERS"]),
    ]
    said = chance.choice(frames).serialize()
    spoiled = said[: chance.randrange(len(said))] + chance.randbytes(chance.randrange(9))
    return chance.choice([said, said, said, spoiled])


async def test_a_host_that_answers_before_it_has_all_leaves_doubt_unless_it_answers_whole() -> None:
    begun = HeadersFrame(1, data=Encoder().encode([(":status", "200")]), flags=["END_HEADERS"])
    whole = HeadersFrame(1, data=begun.data, flags=["END_HEADERS", "END_STREAM"])
    slow = {SettingsFrame.INITIAL_WINDOW_SIZE: 1}
    fast = {SettingsFrame.INITIAL_WINDOW_SIZE: 2**31 - 1}
    room = WindowUpdateFrame(0, window_increment=2**30).serialize()
    more = b"x" * 16 * 1024 * 1024
    """More than the kernel keeps for a host that reads nothing."""

    # of the first two the host got a byte, of the others as much as it had room for
    assert [
        await exchange(b"", slow),
        await exchange(begun.serialize(), slow),
        await exchange(whole.serialize(), slow),
        await exchange(room, fast, more),
        await exchange(room + whole.serialize(), fast, more),
    ] == [
        ("not_sent", "dropped"), ("unclear", "dropped"), ("answered", ""),
        ("not_sent", "dropped"), ("answered", ""),
    ]  # fmt: skip


async def exchange(
    said: bytes, settings: dict[int, int] | None = None, body: bytes = b"body"
) -> tuple[str, str]:
    """The fate of one request to a host that says this and hangs up."""
    ours, theirs = socket.socketpair()
    link = Link(*await asyncio.open_connection(sock=ours))  # noqa: TID251 - a pair's two ends
    _, host = await asyncio.open_connection(sock=theirs)  # noqa: TID251
    host.write(SettingsFrame(0, settings=settings or {}).serialize())
    await link.start()
    progress = Progress()
    asked = asyncio.create_task(link.exchange(HEAD, body, 1_000, progress))
    await asyncio.sleep(0)  # the request is written before the host says more
    host.write(said)
    host.close()
    try:
        answer = await asked
    except NotBegun:
        return "not_sent", ""
    except OSError:
        return "unclear" if progress.may_have_reached else "not_sent", "dropped"
    except Denied as denied:
        return "unclear" if progress.may_have_reached else "not_sent", denied.code
    finally:
        link.close()
        await host.wait_closed()
    return answer.fate, answer.code
