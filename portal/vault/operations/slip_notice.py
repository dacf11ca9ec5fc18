"""Data zone: an agency's notices come in, by its files and at once; kept, judged, booked.

A file is the agency's word and can confirm; what comes at once only says what tills did, and moves
nothing that is money yet.
"""

import re
from typing import Final

import msgspec

from portal.contract.slip import (
    RECORD_SLIP_NOTICE,
    TAKE_SLIP_NOTICES,
    RecordSlipNotice,
    SlipLine,
    SlipNoticeRecorded,
    SlipNoticesTaken,
    TakeSlipNotices,
)
from portal.domain.errors import Conflict, InvalidInput, NotFound
from portal.domain.slip_file import NoticeLine, read_notices
from portal.domain.slip_notice import NoticeKind
from portal.vault.act import Act
from portal.vault.operations.notice import BODY_TABLE
from portal.vault.payer import enter_merchant
from portal.vault.registry import operation
from portal.vault.slip import read_terms
from portal.vault.slip_notice import take_notices

LINES_MAX: Final = 500
BODY_BYTES_MAX: Final = 256 * 1024
NOTICE_LINES_MAX: Final = 100

BELIEVED_AT_ONCE: Final[frozenset[NoticeKind]] = frozenset({"provisional", "reversal"})
"""What a notice that is no file may say: it can be taken back, so it is no money yet."""

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_ONCE: Final = "slip_file"
_WEB: Final = frozenset({"web"})
_KEEP_BODY: Final = """
insert into notice_body (merchant_id, id, provider, received_at, body) values ($1, $2, $3, $4, $5)
"""


@operation(TAKE_SLIP_NOTICES, callers=_WEB, kinds=frozenset({"staff"}), audit="effect")
async def take_slip_notices(act: Act, request: TakeSlipNotices) -> SlipNoticesTaken:
    """Take a piece of an agency's file: a verdict for every line, each effect once.

    The same piece of the same file gets the same verdicts again. A line about a slip that is not
    this merchant's is kept and not booked.

    Raises: InvalidInput ``file_malformed``, ``too_many_lines`` (param ``most``); Conflict
    ``not_offered`` for a merchant without terms, ``idempotency_mismatch``.
    """
    if not _SHA256.fullmatch(request.sha256) or request.first_line < 1:
        raise InvalidInput("file_malformed")
    if len(request.body) > BODY_BYTES_MAX:
        raise InvalidInput("too_many_lines", params={"most": LINES_MAX})
    key = f"{request.sha256}:{request.first_line}"
    known = await act.once(_ONCE, key, request.body)
    if known is not None:
        lines = msgspec.msgpack.decode(known, type=tuple[SlipLine, ...])
        return SlipNoticesTaken(lines=lines, seen_before=True)
    found = await read_terms(act)
    if found is None:
        raise Conflict("not_offered")
    read = list(read_notices([request.body], found[0].name, request.first_line))
    if len(read) > LINES_MAX:
        raise InvalidInput("too_many_lines", params={"most": LINES_MAX})
    lines = await _verdicts(act, read)
    await act.answer_once(_ONCE, key, msgspec.msgpack.encode(lines))
    return SlipNoticesTaken(lines=lines, seen_before=False)


async def _verdicts(act: Act, read: list[NoticeLine]) -> tuple[SlipLine, ...]:
    told = [(line.line_no, line.notice) for line in read if line.notice is not None]
    taken = {line.line_no: line for line in await take_notices(act, told, "file")}
    return tuple(
        taken.get(line.line_no)
        or SlipLine(
            line_no=line.line_no,
            result="refused",
            reason=line.reason,
            remedy=line.remedy or "",
        )
        for line in read
    )


@operation(RECORD_SLIP_NOTICE, callers=_WEB, kinds=frozenset({"caller"}), audit="effect")
async def record_slip_notice(act: Act, request: RecordSlipNotice) -> SlipNoticeRecorded:
    """Take what an agency tells at once: that a till took money or gave it back.

    Confirmations are kept with the rest of what came and wait for their file.

    Raises: NotFound ``merchant_unknown``, ``provider_unknown``; InvalidInput ``notice_malformed``,
    ``notice_too_large``.
    """
    if len(request.raw) > BODY_BYTES_MAX:
        raise InvalidInput("notice_too_large")
    if not await enter_merchant(act, request.merchant_code):
        raise NotFound("merchant_unknown")
    found = await read_terms(act)
    if found is None or found[0].name != request.provider:
        raise NotFound("provider_unknown")
    read = list(read_notices([request.raw], request.provider))
    if not 0 < len(read) <= NOTICE_LINES_MAX or any(line.notice is None for line in read):
        raise InvalidInput("notice_malformed")
    told = [
        (line.line_no, line.notice)
        for line in read
        if line.notice is not None and line.notice.kind in BELIEVED_AT_ONCE
    ]
    lines = await take_notices(act, told, "notice")
    fresh = sum(line.result != "duplicate" for line in lines)
    if fresh or not told:
        await _keep_body(act, request)
    return SlipNoticeRecorded(fresh=fresh)


async def _keep_body(act: Act, request: RecordSlipNotice) -> None:
    body_id = act.new_id()
    fields = await act.fields()
    sealed = fields.seal_bytes(BODY_TABLE, "document", body_id, 1, request.raw)
    await act.db.execute(_KEEP_BODY, act.merchant_id, body_id, request.provider, act.now, sealed)
