"""Payment slips: the payer's number, what an agency tells about it, and a merchant's terms."""

from datetime import date
from typing import Literal

from portal.contract.envelope import Nothing, Operation, Part, Reply, Request
from portal.domain.slip import LineResult


class SlipView(Reply, frozen=True, kw_only=True):
    """The slip of the bill of this authority. Units: yen.

    ``digits``: all 44; ``lines``: as they are printed below the bars. ``pay_until``: the last day.
    ``at_registers``: whether shops of this agency take it from a telephone's screen.
    """

    digits: str
    lines: tuple[str, str]
    amount_minor: int
    pay_until: date
    at_registers: bool
    needs_stamp: bool


class TakeSlipNotices(Request, frozen=True, kw_only=True):
    """A piece of an agency's file, whole lines only, at most 500; ``first_line`` counts from 1.

    ``sha256`` (hexadecimal) is the whole file's: the same file again is told apart by it.
    Refused: ``file_malformed``, ``too_many_lines``, ``slips_not_offered``.
    """

    sha256: str
    first_line: int
    body: bytes


class SlipLine(Part, frozen=True, kw_only=True):
    """The verdict on one line. ``reason`` is a case's kind, or why it could not be read ("": none).

    ``remedy`` says whom to turn to: ``ask_agency``, ``send_again``, ``convert_cp932`` or "".
    ``bill_number``: of the bill it is about, "" if none of this merchant's.
    """

    line_no: int
    result: LineResult
    reason: str = ""
    remedy: str = ""
    bill_number: str = ""
    amount_minor: int = 0


class SlipNoticesTaken(Reply, frozen=True, kw_only=True):
    """A verdict for every line; ``seen_before``: this piece of this file was taken earlier."""

    lines: tuple[SlipLine, ...]
    seen_before: bool


class RecordSlipNotice(Request, frozen=True, kw_only=True):
    """What an agency tells at once, in its file's form; whose signature was checked at the door.

    Only that a till took or gave back money is believed of it; what confirms comes by file.
    Refused: ``merchant_unknown``, ``provider_unknown``, ``notice_malformed``.
    """

    merchant_code: str
    provider: str
    raw: bytes


class SlipNoticeRecorded(Reply, frozen=True, kw_only=True):
    """How many lines were new."""

    fresh: int


class SetSlipTerms(Request, frozen=True, kw_only=True):
    """What a merchant agreed to with its collection agency. Units: yen, days.

    ``offered`` False: no new slip is made out. ``transfer_text``: what a print shop puts on the
    bills that no slip can carry; None: as it is. Refused: ``text_too_long``, ``control_character``,
    ``card_number_refused``, ``merchant_unknown``,
    ``provider_unknown``, and what check_terms refuses.
    """

    merchant_code: str
    agency: str
    maker_code: str
    company_code: str
    amount_min: int = 1
    amount_max: int = 300_000
    is_public_money: bool = False
    scans_screens: bool = False
    days_open: int = 14
    grace_days: int = 14
    offered: bool = True
    transfer_text: str | None = None


class SlipTermsSet(Reply, frozen=True, kw_only=True):
    """What holds from now on."""

    offered: bool


SlipWay = Literal["file", "notice"]
"""How a notice came."""

SHOW_SLIP = Operation("show_slip", Nothing, SlipView)
TAKE_SLIP_NOTICES = Operation("take_slip_notices", TakeSlipNotices, SlipNoticesTaken)
RECORD_SLIP_NOTICE = Operation("record_slip_notice", RecordSlipNotice, SlipNoticeRecorded)
SET_SLIP_TERMS = Operation("set_slip_terms", SetSlipTerms, SlipTermsSet)
