"""The payer's pages about a refund's account, for the gallery."""

from collections.abc import Callable, Mapping
from urllib.parse import quote

import samples
from starlette.requests import Request
from starlette.responses import Response

from portal.application.doors.pages import bill_page
from portal.application.doors.refund_account import Said, account_page
from portal.domain.refund_account import RefundAccount
from portal.kit.banks import banks

Make = Callable[[Request], Response]
CSRF = "csrf-of-the-gallery"
TYPED = {"symbol": "", "kind": "1", "number": "0123456", "holder": "ヤマダ ハナコ"}
ACCOUNT = RefundAccount(
    bank_code="0001", branch_code="001", kind="1", number="0123456", holder="ﾔﾏﾀﾞ ﾊﾅｺ"
)
CHOSEN = "bank=0001&branch=001"


def page_account(source: str) -> dict[str, object]:
    """An account as a page shows it."""
    return {
        "bankName": "みずほ", "branchName": "東京営業部", "accountHint": "****456",
        "holderHint": "ヤ** ハ**", "source": source,
    }  # fmt: skip


def refunded(account: dict[str, object] | None = None, **more: object) -> Mapping[str, object]:
    """A paid bill of which money is transferred back."""
    node = {
        "amount": samples.yen(8_420), "isOpen": True, "account": account,
        "transferOn": "2026-12-02" if account else None,
    }  # fmt: skip
    refunds = {"nodes": [node], "mayGive": True, "proof": "PHONE", "triesLeft": 5} | more
    return samples.page("paid", onItsWayBack=samples.yen(8_420), refunds=refunds)


def bill(account: dict[str, object] | None = None, **more: object) -> Make:
    """The bill's page."""
    return lambda request: bill_page(request, refunded(account, **more), csrf=CSRF)


def asked(query: str, said: Said | None = None, **more: object) -> Make:
    """The page for the account at an address."""

    def answer(request: Request) -> Response:
        here = Request(request.scope | {"query_string": quote(query, safe="=&").encode()})
        shown = dict(refunded(**more))  # type: ignore[arg-type]
        page = account_page(here, shown, banks(), said or Said(), csrf=CSRF)
        page.status_code = 200  # a browser complains of any other on its console
        return page

    return answer


def wrong(code: str, field: str, **params: str | int) -> dict[str, object]:
    """Why it was not taken."""
    return {"code": code, "params": params, "field": field}


PAGES: dict[str, Make] = {
    "page-refund-asks": bill(),
    "page-refund-known": bill(page_account("PAYER")),
    "page-refund-debited": bill(page_account("MANDATE")),
    "page-refund-over": bill(mayGive=False, triesLeft=0),
    "refund-account-bank": asked("q=ミ"),
    "refund-account-branch": asked("bank=0001&q=ト"),
    "refund-account-form": asked(CHOSEN),
    "refund-account-passbook": asked("bank=9900"),
    "refund-account-wrong": asked(
        CHOSEN,
        Said(
            typed=TYPED | {"holder": "山田"},
            trouble=wrong("kana_unwritable", "holder", character="山"),
        ),
    ),
    "refund-account-check": asked(CHOSEN, Said(typed=TYPED, account=ACCOUNT)),
    "refund-account-proof": asked(
        CHOSEN,
        Said(typed=TYPED, account=ACCOUNT, trouble=wrong("refund_proof_wrong", "proof", left=3)),
        proof="CUSTOMER_NO",
    ),
}

_SEEN = {"givenAt": "2026-11-23T01:00:00.000Z", "givenBy": "payer", "changes": 0}
TRANSFERS = [
    samples.refund(
        "BY_BANK_TRANSFER", way="BANK_TRANSFER", takesAccount=True,
        choices=["RECORD_TRANSFER", "WITHDRAW"],
        id=f"rfd_01JD000000000000000000000{place}", account=account, provider=provider,
    )
    for place, (account, provider) in enumerate((
        (None, "sandbox_card"),
        (page_account("PAYER") | _SEEN | {"changes": 2}, "sandbox_card"),
        (page_account("STAFF") | _SEEN, "bank_debit"),
        (page_account("MANDATE") | _SEEN, "bank_debit"),
    ))
]  # fmt: skip
"""Refunds that wait for a transfer as staff see them: no account yet, and whose word it is."""
