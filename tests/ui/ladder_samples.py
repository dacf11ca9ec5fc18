"""Made-up plans of messages for the gallery: one that holds, and a draft with faults."""

from typing import Any

PLAN: dict[str, Any] = {
    "ladders": [
        {
            "billKind": "",
            "rungs": [
                {
                    "when": "ISSUE", "channel": "SMS", "days": 0, "unless": "NOTHING",
                    "kind": "TRANSACTIONAL",
                },
                {
                    "when": "AFTER_ISSUE", "channel": "EMAIL", "days": 3, "unless": "OPENED",
                    "kind": "TRANSACTIONAL",
                },
                {
                    "when": "AFTER_FAILURE", "channel": "VOICE", "days": 1, "unless": "NOTHING",
                    "kind": "TRANSACTIONAL",
                },
            ],
        },
        {"billKind": "once", "rungs": []},
    ],
    "hours": {
        "quietFrom": "21:00", "quietUntil": "08:00", "rests": True, "perDay": 2, "perWeek": 5
    },
}  # fmt: skip
KNOWN: dict[str, Any] = {
    "version": 2,
    "plan": PLAN,
    "versions": [
        {
            "version": version, "plan": PLAN, "setBy": who, "setAt": "2026-11-20T02:00:00.000Z"
        }
        for version, who in ((2, "staff:01936f00-0000-7000-8000-000000000001"), (1, "operator"))
    ],
    "roads": ["SMS", "EMAIL"],
    "today": "2026-11-20",
}  # fmt: skip
SUPPOSED = {"kind": "", "due_on": "2026-12-18", "opens": ""}
FORESEEN: dict[str, Any] = {
    "faults": [],
    "foreseen": [
        {"rung": 0, "at": "2026-11-20T23:00:00.000Z", "skipped": None, "held": "quiet_hours"},
        {"rung": 1, "at": "2026-11-23T23:00:00.000Z", "skipped": "opened", "held": ""},
        {"rung": 2, "at": None, "skipped": None, "held": ""},
    ],
}
FAULTY: dict[str, Any] = {
    "faults": [
        {
            "code": "days", "message": "日数は1から366までです。", "billKind": "", "rung": 1,
            "field": "days",
        },
        {
            "code": "cap", "message": "1から100までの整数を入れてください。", "billKind": "",
            "rung": None, "field": "per_week",
        },
    ],
    "foreseen": [],
}  # fmt: skip
