"""A company that makes numbers for stores, answering in the words that were recorded of GMO-PG."""

import asyncio
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from tests.make.gmopg import at_counter, errors, numbered, recorded
from tests.make.provider import Behaviour, Provider, Seen, answer

Form = dict[str, str]

_UNTIL = "20991231235959"


@dataclass
class Stores:
    """Orders by their OrderID, with how each stands; ``forms`` as they came in.

    One that is ``forgetful`` takes an OrderID twice, which the company never does. Of the ``deaf``
    orders it withdraws none, and says an error that tells nothing.
    """

    forgetful: bool = False
    deaf: set[str] = field(default_factory=set[str])
    status: dict[str, str] = field(default_factory=dict[str, str])
    codes: dict[str, str] = field(default_factory=dict[str, str])
    forms: list[Form] = field(default_factory=list[Form])

    @property
    def behaviour(self) -> Behaviour:
        """What it does with each request: forms in Windows-31J, and no other."""

        async def say(provider: Provider, seen: Seen, writer: asyncio.StreamWriter) -> None:
            del provider
            pairs = parse_qsl(
                seen.body.decode("ascii"), encoding="cp932", errors="strict", strict_parsing=True
            )
            form = dict(pairs)
            act = seen.line.split(" ")[1].removeprefix("/payment/").removesuffix(".idPass")
            self.forms.append(form | {"act": act})
            writer.write(answer(200, self._said(act, form)))

        return say

    def _said(self, act: str, form: Form) -> bytes:
        order = form["OrderID"]
        if act == "CvsCancel" and order in self.deaf:
            act = "deaf"
        match act, self.status.get(order):
            case "EntryTranCvs", known if known is None or self.forgetful:
                self.status[order] = "UNPROCESSED"
                return recorded("EntryTranCvs").body
            case "EntryTranCvs", _:
                return errors("E01040010").body
            case "ExecTranCvs", "UNPROCESSED":
                self.status[order] = "REQSUCCESS"
                self.codes[order] = form["Convenience"]
                told = {"Convenience": form["Convenience"], "PaymentTerm": _UNTIL}
                return numbered(order, **told).body
            case "SearchTradeMulti", str(status):
                code = self.codes.get(order, "")
                told = {"OrderID": order, "Amount": "100", "CvsCode": code, "PaymentTerm": _UNTIL}
                return at_counter(status, **told).body
            case "CvsCancel", "REQSUCCESS":
                self.status[order] = "CANCEL"
                return recorded("CvsCancel").body.replace(b"1365660033", order.encode())
            case _:
                return errors("42C010000" if act == "deaf" else "M01004002").body
