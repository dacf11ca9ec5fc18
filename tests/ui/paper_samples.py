"""What the screens of paper and contacts show in the gallery."""

from typing import Any

from samples import yen

PRINT_BATCHES: list[dict[str, Any]] = [
    {
        "id": "prt_01JD0000000000000000000002", "charset": "SHIFT_JIS", "bills": 212,
        "withBars": 210, "total": yen(1_844_210), "madeBy": "staff:01936f00", "takenAt": None,
        "sha256": "9f" * 32, "handedAt": None, "handedBy": "",
        "madeAt": "2026-11-22T08:41:00.000Z", "isThere": True,
        "remarks": [
            {"billNumber": "202611-0000142", "reason": "LETTERS", "letters": "𠮷"},
            {"billNumber": "202611-0000871", "reason": "NO_WAY", "letters": ""},
        ],
    },
    {
        "id": "prt_01JD0000000000000000000001", "charset": "UTF_8", "bills": 1, "withBars": 1,
        "total": yen(8_420), "madeBy": "staff:01936f00", "madeAt": "2026-08-01T08:41:00.000Z",
        "takenAt": "2026-08-01T08:45:00.000Z", "sha256": "", "handedAt": "2026-08-01T09:00:00.000Z",
        "handedBy": "staff:01936f00", "isThere": False, "remarks": [],
    },
]  # fmt: skip

CONTACTS: dict[str, Any] = {
    "contactProblemCounts": [
        {"problem": "FAULTY", "count": 12}, {"problem": "DOUBTED", "count": 1},
        {"problem": "RECYCLED", "count": 0}, {"problem": "SHARED", "count": 3},
        {"problem": "MISSING", "count": 214},
    ],
    "contactProblems": {
        "nodes": [
            {
                "billId": "bill_01JD0000000000000000000001", "billNumber": "202611-0000142",
                "contact": "PHONE", "hint": "090-****-1234", "code": "bounced",
                "since": "2026-11-20T03:00:00.000Z", "contracts": 1,
            },
            {
                "billId": "bill_01JD0000000000000000000002", "billNumber": "202611-0000871",
                "contact": "EMAIL", "hint": "t***@example.jp", "code": "complained",
                "since": "2026-11-19T03:00:00.000Z", "contracts": 1,
            },
        ],
        "pageInfo": {"hasNextPage": True, "endCursor": "next"},
    },
}  # fmt: skip

PAPER: dict[str, Any] = {
    "paperSaved": {
        "savedMonth": 18_204, "unsaidMonth": 3, "savedYear": 140_118,
        "savedMonthAmount": yen(1_711_176),
        "savedYearAmount": yen(13_171_092), "printedMonth": 1_204,
        "contracts": [
            {"billing": "PARALLEL", "contracts": 3_120},
            {"billing": "DIGITAL", "contracts": 18_230},
            {"billing": "PAPER", "contracts": 88},
        ],
    },
    "contractBillings": {
        "nodes": [
            {
                "billId": "bill_01JD0000000000000000000001", "billNumber": "202611-0000142",
                "billing": "DIGITAL", "reason": "", "seen": 2, "isVerified": True,
                "since": "2026-10-20T03:00:00.000Z",
            },
        ],
        "pageInfo": {"hasNextPage": False, "endCursor": None},
    },
}  # fmt: skip
