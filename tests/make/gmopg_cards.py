"""A company that keeps cards and charges them, answering in the words recorded of GMO-PG.

It is more careless than the company can be: whoever names an order's access has that order paid,
whatever OrderID stands beside it, and a member takes the card of any order.
"""

import asyncio
import hashlib
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote

from tests.make.gmopg import errors, paid, recorded, trade
from tests.make.provider import Behaviour, Provider, Seen, answer

Form = dict[str, str]


def access_of(reference: str) -> str:
    """The access of an order, which only the company knows before it says so."""
    return hashlib.md5(reference.encode(), usedforsecurity=False).hexdigest()


@dataclass
class Members:
    """Orders with their sums, and by which member each was paid; ``forms`` as they came in.

    ``cards``: member → the order whose card it has. ``saying`` is what ExecTran says in place of
    charging. A call that is ``lost`` is acted on, and not answered.

    An order with 3-D Secure has its payer led to ``page``, and waits for SecureTran2: ``led`` are
    those orders by their member, ``known`` those whose bank knows the payer, ``refusing`` what
    SecureTran2 says instead of taking the money.
    """

    sums: dict[str, int] = field(default_factory=dict[str, int])
    payers: dict[str, str] = field(default_factory=dict[str, str])
    cards: dict[str, str] = field(default_factory=dict[str, str])
    members: set[str] = field(default_factory=set[str])
    saying: bytes = b""
    page: str = "https://p01.mul-pay.jp/payment/Tds2Redirect?id={access}"
    secure: set[str] = field(default_factory=set[str])
    led: dict[str, str] = field(default_factory=dict[str, str])
    known: set[str] = field(default_factory=set[str])
    refusing: bytes = b""
    lost: str = ""
    forms: list[Form] = field(default_factory=list[Form])

    @property
    def behaviour(self) -> Behaviour:
        """What it does with each request."""

        async def say(provider: Provider, seen: Seen, writer: asyncio.StreamWriter) -> None:
            del provider
            form = dict(parse_qsl(seen.body.decode("ascii"), strict_parsing=True))
            act = seen.line.split(" ")[1].removeprefix("/payment/").removesuffix(".idPass")
            self.forms.append(form | {"act": act})
            said = self._said(act, form)
            if act == self.lost:
                writer.close()
            else:
                date = f"date: {recorded('ExecTran').headers['date']}"
                writer.write(answer(200, said, date))

        return say

    def acts(self) -> list[str]:
        """What it was asked for, in order."""
        return [form["act"] for form in self.forms]

    def _said(self, act: str, form: Form) -> bytes:
        match act:
            case "EntryTran":
                return self._registered(form)
            case "ExecTran":
                return self._charged(form)
            case "SecureTran2":
                return self._secured(form)
            case "SearchTrade" if form["OrderID"] in self.sums:
                return self._found(form["OrderID"])
            case "SaveMember" | "TradedCard":
                return self._kept(act, form["MemberID"], form)
            case _:
                return errors("E01110002").body

    def _kept(self, act: str, member: str, form: Form) -> bytes:
        is_known = member in self.members
        if act == "TradedCard" and is_known:
            self.cards[member] = form["OrderID"]
            return recorded("TradedCard").body
        if is_known or act == "TradedCard":
            return errors("E01390010" if is_known else "E01390002").body
        self.members.add(member)
        return recorded("SaveMember").body.replace(b"1362106780", member.encode())

    def _registered(self, form: Form) -> bytes:
        order = form["OrderID"]
        if order in self.sums:
            return errors("E01040010").body
        self.sums[order] = int(form["Amount"])
        if form.get("TdFlag") == "2":
            self.secure.add(order)
        access = access_of(order)
        return f"AccessID={access}&AccessPass={access[::-1]}".encode()

    def _found(self, order: str) -> bytes:
        amount = self.sums[order]
        if order in self.payers:
            is_asked = {"Tds2TransResult": "Y"} if order in self.secure else {}
            return paid(order, amount, **is_asked).body
        waits = {"Status": "AUTHENTICATED"} if order in self.known else {}
        return trade(order, Amount=str(amount), **waits).body

    def _secured(self, form: Form) -> bytes:
        """It looks at the order's name and password alone, and does it twice."""
        [order] = [one for one in self.sums if access_of(one) == form["AccessID"]]
        if self.refusing or form["AccessPass"] != access_of(order)[::-1]:
            return self.refusing or errors("E01110002").body
        if order not in self.known:
            return errors("E21020002").body
        self.payers[order] = self.led[order]
        said = recorded("ExecTran").body.decode().removeprefix("ACS=0&")
        return said.replace("1362106773", order).encode()

    def _charged(self, form: Form) -> bytes:
        [order] = [one for one in self.sums if access_of(one) == form["AccessID"]]
        if self.saying or form["MemberID"] not in self.cards:
            return self.saying or errors("E01390002").body
        if order in self.secure:
            self.led[order] = form["MemberID"]
            page = self.page.format(access=access_of(order))
            return f"ACS=2&RedirectUrl={quote(page, safe='')}".encode()
        self.payers[order] = form["MemberID"]
        said = recorded("ExecTran").body.decode()
        return said.replace("1362106773", order).encode()
