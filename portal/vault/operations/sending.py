"""Data zone, stage "message": staff see how far an import's messages are, hold and end them."""

from typing import Final

import msgspec

from portal.contract.sending import (
    STEER_SENDING,
    VIEW_SENDING,
    RoadLoad,
    SendingView,
    SteerSending,
    ViewSending,
)
from portal.domain.errors import Conflict
from portal.domain.ids import ImportId
from portal.domain.message import split_by_share
from portal.domain.sending import steer
from portal.vault.act import Act
from portal.vault.channels import roads
from portal.vault.db import Row
from portal.vault.imports import read_import
from portal.vault.registry import operation
from portal.vault.sending import HELD_S, move_tasks

_WEB: Final = frozenset({"web"})
_MERCHANT: Final = frozenset({"staff", "api_key"})
_SENT: Final = frozenset({"issuing", "issued"})

_LOCK: Final = """
select id, state, sending from import where merchant_id = $1 and id = $2 for update
"""
_SET: Final = "update import set sending = $3 where merchant_id = $1 and id = $2"
_SENDING: Final = "select sending from import where merchant_id = $1 and id = $2"
_CHUNKS: Final = """
select provider, sum(deliveries)::bigint as planned,
       coalesce(sum(deliveries) filter (where done_at is null), 0)::bigint as waiting
from delivery_chunk where merchant_id = $1 and import_id = $2 group by provider order by provider
"""
_UNFIT: Final = """
select coalesce(sum(w.unfit), 0)::int from delivery_chunk k
join wording_tally w on w.merchant_id = $1 and w.chunk_id = k.id
where k.merchant_id = $1 and k.import_id = $2
"""


@operation(VIEW_SENDING, callers=_WEB, kinds=_MERCHANT, scope="imports:write", audit="none")
async def view_sending(act: Act, request: ViewSending) -> SendingView:
    """How far an import's messages are. Raises: NotFound ``not_found``."""
    return await _view(act, await read_import(act, request.import_id))


@operation(STEER_SENDING, callers=_WEB, kinds=_MERCHANT, scope="imports:write", audit="effect")
async def steer_sending(act: Act, request: SteerSending) -> SendingView:
    """Hold an import's messages, let them go on, or end them; once for a key.

    Raises: Conflict ``import_state`` (param ``state``) before it was decided to send,
        ``sending_state`` (params ``state``, ``event``), ``idempotency_mismatch``; NotFound.
    """
    row = await read_import(act, request.import_id)
    arguments = msgspec.msgpack.encode([request.import_id, request.act])
    if await act.once("steer_sending", request.idempotency_key, arguments) is not None:
        return await _view(act, row)
    locked = await act.db.fetchrow(_LOCK, act.merchant_id, row["id"])
    if locked is None or locked["state"] not in _SENT:
        raise Conflict("import_state", params={"state": row["state"]})
    state = steer(locked["sending"], request.act)
    await act.db.execute(_SET, act.merchant_id, row["id"], state)
    await move_tasks(act, row["id"], due_in_s=HELD_S if state == "paused" else 0.0)
    return await _view(act, row)


async def _view(act: Act, row: Row) -> SendingView:
    import_id = ImportId(row["id"])
    if row["state"] in _SENT:
        chunks = await act.db.fetch(_CHUNKS, act.merchant_id, import_id)
        planned = sum(chunk["planned"] for chunk in chunks)
        left = {chunk["provider"]: chunk["waiting"] for chunk in chunks}
    else:
        planned = row["rows_good"]
        shares = {road.provider: road.share for road in await roads(act, "sms")}
        left = split_by_share(shares, planned) if shares else {}
    unfit = await act.db.fetchval(_UNFIT, act.merchant_id, import_id)
    return SendingView(
        import_id=import_id,
        state=await act.db.fetchval(_SENDING, act.merchant_id, import_id),
        planned=planned,
        left=tuple(RoadLoad(provider=name, left=count) for name, count in left.items() if count),
        unfit=unfit,
    )
