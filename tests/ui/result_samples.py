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
