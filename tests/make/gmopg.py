"""Answers of GMO Payment Gateway as they were recorded, and orders in every state beside them.

The recordings (gmopg_recorded.json) name their source and licence; all are years old, those with
3-D Secure hold placeholders. What is made here changes values of a recorded answer, never its form.
"""

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

from portal.kit.outbound.wire import OutboundAnswer

RECORDED = Path(__file__).with_name("gmopg_recorded.json")
PAID_AT = "20130301115932"


@cache
def _answers() -> dict[str, Any]:
    return json.loads(RECORDED.read_text())["answers"]


def recorded(name: str) -> OutboundAnswer:
    """One recorded answer, byte for byte, as the relay would hand it over."""
    said = _answers()[name]
    body = said["body"].encode() if "body" in said else base64.b64decode(said["body_base64"])
    headers = {"content-type": said["content_type"], "date": said["date"]}
    return OutboundAnswer(fate="answered", status=said["status"], headers=headers, body=body)


def trade(
    reference: str, *, at: str = "Fri, 01 Mar 2013 02:59:40 GMT", **fields: str
) -> OutboundAnswer:
    """The recorded inquiry with other values in it; ``at`` dates the answer."""
    body = recorded("SearchTrade").body.decode()
    pairs = dict(item.split("=", 1) for item in body.split("&"))
    unknown = fields.keys() - pairs.keys()
    assert unknown <= {"Currency", "Tds2TransResult"}, unknown
    pairs |= {"OrderID": reference, **fields}
    return OutboundAnswer(
        fate="answered",
        status=200,
        headers={"content-type": "text/plain;charset=Windows-31J", "date": at},
        body="&".join(f"{name}={text}" for name, text in pairs.items()).encode("cp932"),
    )


def paid(reference: str, amount: int = 8420, **fields: str) -> OutboundAnswer:
    """An order that was captured."""
    known = {
        "Status": "CAPTURE",
        "JobCd": "CAPTURE",
        "Amount": str(amount),
        "ProcessDate": PAID_AT,
        "CardNo": "************1111",
        "Approve": "6416276",
        "TranID": "1303011202111111111111198895",
        "Forward": "2a99662",
    }
    return trade(reference, **(known | fields))


def errors(*codes: str) -> OutboundAnswer:
    """An answer that is a list of errors, as the company writes one."""
    kinds = "|".join(code[:3] if code[0] != "4" else code[2:5] for code in codes)
    body = f"ErrCode={kinds}&ErrInfo={'|'.join(codes)}".encode()
    return OutboundAnswer(fate="answered", status=200, body=body)


def numbered(reference: str, **fields: str) -> OutboundAnswer:
    """A number that was made: nobody recorded one, so its fields are those of public clients."""
    known = {
        "OrderID": reference, "Convenience": "10001", "ConfNo": "580512",
        "ReceiptNo": "20153671234", "PaymentTerm": "20130311235959",
        "TranDate": "20130301115940", "CheckString": "0" * 32,
    }  # fmt: skip
    body = "&".join(f"{name}={text}" for name, text in (known | fields).items())
    return OutboundAnswer(fate="answered", status=200, body=body.encode("cp932"))


def at_counter(status: str, **fields: str) -> OutboundAnswer:
    """The recorded inquiry about all kinds, of an order that is paid at a counter."""
    body = recorded("SearchTradeMulti").body.decode()
    pairs = dict(item.split("=", 1) for item in body.split("&"))
    known = {
        "Status": status, "JobCd": "", "PayType": "3", "Amount": "8420", "CvsCode": "10001",
        "CvsConfNo": "580512", "CvsReceiptNo": "20153671234", "PaymentTerm": "20130311235959",
        "TranID": "13030100000002212555",
    }  # fmt: skip
    unknown = (known | fields).keys() - pairs.keys()
    assert unknown <= {"OrderID"}, unknown
    said = "&".join(f"{name}={text}" for name, text in (pairs | known | fields).items())
    return OutboundAnswer(fate="answered", status=200, body=said.encode("cp932"))
