"""Made-up files back to a billing system, for the gallery."""

from typing import Any

from samples import yen

RESULT_PLAN: dict[str, Any] = {
    "everyMinutes": None, "dailyHour": 6, "charset": "SHIFT_JIS",
    "nextAt": "2026-11-22T21:00:00.000Z",
}  # fmt: skip


def _result_file(number: int, state: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "number": number, "state": state, "charset": "SHIFT_JIS", "rows": 812_304,
        "sha256": "" if state == "WRITING" else f"{number:02x}" * 32,
        "totals": [
            {"kind": "SENT", "rows": 412_101, "amount": yen(0)},
            {"kind": "DELIVERED", "rows": 398_455, "amount": yen(0)},
            {"kind": "PAID_CONFIRMED", "rows": 1_744, "amount": yen(14_388_220)},
            {"kind": "REFUNDED", "rows": 4, "amount": yen(38_120)},
        ],
        "path": f"/result-files/{number}", "madeBy": "system",
        "madeAt": "2026-11-21T21:00:00.000Z", "fetchedAt": None, "acknowledgedBy": None,
        "acknowledgedAt": None, "isLate": False, "isThere": True, **more,
    }  # fmt: skip


RESULT_FILES: list[dict[str, Any]] = [
    _result_file(12, "WRITING", rows=2_500, totals=[], madeBy="staff:01936f00"),
    _result_file(11, "READY", isLate=True, fetchedAt="2026-11-21T21:04:00.000Z"),
    _result_file(
        10, "ACKNOWLEDGED", acknowledgedBy="api_key:01936f00",
        acknowledgedAt="2026-11-20T21:05:00.000Z", isThere=False,
    ),
]  # fmt: skip


def _channel(name: str, planned: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "channel": name, "planned": planned, "sent": planned, "delivered": planned * 9 // 10,
        "ambiguous": 0, "opened": planned * 7 // 10, "paid": planned // 2,
        "costHundredths": planned * 300, "doubtfulHundredths": 0, **more,
    }  # fmt: skip


FUNNEL: dict[str, Any] = {
    "issued": 412_880, "unopened": 13_646, "sent": 412_871, "delivered": 388_102,
    "opened": 311_020, "paid": 268_100, "ambiguous": 12,
    "reachable": ["SMS", "EMAIL"],
    "channels": [
        _channel("", 0, sent=0, delivered=0, opened=201, paid=90, costHundredths=0),
        _channel("email", 20_100, costHundredths=None),
        _channel("sms", 412_101, ambiguous=12),
    ],
}  # fmt: skip

NO_FILES: dict[str, Any] = {
    "plan": None, "waiting": 0, "nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None},
}  # fmt: skip
FILES: dict[str, Any] = {
    "plan": RESULT_PLAN, "waiting": 1_204, "nodes": RESULT_FILES,
    "pageInfo": {"hasNextPage": True, "endCursor": "c"},
}  # fmt: skip

FAILED_DEBITS: dict[str, Any] = {
    "seenBefore": True, "succeeded": 4_182, "errors": [],
    "lines": [
        {"recordNo": 2 + place, "result": result, "billNumber": number, "amount": yen(8_420)}
        for place, (result, number) in enumerate([
            ("TOLD", "202611-0000142"), ("KNOWN", "202611-0000871"), ("UNDER_WAY", "202611-1"),
            ("NOT_OWED", None), ("UNMATCHED", None), ("UNCLEAR", None),
        ])
    ],
}  # fmt: skip


def failed_file(state: str, **counts: int) -> dict[str, Any]:
    """A file of the merchant's own failed debits."""
    none = dict.fromkeys(("told", "known", "underWay", "notOwed", "unmatched", "unclear"), 0)
    return {
        "id": "fdf_01JD0000000000000000000000", "state": state, "lines": 31_204,
        "succeeded": 268_796, "takenAt": "2026-11-22T10:20:00.000Z", **none, **counts,
    }  # fmt: skip


FAILED_FILES = [
    failed_file("TELLING", told=11_930, unmatched=70),
    failed_file("TOLD", told=30_871, known=12, underWay=105, notOwed=98, unmatched=101, unclear=17),
]
