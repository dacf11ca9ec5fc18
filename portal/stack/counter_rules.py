"""What may leave the embedded stack for the sandbox's company of store numbers.

Stack only. Who pays stands where the relay puts it, in the one call that gives an order to a store;
no other rule may name anybody.
"""

from typing import Final

import msgspec

from portal.egress.rule import Rule

_HOUR_BYTES: Final = 8 * 1024**3
_SHOP: Final = ("ShopID", "ShopPass", "OrderID")
_KEY: Final = (*_SHOP, "AccessID", "AccessPass")
_NUMBER_FIELDS: Final = (
    *_KEY, "Convenience", "CustomerName", "CustomerKana", "TelNo", "PaymentTermDay",
    "ReceiptsDisp11", "ReceiptsDisp12", "ReceiptsDisp13",
)  # fmt: skip
_PAYER: Final = {
    "body:/CustomerName": "{{payer:name}}",
    "body:/CustomerKana": "{{payer:kana}}",
    "body:/TelNo": "{{payer:phone}}",
}


def counter_rules(api_port: int) -> tuple[Rule, ...]:
    """Pages have numbers made; pages and workers ask about them and withdraw them."""
    calls = tuple(
        Rule(
            id=f"sandbox-counter-{kind}-{role}",
            role=role,
            host="counter.sandbox.test",
            port=api_port,
            purpose=f"numbers for stores at the sandbox's company: {kind}",
            bytes_up_per_hour=_HOUR_BYTES,
            methods=("POST",),
            path_prefixes=(f"/payment/{act}.idPass",),
            credentials=("sandbox_counter",),
            fixed={"body:/ShopPass": "{{credential:sandbox_counter}}"},
            fields=fields,
            concurrency_max=256,
            address="127.0.0.1",
            sandbox=True,
        )
        for kind, roles, act, fields in (
            ("register", ("web",), "EntryTranCvs", (*_SHOP, "Amount")),
            ("make", ("web",), "ExecTranCvs", _NUMBER_FIELDS),
            ("ask", ("web", "work"), "SearchTradeMulti", (*_SHOP, "PayType")),
            ("withdraw", ("web", "work"), "CvsCancel", _KEY),
        )
        for role in roles
    )
    return tuple(_with_payer(rule) if rule.id.split("-")[2] == "make" else rule for rule in calls)


def _with_payer(rule: Rule) -> Rule:
    """The rule by which a store hears who pays, in the charset of the company."""
    return msgspec.structs.replace(rule, charset="windows-31j", fixed={**rule.fixed, **_PAYER})
