"""Files in, against a real vault: whole, in stretches, cut off, resumed, refused."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from portal.contract.intake import PART_BYTES_MAX
from tests.make.merchant import Merchant, csv_of, found, work_off
from tests.make.vault import ClientFor, Ground
from tests.make.web import Web, running_web, web_settings

STATE = "query($id: ID!) { import(id: $id) { state receivedBytes rowsGood rowsFaulty } }"


@pytest_asyncio.fixture
async def web(ground: Ground, client_for: ClientFor) -> AsyncIterator[Web]:
    caller = await client_for("web")
    async with running_web(ground.folder, caller, settings=web_settings(ground.folder)) as running:
        yield running


@pytest_asyncio.fixture
async def merchant(web: Web, client_for: ClientFor) -> AsyncIterator[Merchant]:
    made = await found(web, await client_for("operator"), await client_for("web"), "mizu")
    yield made
    await made.close()


def big_file() -> bytes:
    """A bit more than two parts."""
    body = csv_of("MIZU", 30_000)
    assert 2 * PART_BYTES_MAX < len(body) < 3 * PART_BYTES_MAX
    return body


async def test_a_file_sent_whole_is_judged_row_by_row(
    merchant: Merchant, client_for: ClientFor
) -> None:
    body = csv_of("MIZU", 30, faulty=4)
    import_id, path = await merchant.open_import()
    answer = await merchant.api.put(path, content=body)
    await work_off(await client_for("work"))

    assert answer.status_code == 201
    assert answer.json()["import"] == import_id
    assert answer.headers["upload-complete"] == "?1"
    state = (await merchant.ask(STATE, id=import_id))["import"]
    assert state == {
        "state": "CHECKED",
        "receivedBytes": len(body),
        "rowsGood": 26,
        "rowsFaulty": 4,
    }


async def test_a_file_without_a_length_is_taken_too(merchant: Merchant) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        body = big_file()
        for start in range(0, len(body), 100_000):
            yield body[start : start + 100_000]

    import_id, path = await merchant.open_import()
    answer = await merchant.api.put(path, content=pieces())

    assert answer.status_code == 201
    state = (await merchant.ask(STATE, id=import_id))["import"]
    assert state["receivedBytes"] == len(big_file())


async def test_a_connection_cut_in_the_middle_keeps_whole_parts_and_goes_on_from_there(
    merchant: Merchant,
) -> None:
    body = big_file()
    import_id, path = await merchant.open_import()
    reader, writer = await asyncio.open_unix_connection(str(merchant.web.socket))
    head = f"PUT {path} HTTP/1.1\r\nhost: localhost:8080\r\ncontent-length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body[: PART_BYTES_MAX + 5000])
    await writer.drain()
    while (await merchant.api.head(path)).headers["upload-offset"] == "0":  # noqa: ASYNC110 - the truth is at the vault
        await asyncio.sleep(0.02)
    writer.close()
    del reader

    offset = int((await merchant.api.head(path)).headers["upload-offset"])
    assert offset == PART_BYTES_MAX
    answer = await merchant.api.put(
        path,
        content=body[offset:],
        headers={"content-range": f"bytes {offset}-{len(body) - 1}/{len(body)}"},
    )

    assert answer.status_code == 201
    assert (await merchant.ask(STATE, id=import_id))["import"]["receivedBytes"] == len(body)


async def test_stretches_may_come_one_by_one_and_twice(merchant: Merchant) -> None:
    body = big_file()
    _, path = await merchant.open_import()
    more = {"upload-offset": "0", "upload-complete": "?0"}
    first = await merchant.api.put(path, content=body[:PART_BYTES_MAX], headers=more)
    again = await merchant.api.put(path, content=body[:PART_BYTES_MAX], headers=more)
    rest = await merchant.api.put(
        path, content=body[PART_BYTES_MAX:], headers={"upload-offset": str(PART_BYTES_MAX)}
    )
    late = await merchant.api.put(path, content=body)

    assert [answer.status_code for answer in (first, again, rest, late)] == [202, 202, 201, 201]
    assert first.headers["upload-offset"] == again.headers["upload-offset"] == str(PART_BYTES_MAX)
    assert late.json()["receivedBytes"] == len(body)


async def test_a_file_that_arrived_whole_but_unfinished_goes_on_where_head_says(
    merchant: Merchant,
) -> None:
    body = csv_of("MIZU", 30)
    import_id, path = await merchant.open_import()
    await merchant.api.put(path, content=body, headers={"upload-length": "7"})
    head = await merchant.api.head(path)
    offset = head.headers["upload-offset"]
    more = await merchant.api.put(path, content=b"x", headers={"upload-offset": offset})
    rest = await merchant.api.put(path, content=b"", headers={"upload-offset": offset})

    assert (int(offset), head.headers["upload-complete"]) == (len(body), "?0")
    assert more.json()["error"]["code"] == "offset_unaligned"
    assert rest.status_code == 201
    state = (await merchant.ask(STATE, id=import_id))["import"]
    assert state["receivedBytes"] == len(body)


async def test_what_does_not_fit_is_refused_with_a_code(merchant: Merchant) -> None:
    far = str(PART_BYTES_MAX)
    cases = [
        ({"upload-offset": "5"}, 422, "offset_unaligned"),
        ({"upload-offset": far}, 409, "offset_mismatch"),
        ({"upload-offset": "-1"}, 422, "range_malformed"),
        ({"content-range": "bytes 9-5/10"}, 422, "range_malformed"),
        ({"content-range": "lines 1-2/3"}, 422, "range_malformed"),
        ({"content-range": "bytes 0-999/1000"}, 422, "range_malformed"),
        ({"upload-length": str(3 * 1024**3)}, 413, "file_too_large"),
        ({"upload-length": "7"}, 409, "size_differs"),
    ]
    for number, (headers, status, code) in enumerate(cases):
        _, path = await merchant.open_import(f"import-{number}")
        answer = await merchant.api.put(path, content=csv_of("MIZU", 3), headers=headers)
        told = answer.json()["error"]
        assert (answer.status_code, told["code"]) == (status, code), headers
        assert told["message"], headers


async def test_an_address_that_was_not_sealed_by_us_leads_nowhere(merchant: Merchant) -> None:
    _, path = await merchant.open_import()
    for other in (path[:-3] + "AAA", "/uploads/" + "A" * 80):
        answer = await merchant.api.put(other, content=b"x")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "upload_unknown")
    assert (await merchant.api.put(path, content=csv_of("MIZU", 1))).status_code == 201


async def test_the_address_alone_is_enough_and_carries_no_cookie(merchant: Merchant) -> None:
    _, path = await merchant.open_import()
    async with merchant.web.browser() as stranger:
        foreign = await stranger.put(
            path, content=csv_of("MIZU", 1), headers={"sec-fetch-site": "cross-site"}
        )
        answer = await stranger.put(path, content=csv_of("MIZU", 1))

    assert foreign.status_code == 403
    assert answer.status_code == 201
    assert "set-cookie" not in answer.headers


async def test_an_upload_waits_for_the_vault_instead_of_filling_memory(
    merchant: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored, taken = 0, 0
    vault = merchant.web.doors.vault
    real_call = vault.call

    async def slow_call(op: Any, request: Any, *more: Any) -> Any:  # noqa: ANN401 - as call()
        nonlocal stored
        if op.name == "store_part":
            await asyncio.sleep(0.1)
            stored += len(request.body)
        return await real_call(op, request, *more)

    async def watched() -> AsyncIterator[bytes]:
        nonlocal taken
        for start in range(0, len(body), 65536):
            taken += len(body[start : start + 65536])
            ahead.append(taken - stored)
            yield body[start : start + 65536]

    body = csv_of("MIZU", 110_000)
    ahead: list[int] = []
    monkeypatch.setattr(vault, "call", slow_call)
    _, path = await merchant.open_import()
    answer = await merchant.api.put(path, content=watched(), timeout=60)

    assert answer.status_code == 201
    assert len(body) > 8 * PART_BYTES_MAX
    # One part being stored, one being gathered, and what the sockets hold between the two.
    assert max(ahead) < 4 * PART_BYTES_MAX


async def test_a_file_that_can_not_be_read_is_refused_while_it_arrives(
    merchant: Merchant,
) -> None:
    import_id, path = await merchant.open_import()
    answer = await merchant.api.put(path, content=b"colour,size\nred,4\n")
    again = await merchant.api.put(path, content=csv_of("MIZU", 1))

    assert (answer.status_code, again.status_code) == (422, 422)
    assert answer.json()["error"]["code"] == again.json()["error"]["code"] == "column_missing"
    assert (await merchant.ask(STATE, id=import_id))["import"]["state"] == "REFUSED"
