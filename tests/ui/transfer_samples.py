"""Made-up files of transfers, for the gallery."""

from typing import Any

from samples import yen


def _file(state: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    made: dict[str, Any] = {
        "id": f"trf_01JD00000000000000{state[:8].upper():0<8}", "bankName": "みずほ",
        "transferOn": "2026-11-27", "state": state, "count": 42, "total": yen(318_420),
        "sha256": "3fa9" * 16, "isFull": False, "isOnLine": False, "builtBy": "staff:1",
        "approveUntil": None,
        "outcomes": {"waiting": 42, "transferred": 0, "transferredTotal": yen(0), "returned": 0,
                     "released": 0},
        "choices": [],
    }  # fmt: skip
    return made | changes


SEALED = _file("SEALED", approveUntil="2026-11-26T06:00:00.000Z", choices=["APPROVE", "DISCARD"])
TRANSFER_FILES = [
    _file("BUILDING", count=0, total=yen(0), sha256=""),
    SEALED,
    _file("APPROVED", choices=["DISCARD"], isFull=True, isOnLine=True),
    _file("UNKNOWN"),
    _file(
        "ACCEPTED",
        outcomes={"waiting": 0, "transferred": 41, "transferredTotal": yen(315_420), "returned": 1,
                  "released": 0},
    ),
    _file(
        "REJECTED",
        outcomes={"waiting": 0, "transferred": 0, "transferredTotal": yen(0), "returned": 0,
                  "released": 42},
    ),
]  # fmt: skip
TRANSFER_CONTRACTS = [
    {"id": "trc_01JD0000000000000000000001", "bankName": "みずほ", "companyCode": "0000054321",
     "nextOn": "2026-11-27", "submitUntil": "2026-11-26T06:00:00.000Z"},
]  # fmt: skip


def page(files: list[Any], contracts: list[Any]) -> dict[str, Any]:
    """The list of files."""
    return {
        "nodes": files, "contracts": contracts, "waiting": 12, "waitingTotal": yen(101_040),
        "accountless": 3, "pageInfo": {"hasNextPage": bool(files), "endCursor": "next"},
    }  # fmt: skip


_PAYEES = (("ﾔﾏﾀﾞ ﾊﾅｺ", "IN_FILE"), ("ｶ)ｱｵｿﾞﾗｼﾖｳｶｲ", "TRANSFERRED"), ("ｻﾄｳ ｼﾞﾛｳ", "RETURNED"))


def one(file: dict[str, Any]) -> dict[str, Any]:
    """One file with its payees."""
    return {
        "file": file,
        "lines": [
            {"lineNo": no, "billId": "bill_01JD0000000000000000000048",
             "billNumber": "E-2026-11-0048-21", "bankName": "三菱ＵＦＪ", "holder": holder,
             "accountHint": "****567", "amount": yen(8_420), "state": state}
            for no, (holder, state) in enumerate(_PAYEES, 1)
        ],
        "endLine": 3,
    }  # fmt: skip
