"""Made-up data in the shape of our operations' answers, for every screen and state."""

from typing import Any

ZONE = "Asia/Tokyo"
PAYEE: dict[str, Any] = {
    "name": "あおぞら電力", "zone": ZONE, "smsSender": "0005-0123-45",
    "phone": "0120-000-000", "website": "https://aozora.example",
}  # fmt: skip
VIEWER: dict[str, Any] = {
    "name": "佐藤 結衣", "email": "yui@aozora.example", "role": "OWNER", "openCases": 3,
    "merchant": {"code": "aozora", "name": "あおぞら電力", "zone": ZONE},
}  # fmt: skip


def yen(amount: int) -> dict[str, int]:
    return {"amount": amount}


LINES = [
    {"label": "基本料金", "amount": yen(1870), "taxRatePercent": 10},
    {"label": "電力量料金(第1段階・第2段階)", "amount": yen(6110), "taxRatePercent": 10},
    {"label": "再エネ賦課金", "amount": yen(440), "taxRatePercent": 10},
]


def attempt(**changes: object) -> dict[str, Any]:
    made = {
        "id": "att_01JD0000000000000000000001",
        "method": "card", "state": "failed", "amount": yen(8420),
        "declineCode": "insufficient_funds", "approvalNo": None, "instrumentHint": "4242",
        "number": None,
    }  # fmt: skip
    return made | changes


def offer(method: str, reason: str | None = None, before: int | None = None) -> dict[str, Any]:
    return {
        "method": method, "available": reason is None, "reasonCode": reason,
        "chargeDaysBefore": before, "paysKept": False,
    }  # fmt: skip


def card(**changes: object) -> dict[str, Any]:
    made = {
        "state": "ACTIVE", "brand": "visa", "hint": "4242", "enrolledOn": "2026-11-22",
        "chargeOn": "2026-12-10", "isDeclined": False, "code": None,
    }  # fmt: skip
    return made | changes


def page(state: str, **changes: object) -> dict[str, Any]:
    days_left = {"due_soon": 2, "overdue": -4}.get(state, 18)
    made: dict[str, Any] = {
        "pageRef": "Qk3nZt8v",
        "payee": PAYEE,
        "state": state.upper(),
        "number": "E-2026-11-0048-21",
        "period": "2026-11",
        "payerHint": "ヤマ● ハ●コ",
        "customerHint": "4821",
        "amount": yen(8420),
        "tax": yen(765),
        "lines": LINES,
        "dueOn": "2026-12-10",
        "daysLeft": days_left,
        "checkCode": "4821-77",
        "language": "ja",
        "methods": [offer("card"), offer("wallet")],
        "attempt": None,
        "paidAt": None,
        "givenBack": yen(0),
        "owedBack": yen(0),
        "onItsWayBack": yen(0),
        "pauses": [],
        "left": yen(8420),
        "pay": yen(8420),
        "chosenPart": None,
        "others": [],
        "part": None,
        "choiceRefused": None,
        "shares": [],
        "debitOn": None,
        "card": None,
        "mayRemoveCard": True,
        "mandate": None,
        "takesMandates": False,
        "refunds": {"nodes": [], "mayGive": False, "proof": "STAFF", "triesLeft": 0},
        "billing": {
            "billing": "NONE",
            "mayChoose": True,
            "mayDeny": True,
            "isDenied": False,
        },
        "reminders": [
            {"channel": "SMS", "isWanted": True},
            {"channel": "EMAIL", "isWanted": False},
        ],
        "attemptKey": "01JD0000000000000000000000",
    }
    if state == "declined":
        made["attempt"] = attempt()
    if state == "paid":
        made["attempt"] = attempt(state="succeeded", declineCode=None, approvalNo="104829")
        made["paidAt"] = "2026-11-22T10:20:00.000Z"
    return made | changes


def others(*chosen: str) -> dict[str, Any]:
    """What the page has more where its contract has two other open bills."""
    bills = [("ga3k", "2026-10", "2026-11-10", 7960), ("9pz1", "2026-09", "2026-10-13", 8105)]
    return {
        "others": [
            {"ref": ref, "period": period, "dueOn": due, "amount": yen(amount),
             "isChosen": ref in chosen}
            for ref, period, due, amount in bills
        ],
        "pay": yen(8420 + sum(amount for ref, *_, amount in bills if ref in chosen)),
    }  # fmt: skip


def shares() -> list[dict[str, Any]]:
    """What two bills get of one payment of 16,380 yen."""
    return [
        {"period": "2026-10", "dueOn": "2026-11-10", "amount": yen(7960), "isThis": False},
        {"period": "2026-11", "dueOn": "2026-12-10", "amount": yen(8420), "isThis": True},
    ]


PAGE_STATES = (
    "open", "due_soon", "overdue", "processing", "unclear", "declined", "paid", "canceled",
    "superseded", "lapsed", "provisional", "contested",
)  # fmt: skip

SLIP: dict[str, Any] = {
    "digits": "91929023252070000001234567890026123100084204",
    "lines": ["(91)929023-2520700000012345678900", "261231-0-008420-4"],
    "amount": yen(8420),
    "payUntil": "2026-12-31",
    "atRegisters": False,
    "needsStamp": True,
}

SLIP_LINES: list[dict[str, Any]] = [
    {
        "lineNo": 2, "result": "POSTED", "reason": None, "remedy": None,
        "billNumber": "202611-0000142", "amount": yen(8420),
    },
    {
        "lineNo": 3, "result": "SET_ASIDE", "reason": "当社のものではない払込票の通知です",
        "remedy": None, "billNumber": None, "amount": yen(299_999),
    },
    {
        "lineNo": 4, "result": "REFUSED", "reason": "列の数が違います。",
        "remedy": "収納代行会社のファイルをそのまま送り直してください。", "billNumber": None,
        "amount": yen(0),
    },
]  # fmt: skip


def import_view(state: str, **changes: object) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": "imp_01JD0000000000000000000001",
        "state": state.upper(),
        "filename": "2026年11月分_請求.csv",
        "createdAt": "2026-11-22T01:10:00.000Z",
        "createdBy": "staff:01936f00-0000-7000-8000-000000000001",
        "receivedBytes": 1_903_442,
        "sizeBytes": 1_903_442,
        "rowsSeen": 10_000,
        "rowsGood": 9_881,
        "rowsFaulty": 107,
        "rowsKnown": 12,
        "rowsIssued": 0,
        "amountGood": yen(84_021_183),
    }
    if state == "receiving":
        made |= {"receivedBytes": 700_000, "rowsSeen": 0, "rowsGood": 0, "rowsFaulty": 0,
                 "rowsKnown": 0, "amountGood": yen(0)}  # fmt: skip
    if state == "checking":
        made |= {"rowsGood": 6_218, "rowsFaulty": 64, "rowsKnown": 9, "amountGood": yen(52_771_002)}
    if state == "issuing":
        made["rowsIssued"] = 4_000
    if state == "issued":
        made["rowsIssued"] = 9_881
    return made | changes


def fault(line: int, column: str, code: str, value: str, **params: object) -> dict[str, Any]:
    return {"line": line, "column": column, "code": code, "params": params, "value": value}


FAULTS = [
    fault(48, "phone", "phone_zero_lost", "9012345678"),
    fault(112, "amount", "amount_zero", "0"),
    fault(305, "due_on", "due_past", "2026-10-31", today="2026-11-22"),
    fault(1_221, "amount", "items_sum", "8420", sum=8_400),
    fault(2_048, "", "quote_open", 'E-2026-11-2048,"山田'),
    fault(4_810, "phone", "phone_length", "090-1234-567", digits=10),
    fault(7_777, "payer_name", "empty", ""),
]
FAULT_COUNTS = [
    {"code": "phone_zero_lost", "rows": 61}, {"code": "amount_zero", "rows": 20},
    {"code": "due_past", "rows": 12}, {"code": "items_sum", "rows": 8},
    {"code": "phone_length", "rows": 4}, {"code": "empty", "rows": 2},
]  # fmt: skip


def sending_view(
    state: str = "going", *, left: int, planned: int = 9_881, per_s: float = 100.0
) -> dict[str, Any]:
    return {
        "state": state.upper(), "planned": planned, "left": left, "perS": per_s,
        "secondsLeft": round(left / per_s), "unfit": 212 if left else 0,
    }  # fmt: skip


def import_detail(state: str, **changes: object) -> dict[str, Any]:
    made = import_view(state) | {
        "faultCounts": FAULT_COUNTS,
        "unknownColumns": ["メモ", "担当"] if state == "checked" else [],
        "refusedCode": None,
        "refusedParams": {},
        "waitsFor": [],
        "changes": [],
        "rowsAwaited": 0,
        "sending": sending_view(left={"checked": 9_881, "issuing": 6_200}.get(state, 0)),
        "faults": {"nodes": FAULTS, "pageInfo": {"hasNextPage": True, "endCursor": "abc"}},
    }
    if state in {"receiving", "refused"}:
        made |= {"faultCounts": [], "rowsFaulty": 0, "rowsGood": 0, "rowsKnown": 0,
                 "amountGood": yen(0), "faults": {"nodes": [], "pageInfo": {
                     "hasNextPage": False, "endCursor": None}}}  # fmt: skip
    if state == "refused":
        made |= {"refusedCode": "column_missing", "refusedParams": {"columns": "amount, due_on"}}
    return made | changes


WAITS_FOR = [
    {"importId": "imp_01JD0000000000000000000002", "filename": "2026年11月分_請求 (1).csv",
     "createdAt": "2026-11-22T00:40:00.000Z", "rows": 9_770},
    {"importId": "imp_01JD0000000000000000000003", "filename": "追加分.csv",
     "createdAt": "2026-11-22T00:55:00.000Z", "rows": 12},
]  # fmt: skip


def summary(**changes: object) -> dict[str, Any]:
    paid = [412, 1120, 903, 655, 1204, 980, 1533, 1311, 720, 540, 610, 444, 390, 512]
    made: dict[str, Any] = {
        "requestedBills": 9_881, "requested": yen(84_021_183),
        "paidBills": 6_214, "paid": yen(52_900_412), "returned": yen(128_400),
        "unpaidBills": 3_667, "unpaid": yen(31_120_771),
        "overdueBills": 218, "overdue": yen(1_804_220),
        "neverOpenedBills": 1_364, "undeliveredBills": 87, "openCases": 3,
        "doubtfulBills": 12, "missedPromises": 2, "badContacts": 3,
        "funnel": {"requested": 9_881, "accepted": 9_870, "delivered": 9_783, "opened": 8_517,
                   "paid": 6_214},
        "days": [
            {"day": f"2026-11-{9 + index:02d}", "bills": count, "amount": yen(count * 8_511)}
            for index, count in enumerate(paid)
        ],
        "imports": [
            import_view("checking", id="imp_01JD0000000000000000000002", filename="追加分.csv"),
            import_view("issued"),
        ],
        "asOf": "2026-11-22T10:21:30.000Z",
    }  # fmt: skip
    return made | changes


def empty_summary() -> dict[str, Any]:
    none = dict.fromkeys(("requested", "paid", "returned", "unpaid", "overdue"), yen(0))
    counts = dict.fromkeys(
        ("requestedBills", "paidBills", "unpaidBills", "overdueBills", "neverOpenedBills",
         "undeliveredBills", "openCases", "missedPromises", "badContacts"), 0,
    )  # fmt: skip
    funnel = dict.fromkeys(("requested", "accepted", "delivered", "opened", "paid"), 0)
    return summary(**none, **counts, funnel=funnel, days=[], imports=[])


def bill(place: int, /, **changes: object) -> dict[str, Any]:
    people = ("山田 花子", "髙橋 翔太", "﨑本 さくら", "Emma Clark", "渡邉 健太郎")
    made: dict[str, Any] = {
        "id": f"bill_01JD00000000000000000{place:05d}",
        "number": f"E-2026-11-{place:04d}",
        "customerNo": f"0048-{2100 + place}",
        "payerName": people[place % len(people)],
        "phoneHint": f"090-****-{1234 + place * 7}",
        "period": "2026-11",
        "amount": yen(5_390 + place * 811),
        "dueOn": "2026-12-10",
        "lifecycle": "OPEN",
        "settlement": "UNPAID",
        "message": "DELIVERED",
        "openedAt": None,
        "paidAt": None,
        "givenBack": yen(0),
        "partPaid": yen(0),
        "left": yen(0),
        "pause": None,
        "pauseUntil": None,
    }
    return made | changes


BILLS = [
    bill(1, settlement="SETTLED", paidAt="2026-11-22T09:12:00.000Z",
         openedAt="2026-11-22T09:10:00.000Z"),
    bill(2, openedAt="2026-11-21T11:00:00.000Z", pause="HOLD"),
    bill(3, message="UNDELIVERED"),
    bill(4, lifecycle="OVERDUE", dueOn="2026-11-15", pause="MISSED", pauseUntil="2026-11-20"),
    bill(5, lifecycle="CANCELED"),
    bill(6, settlement="OVER", paidAt="2026-11-20T02:00:00.000Z", givenBack=yen(3_000)),
    bill(7, message="PLANNED", lifecycle="SCHEDULED"),
    bill(8, message="AMBIGUOUS", partPaid=yen(1_000), left=yen(2_000)),
]  # fmt: skip


def event(at: str, code: str, actor: str, **params: object) -> dict[str, Any]:
    return {"at": at, "code": code, "actor": actor, "params": params}


def refund(state: str, /, **changes: object) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": f"rfd_01JD00000000000000000{len(state):05d}",
        "billId": "bill_01JD0000000000000000000048", "billNumber": "E-2026-11-0048-21",
        "state": state, "amount": yen(8_420), "way": "PROVIDER", "reason": "OVERPAID",
        "note": "", "reference": "06A7K2M9Q4T8W00000000000R1", "code": None, "account": None,
        "askedBy": "staff:01936f00-0000-7000-8000-000000000001",
        "askedAt": "2026-11-22T11:00:00.000Z", "approveUntil": None, "decidedBy": None,
        "decidedAt": None, "finishedAt": None, "transferredOn": None, "choices": [],
    }  # fmt: skip
    return made | {"provider": "sandbox_card", "takesAccount": False, "transferOn": None} | changes


REFUNDS = [
    refund("REQUESTED", approveUntil="2026-11-25T11:00:00.000Z", choices=["APPROVE", "WITHDRAW"]),
    refund("BY_BANK_TRANSFER", way="BANK_TRANSFER", choices=["RECORD_TRANSFER", "WITHDRAW"]),
    refund("TRANSFERRED", transferredOn="2026-11-24", note="二重に", choices=["RECORD_RETURN"]),
    refund("FAILED", code="provider_refused", reason="GOODWILL"),
    refund("SUCCEEDED", finishedAt="2026-11-22T11:00:02.000Z"),
]


def debit_file(state: str, /, **changes: object) -> dict[str, Any]:
    """A file of bank debits in a state."""
    made: dict[str, Any] = {
        "id": f"dbf_01JD00000000000000{state[:8].upper():0<8}", "bankName": "みずほ",
        "debitOn": "2026-11-27", "state": state, "count": 4_213, "total": yen(31_482_900),
        "isFull": False, "isOnLine": False, "approveUntil": None,
        "outcomes": {"waiting": 4_213, "succeeded": 0, "succeededTotal": yen(0), "noFunds": 0,
                     "failed": 0, "unknown": 0},
        "refusedResult": "", "recordNo": 0, "checkedLines": None, "resultUrl": None, "choices": [],
    }  # fmt: skip
    return made | changes


_RESULT_URL = "https://pay.example/results/token"
DEBIT_FILES = [
    debit_file("BUILDING", count=0, total=yen(0)),
    debit_file("SEALED", approveUntil="2026-11-25T11:00:00.000Z", choices=["APPROVE", "DISCARD"]),
    debit_file("APPROVED", choices=["DISCARD"], isFull=True),
    debit_file("SENDING", resultUrl=_RESULT_URL, refusedResult="trailer_total", recordNo=4_215),
    debit_file("ACCEPTED", resultUrl=_RESULT_URL, count=999_999, checkedLines=240_000),
    debit_file(
        "ANSWERED", resultUrl=_RESULT_URL,
        outcomes={"waiting": 0, "succeeded": 4_190, "succeededTotal": yen(31_301_100),
                  "noFunds": 18, "failed": 4, "unknown": 1},
    ),
]  # fmt: skip
DEBIT_CONTRACTS = [
    {"id": "dct_01JD0000000000000000000001", "bankName": "みずほ", "collectorCode": "0000012345",
     "nextDebitOn": "2026-12-28", "submitUntil": "2026-12-22T06:00:00.000Z"},
]  # fmt: skip


def mandate(state: str, /, **changes: object) -> dict[str, Any]:
    """A mandate in a state, with what its viewer may say of it."""
    choices = {
        "PENDING_BANK": ["ACTIVATE", "REJECT", "REVOKE"], "ACTIVE": ["SUSPEND", "REVOKE"],
        "SUSPENDED": ["RESUME", "REVOKE"], "REDIRECTED": ["REVOKE"],
    }  # fmt: skip
    made: dict[str, Any] = {
        "id": f"mdt_01JD00000000000000{state[:8].upper():0<8}", "state": state, "code": None,
        "way": "PAPER", "customerHint": "4471", "bankCode": "0005", "bankName": "三菱UFJ",
        "branchName": "ﾏﾙﾉｳﾁ", "accountHint": "****567",
        "createdBy": "staff:01936f00-0000-7000-8000-000000000001",
        "createdAt": "2026-11-02T02:00:00.000Z", "stateAt": "2026-11-20T02:00:00.000Z",
        "choices": choices.get(state, []),
    }  # fmt: skip
    return made | changes


def payer_mandate(state: str, code: str | None = None) -> dict[str, Any]:
    """A mandate as its payer sees it."""
    hint = "****567" if state == "ACTIVE" else ""
    return {
        "id": "mdt_01JD0000000000000000000001", "state": state, "code": code,
        "bankName": "三菱UFJ", "accountHint": hint,
    }  # fmt: skip


MANDATES = [
    mandate("REDIRECTED", way="REDIRECT", accountHint="", createdBy="payer"),
    mandate("PENDING_BANK"),
    mandate("ACTIVE", way="REDIRECT", createdBy="payer"),
    mandate("SUSPENDED", code="stopped_by_payer"),
    mandate("REJECTED", code="seal_differs"),
    mandate("ABANDONED", way="REDIRECT", accountHint="", code="mandate_left", createdBy="payer"),
]
MANDATE_HISTORY = [
    {"at": "2026-11-20T02:00:00.000Z", "actor": "system", "code": "mandate.suspended",
     "reason": "stopped_by_payer"},
    {"at": "2026-11-10T02:00:00.000Z", "actor": "staff:1", "code": "mandate.active",
     "reason": None},
    {"at": "2026-11-02T02:00:00.000Z", "actor": "staff:1", "code": "mandate.handed_in",
     "reason": None},
]  # fmt: skip
NOT_REFUNDABLE: dict[str, Any] = {
    "total": yen(0), "owed": yen(0), "limit": yen(10_000), "payments": []
}  # fmt: skip
REFUNDABLE: dict[str, Any] = {
    "total": yen(16_840), "owed": yen(8_420), "limit": yen(10_000),
    "payments": [
        {"attemptId": f"att_01JD000000000000000000000{n}", "amount": yen(8_420),
         "byProvider": True, "paidAt": f"2026-11-22T1{n}:00:00.000Z"}
        for n in (2, 1)
    ],
}  # fmt: skip


PAUSING: dict[str, Any] = {
    "choices": ["HOLD", "PROMISE", "EXTENSION"], "firstDueOn": "2026-12-10",
    "latestHold": "2027-11-23", "latestPromise": "2026-12-23", "latestExtension": "2027-04-09",
}  # fmt: skip


def paused(kind: str, state: str, **changes: object) -> dict[str, Any]:
    made: dict[str, Any] = {
        "kind": kind, "state": state, "until": "2026-12-20", "wasDueOn": None, "note": "",
        "placedBy": "staff:01936f00-0000-7000-8000-000000000001",
        "placedAt": "2026-11-21T02:00:00.000Z",
    }  # fmt: skip
    return made | changes


PAUSED: dict[str, Any] = {
    "lifecycle": "OVERDUE", "pause": "PROMISE", "pauseUntil": "2026-12-20",
    "pauses": [
        paused("PROMISE", "IN_FORCE", note="お電話で約束"),
        paused("PROMISE", "MISSED", until="2026-11-20"),
        paused("EXTENSION", "PASSED", until="2026-11-18", wasDueOn="2026-11-10"),
        paused("HOLD", "RELEASED", until=None),
    ],
    "pausing": PAUSING | {"choices": ["RELEASE", "HOLD", "PROMISE", "EXTENSION"]},
}  # fmt: skip


def bill_detail(**changes: object) -> dict[str, Any]:
    made = bill(48, number="E-2026-11-0048-21", amount=yen(8_420),
                openedAt="2026-11-22T10:02:00.000Z") | {
        "version": 3, "contractNo": "K-100048", "emailHint": "h***@example.jp",
        "resendChannels": ["SMS", "EMAIL", "VOICE"],
        "messages": [
            {"channel": "email", "provider": "smtp", "state": "accepted",
             "plannedAt": "2026-11-23T01:00:00.000Z", "sentAt": "2026-11-23T01:00:02.000Z",
             "deliveredAt": None, "openedAt": None, "paidAt": None, "costHundredths": None},
            {"channel": "sms", "provider": "sandbox_sms", "state": "delivered",
             "plannedAt": "2026-11-20T01:00:00.000Z", "sentAt": "2026-11-20T01:00:01.000Z",
             "deliveredAt": "2026-11-20T01:00:04.000Z", "openedAt": "2026-11-22T10:02:00.000Z",
             "paidAt": None, "costHundredths": 800},
        ],
        "checkCode": "4821-77", "tax": yen(765), "lines": LINES,
        "attempts": [
            {"method": "card", "provider": "sandbox_card", "state": "failed",
             "amount": yen(8_420), "payment": yen(16_380), "shares": [
                 {"billId": "bill_01JD0000000000000000000047", "billNumber": "E-2026-10-0048-21",
                  "amount": yen(7_960)},
                 {"billId": "bill_01JD0000000000000000000048", "billNumber": "E-2026-11-0048-21",
                  "amount": yen(8_420)}],
             "reference": "AOZ-01JD0A7K2M9Q4T8W", "declineCode":
             "insufficient_funds", "createdAt": "2026-11-22T10:01:00.000Z"},
        ],
        "events": [
            event("2026-11-22T10:02:10.000Z", "payment.failed", "system", bills=2,
                  of_minor=16_380),
            event("2026-11-22T10:01:02.000Z", "payment.redirected", "payer"),
            event("2026-11-22T10:01:00.000Z", "payment.started", "payer"),
            event("2026-11-20T00:00:00.000Z", "bill.issued", "system"),
        ],
        "refunds": [], "refundable": NOT_REFUNDABLE,
        "pauses": [], "pausing": PAUSING, "card": None,
    }  # fmt: skip
    return made | changes


KEYS = [
    {"id": "key_01JD0000000000000000000001", "name": "料金計算システム",
     "scopes": ["BILLS_READ", "IMPORTS_WRITE"], "createdAt": "2026-11-01T00:00:00.000Z",
     "revokedAt": None, "lastUsedAt": "2026-11-22T10:00:00.000Z"},
    {"id": "key_01JD0000000000000000000002", "name": "古い連携",
     "scopes": ["BILLS_READ"], "createdAt": "2026-10-01T00:00:00.000Z",
     "revokedAt": "2026-10-20T00:00:00.000Z", "lastUsedAt": None},
]  # fmt: skip


def case(kind: str, /, **changes: object) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": "case_01JD0000000000000000000001",
        "kind": kind,
        "params": {},
        "seen": 1,
        "openedAt": "2026-11-22T08:41:00.000Z",
        "lastSeenAt": "2026-11-22T08:41:00.000Z",
        "bill": None, "import": None, "attempt": None, "refund": None,
        "waiting": 0,
        "movedOn": False,
        "choices": [{"action": "RESTART", "needsNote": False},
                    {"action": "LET_BE", "needsNote": True}],
        "closedAt": None, "closedBy": None, "resolution": None,
        "note": "",
    }  # fmt: skip
    return made | changes


_A_BILL = {"id": "bill_01JD0000000000000000000048", "number": "E-2026-11-0048-21", "over": yen(0)}
_AN_IMPORT = {"id": "imp_01JD0000000000000000000001", "filename": "2026年11月分_請求.csv"}
_AN_ATTEMPT = {
    "id": "att_01JD0000000000000000000001", "state": "unknown", "provider": "sandbox_card",
    "reference": "AOZ-01JD0A7K2M9Q4T8W", "amount": yen(8_420),
}  # fmt: skip
_BY_HAND = [{"action": "SETTLED_BY_HAND", "needsNote": True}]
_ASK = [{"action": "ASK_AGAIN", "needsNote": False},
        {"action": "SETTLED_BY_HAND", "needsNote": True}]  # fmt: skip

_A_REFUND = {
    "id": "rfd_01JD0000000000000000000001", "state": "RESERVED",
    "reference": "06A7K2M9Q4T8W00000000000R1", "amount": yen(8_420),
}  # fmt: skip
CASES = [
    case("TASK_INTAKE_ACCEPT_CHUNK", waiting=2, params={"code": "workers_lost"},
         **{"import": _AN_IMPORT | {"state": "CHECKING"}}),
    case("TASK_INTAKE_ISSUE_BILLS", waiting=412, params={"code": "task_broke"},
         **{"import": _AN_IMPORT | {"state": "ISSUING"}}),
    case("TASK_INTAKE_DISCARD_BILLS", **{"import": _AN_IMPORT | {"state": "DISCARDING"}}),
    case("TASK_MESSAGE_SEND_CHUNK", waiting=381, seen=3, params={"code": "credential_refused"},
         lastSeenAt="2026-11-22T10:02:00.000Z", **{"import": _AN_IMPORT | {"state": "ISSUED"}}),
    case("TASK_PAYMENT_INQUIRE", bill=_A_BILL, attempt=_AN_ATTEMPT),
    case("TASK_PAYMENT_PASS_DUE"),
    case("OVERPAID", bill=_A_BILL | {"over": yen(8_420)}, seen=2,
         choices=[{"action": "SETTLED_BY_HAND", "needsNote": True}]),
    case("LATE_SUCCESS", bill=_A_BILL, attempt=_AN_ATTEMPT | {"state": "succeeded"},
         choices=[{"action": "LET_BE", "needsNote": False},
                  {"action": "SETTLED_BY_HAND", "needsNote": True}]),
    case("AMOUNT_MISMATCH", bill=_A_BILL, attempt=_AN_ATTEMPT, choices=_ASK),
    case("PROVIDER_CONTRADICTS", bill=_A_BILL, attempt=_AN_ATTEMPT | {"state": "succeeded"},
         choices=_ASK),
    case("ATTEMPT_UNRESOLVED", bill=_A_BILL, attempt=_AN_ATTEMPT, choices=_ASK),
    case("TASK_PAYMENT_REFUND", bill=_A_BILL, attempt=_AN_ATTEMPT, refund=_A_REFUND),
    case("TASK_PAYMENT_REFUND_INQUIRE", bill=_A_BILL, attempt=_AN_ATTEMPT, refund=_A_REFUND),
    case("REFUND_FAILED", bill=_A_BILL, attempt=_AN_ATTEMPT,
         refund=_A_REFUND | {"state": "FAILED"},
         choices=[{"action": "LET_BE", "needsNote": False},
                  {"action": "SETTLED_BY_HAND", "needsNote": True}]),
    case("REFUND_UNRESOLVED", bill=_A_BILL, attempt=_AN_ATTEMPT,
         refund=_A_REFUND | {"state": "UNKNOWN"}, choices=_ASK),
    case("REFUND_CONTRADICTS", bill=_A_BILL, attempt=_AN_ATTEMPT,
         refund=_A_REFUND | {"state": "SUCCEEDED"}, choices=_ASK),
    case("TASK_DEBIT_FILL", params={"code": "task_broke"}),
    case("TASK_DEBIT_BOOK", params={"code": "task_broke"}),
    case("DEBIT_UNCLEAR", params={"count": 3, "day": "2026-11-27"}, choices=_BY_HAND),
    case("DEBIT_UNEXPECTED", params={"count": 1, "day": "2026-11-27"}, choices=_BY_HAND),
    case("CHARGED_BACK", bill=_A_BILL, attempt=_AN_ATTEMPT | {"state": "succeeded"},
         params={"amount_minor": 8420, "taken_minor": 8420, "reason": "fraudulent",
                 "respond_by": "2026-12-03T15:00:00+00:00"},
         choices=[{"action": "SETTLED_BY_HAND", "needsNote": True},
                  {"action": "LET_BE", "needsNote": True}]),
    case("CHARGEBACK_LOST", bill=_A_BILL, attempt=_AN_ATTEMPT | {"state": "succeeded"},
         params={"amount_minor": 8420, "taken_minor": 8420, "bills": 2},
         choices=[{"action": "ASK_TO_PAY", "needsNote": False},
                  {"action": "LET_BE", "needsNote": True}]),
    case("DEBIT_CONTRADICTS", bill=_A_BILL, attempt=_AN_ATTEMPT | {"provider": "bank_debit"},
         choices=_BY_HAND),
]  # fmt: skip
"""One of each kind."""

SETTLED_CASE = case(
    "OVERPAID", bill=_A_BILL, choices=[], closedAt="2026-11-22T11:00:00.000Z",
    closedBy="staff:01936f00-0000-7000-8000-000000000001", resolution="SETTLED_BY_HAND",
    note="11月22日に山田様の口座へ振込で返金。\n受付番号 4821-77",
)  # fmt: skip
PASSED_CASE = case(
    "TASK_PAYMENT_INQUIRE", bill=_A_BILL, attempt=_AN_ATTEMPT | {"state": "succeeded"},
    movedOn=True, choices=[{"action": "LET_BE", "needsNote": False},
                           {"action": "SETTLED_BY_HAND", "needsNote": True}],
)  # fmt: skip
CASE_OF_OWNERS = case("OVERPAID", bill=_A_BILL | {"over": yen(8_420)}, choices=[])
"""What a clerk sees of one that takes an owner."""

CLERK = VIEWER | {"name": "田中 亮", "email": "ryo@aozora.example", "role": "CLERK"}
