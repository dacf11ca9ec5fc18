"""How the gallery's staff screens are made of what an API would answer."""

from collections.abc import Callable, Mapping
from typing import Any

import result_samples
import samples
import transfer_samples
from starlette.requests import Request
from starlette.responses import Response

from portal.application.doors.answers import staff_answer
from portal.application.doors.context import language_of
from portal.application.doors.dashboard import (
    cases,
    debits,
    mandates,
    own_debits,
    refunds,
    screens,
    slips,
    transfers,
)
from portal.application.doors.dashboard.asked import read_query
from portal.application.doors.dashboard.flash import Flash

Make = Callable[[Request], Response]
CSRF = "csrf-of-the-gallery"


def staff(
    make: Callable[[Request, Any], screens.Screen],
    data: Mapping[str, Any],
    flash: Flash | None = None,
) -> Make:
    def answer(request: Request) -> Response:
        screen = make(request, data)
        values = {
            **screen.values, "viewer": data["viewer"], "csrf": CSRF, "here": screen.here,
            "flash": flash,
        }  # fmt: skip
        return staff_answer(
            request, screen.template, language_of(request), values, shows_mail=screen.shows_mail
        )

    return answer


def data(**fields: object) -> dict[str, Any]:
    return {"viewer": samples.VIEWER, "funnel": result_samples.FUNNEL, **fields}


def page_info(*, more: bool) -> dict[str, object]:
    return {"hasNextPage": more, "endCursor": "abc" if more else None}


def bills(nodes: list[Any], seen_as: str = "") -> Make:
    found = data(
        bills={
            "nodes": nodes,
            "pageInfo": page_info(more=bool(nodes)),
            "count": {"value": 10_000 if nodes else 0, "exact": not nodes},
        }
    )
    asked = read_query({})
    return staff(lambda request, given: screens.bills_screen(request, given, asked, seen_as), found)


def listed(nodes: list[Any]) -> Make:
    count = {"value": len(nodes), "exact": True}
    page = {"nodes": nodes, "pageInfo": page_info(more=bool(nodes)), "count": count}
    return staff(cases.cases_screen, data(cases=page))


def refunded(nodes: list[Any]) -> Make:
    page = {"nodes": nodes, "pageInfo": page_info(more=bool(nodes)), "limit": samples.yen(10_000)}
    return staff(refunds.refunds_screen, data(refunds=page))


def debited(nodes: list[Any], contracts: list[Any]) -> Make:
    page = {"nodes": nodes, "contracts": contracts, "pageInfo": page_info(more=bool(nodes))}
    return staff(debits.debits_screen, data(debitFiles=page))


def own_debited(nodes: list[Any], taken: dict[str, Any] | None = None) -> Make:
    page = {
        "nodes": nodes, "uploadUrl": "https://pay.example/failed-debits/token",
        "pageInfo": page_info(more=bool(nodes)),
    }  # fmt: skip
    given = data(failedDebitFiles=page)
    return staff(lambda r, given: own_debits.own_screen(r, given, taken), given)


def own_file(file: dict[str, Any], nodes: list[Any]) -> Make:
    page = {"file": file, "nodes": nodes, "pageInfo": page_info(more=bool(nodes))}
    return staff(own_debits.file_screen, data(failedDebitLines=page))


def transferred(nodes: list[Any], contracts: list[Any]) -> Make:
    page = transfer_samples.page(nodes, contracts)
    return staff(transfers.transfers_screen, data(transferFiles=page))


def mandated(nodes: list[Any], contracts: list[Any], flash: Flash | None = None) -> Make:
    page = {"nodes": nodes, "pageInfo": page_info(more=bool(nodes))}
    asked = mandates.read_query({})
    return staff(
        lambda request, given: mandates.mandates_screen(request, given, asked),
        data(mandates=page, debitFiles={"contracts": contracts}),
        flash,
    )


def one_mandate(mandate: Mapping[str, Any], **more: object) -> Make:
    record = {"mandate": mandate, "history": samples.MANDATE_HISTORY}
    return staff(mandates.mandate_screen, data(mandate=record) | more)


def told_slips(
    taken: dict[str, Any] | None, batches: list[Any] | None = None, waiting: int = 0
) -> Make:
    nodes = batches or []
    page = {"nodes": nodes, "waiting": waiting, "pageInfo": page_info(more=bool(nodes))}
    return staff(
        lambda request, given: slips.slips_screen(request, given, taken), data(printBatches=page)
    )
