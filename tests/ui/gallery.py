"""Every screen and state on one server: the real templates, answers and headers over made-up data.

What a screen says can so be looked at and measured in every state without bringing a stack into
it; the journey against the running stack is tests/journey's and test_journey_ui's.
"""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import gallery_answers as answers
import ladder_samples
import paper_samples
import refund_pages
import result_samples
import samples
import template_samples
import transfer_samples
import uvicorn
from gallery_makers import (
    CSRF,
    Make,
    bills,
    data,
    debited,
    listed,
    mandated,
    one_mandate,
    own_debited,
    own_file,
    page_info,
    refunded,
    staff,
    told_slips,
    transferred,
)
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from portal.application.doors import static
from portal.application.doors.answers import payer_answer, remember_choice, staff_answer
from portal.application.doors.context import language_of
from portal.application.doors.dashboard import (
    cases,
    contacts,
    funnel,
    ladder,
    result_files,
    screens,
    templates,
    transfers,
)
from portal.application.doors.dashboard.flash import Flash
from portal.application.doors.headers import Outermost
from portal.application.doors.mandates import choice_page
from portal.application.doors.number import number_page
from portal.application.doors.pages import bill_page, closed_page
from portal.application.doors.remind import remind_page
from portal.application.doors.slips import slip_page
from portal.application.doors.stop import stop_page
from portal.application.settings import WebSettings
from portal.kit.banks import banks

WITHDRAWN = [{"action": "CANCEL", "planned": 0, "done": 212, "waiting": 3}]


def payer(bill: Mapping[str, Any], code: str | None = None) -> Make:
    trouble = {"code": code, "params": {}} if code else None
    return lambda request: bill_page(request, bill, csrf=CSRF, trouble=trouble)


def choosing(query: str) -> Make:
    """The choice of bank and branch with this in its address."""

    def answer(request: Request) -> Response:
        asked = Request(request.scope | {"query_string": quote(query, safe="=&").encode()})
        return choice_page(asked, samples.page("open", takesMandates=True), banks(), csrf=CSRF)

    return answer


def closed(kind: str) -> Make:
    return lambda request: closed_page(request, kind, 404)


def login(flash: Flash | None) -> Make:
    return lambda request: staff_answer(
        request,
        "dashboard/login.html",
        language_of(request),
        {"merchant": "aozora", "next": "/d", "flash": flash},
    )


def go(request: Request) -> Response:
    values = {"address": f"{request.base_url}elsewhere", "host": "localhost:8480"}
    values |= {"app": request.query_params.get("app", ""), "ref": "Qk3nZt8v"}
    return payer_answer(request, "page/go.html", language_of(request), values)


def trouble(request: Request) -> Response:
    values = {
        "text": "見つかりませんでした。",
        "remedy": "一覧からさがしてください。",
        "request_id": "0a1b2c",
    }
    return staff_answer(request, "dashboard/trouble.html", language_of(request), values, status=404)


def written(
    draft: Mapping[str, str], checked: Mapping[str, Any], texts: list[Any] | None = None
) -> Make:
    def screen(request: Request, given: dict[str, Any]) -> screens.Screen:
        trouble = None
        if not checked["isFit"]:
            trouble = {"code": "template_faulty", "message": "文面に問題があります。", "path": []}
        return templates.editor_screen(
            draft, given, language_of(request), texts=texts, trouble=trouble
        )

    return staff(screen, data(templateCheck=checked))


def one_template(item: Mapping[str, Any], **more: object) -> Make:
    others = [template_samples.template("SUPERSEDED", number=2)]
    record = {"template": item, "checked": template_samples.FINE, "others": others}
    return staff(templates.template_screen, data(template=record) | more)


def planned(found: Mapping[str, Any]) -> Make:
    """The plan of messages with what was judged of it."""

    def screen(_request: Request, given: Any) -> screens.Screen:  # noqa: ANN401  # as GraphQL's
        draft = ladder.draft_of(ladder_samples.PLAN)
        return ladder.ladder_screen(given, draft, found, ladder_samples.SUPPOSED)

    return staff(screen, data(ladderPlan=ladder_samples.KNOWN))


def one_case(case: Mapping[str, Any], flash: Flash | None = None, **more: object) -> Make:
    return staff(cases.case_screen, data(case=case) | more, flash)


ERROR = Flash(
    kind="error", text="値が長すぎます。", remedy="200文字以内にしてください。", field="reason",
    fields={"reason": "二重に請求したため"},
)  # fmt: skip
NOTE_MISSING = Flash(
    kind="error",
    text="理由を書いてください。",
    field="note",
    fields={"action": "LET_BE", "note": ""},
)
REFUND_WRONG = Flash(
    kind="error",
    text="認証コードが違うか、すでに使われています。",
    field="totp",
    fields={"attemptId": "att_01JD0000000000000000000001", "amount": "8420", "reason": "OVERPAID"},
)
PAUSE_WRONG = Flash(
    kind="error",
    text="そこまで先の日は選べません。",
    remedy="遅くとも 2026-12-23 までの日を選んでください。",
    field="until",
    fields={"kind": "PROMISE", "until": "2027-12-24", "note": "お電話で約束"},
)
KANA_WRONG = Flash(
    kind="error",
    text="「山」は銀行のファイルに書けません。",
    remedy="半角カナで書ける読みにしてください。",
    field="holderName",
    fields={"customerNo": "00004471", "bankCode": "0005", "branchCode": "001",
            "holderName": "山田 花子"},
)  # fmt: skip
DONE = Flash(kind="done", text="SMSの再送を受け付けました。")
SECRET = {"name": "料金計算システム", "value": "harai_aozora_" + "k" * 120}


def store_number(**changes: object) -> dict[str, Any]:
    made = {
        "store": "lawson", "receiptNo": "20153671234", "confirmationNo": "580512",
        "payBy": "2026-12-08T14:59:59+00:00",
    }  # fmt: skip
    return made | changes


def held(**number: object) -> dict[str, Any]:
    """A bill that a store's number was made out for."""
    made = samples.attempt(
        method="number", state="requires_action", declineCode=None,
        number=store_number(**number),
    )  # fmt: skip
    offers = [samples.offer("card", "attempt_elsewhere"), samples.offer("number")]
    return samples.page("open", attempt=made, methods=offers)


PAYER_PAGES: dict[str, Make] = {
    **{f"page-{state}": payer(samples.page(state)) for state in samples.PAGE_STATES},
    "page-slip": lambda request: slip_page(request, samples.page("open"), samples.SLIP),
    "page-store": lambda request: number_page(request, samples.page(
        "open", methods=[samples.offer("card"), samples.offer("number")]), csrf="c"),
    "page-store-number": lambda request: number_page(request, held(), csrf="c"),
    "page-store-held": payer(held()),
    "page-given-back": payer(
        samples.page("paid", givenBack=samples.yen(2000), onItsWayBack=samples.yen(420))
    ),
    "page-canceled-part": payer(
        samples.page("canceled", owedBack=samples.yen(2000), onItsWayBack=samples.yen(1000))
    ),
    "page-debit": payer(samples.page("processing", debitOn="2026-12-28")),
    "page-keeps-cards": payer(
        samples.page("open", methods=[samples.offer("card", before=0), samples.offer("wallet")])
    ),
    "page-card": payer(
        samples.page(
            "open", card=samples.card(),
            methods=[samples.offer("card", before=3) | {"paysKept": True}],
        )
    ),
    "page-card-declined": payer(
        samples.page(
            "declined", card=samples.card(chargeOn=None, isDeclined=True, brand=""),
            methods=[samples.offer("card") | {"paysKept": True}, samples.offer("wallet")],
        )
    ),
    "page-card-suspended": payer(
        samples.page("overdue", card=samples.card(state="SUSPENDED", chargeOn=None))
    ),
    "page-card-left": payer(samples.page("paid", card=samples.card(chargeOn=None))),
    "page-elsewhere": payer(
        samples.page(
            "open",
            attempt=samples.attempt(method="wallet", state="requires_action", declineCode=None),
            methods=[
                samples.offer("card", "attempt_elsewhere"),
                samples.offer("wallet"),
                samples.offer("slip", "attempt_elsewhere"),
            ],
        )
    ),
    "page-others": payer(samples.page("open", **samples.others())),
    "page-others-chosen": payer(samples.page("open", **samples.others("ga3k"))),
    "page-part": payer(
        samples.page(
            "open",
            left=samples.yen(5420),
            pay=samples.yen(2000),
            chosenPart=samples.yen(2000),
            part={"least": samples.yen(1000), "most": samples.yen(4420)},
        )
    ),
    "page-paid-together": payer(
        samples.page(
            "paid",
            attempt=samples.attempt(
                state="succeeded", declineCode=None, approvalNo="104829", amount=samples.yen(16380)
            ),
            paidAt="2026-11-22T10:20:00.000Z",
            shares=samples.shares(),
        )
    ),
    "page-promised": payer(
        samples.page("overdue", pauses=[{"kind": "PROMISE", "until": "2026-12-20"}])
    ),
    "page-takes-mandates": payer(samples.page("open", takesMandates=True)),
    **refund_pages.PAGES,
    "page-mandate": payer(samples.page("open", mandate=samples.payer_mandate("REDIRECTED"))),
    "page-mandate-active": payer(samples.page("paid", mandate=samples.payer_mandate("ACTIVE"))),
    "page-mandate-refused": payer(
        samples.page(
            "open", takesMandates=True,
            mandate=samples.payer_mandate("REJECTED", code="name_differs"),
        )
    ),
    "page-remindable": payer(
        samples.page("open", reminders=[{"channel": "PUSH", "isWanted": False}])
    ),
    "page-remind": lambda request: remind_page(
        request, samples.page("open"), csrf=CSRF, key="B" * 87
    ),
    "page-bank": choosing(""),
    "page-bank-found": choosing("q=ﾐｽﾞ"),
    "page-branch": choosing("bank=0001&q=ｼﾌﾞ"),
    "page-branch-none": choosing("bank=0001&q=zzz"),
    "page-one-method": payer(samples.page("open", methods=[samples.offer("card")])),
    "page-nothing-offered": payer(samples.page("open", methods=[])),
    "page-refused": payer(samples.page("open"), "amount_changed"),
    "page-begun": payer(
        samples.page("open", attempt=samples.attempt(state="requires_action", declineCode=None))
    ),
    "page-asking": payer(
        samples.page("unclear", attempt=samples.attempt(state="requires_action", declineCode=None))
    ),
    "page-no-method": payer(
        samples.page(
            "open",
            methods=[samples.offer("card", "amount_too_large")],
        )
    ),
    "stop": lambda request: stop_page(request, done=False),
    **{
        f"closed-{kind}": closed(kind)
        for kind in (
            "link_unknown", "link_expired", "page_not_open", "try_later", "return_unclear",
            "broken",
        )
    },
}  # fmt: skip
STAFF_SCREENS: dict[str, Make] = {
    "login": login(None),
    "login-refused": login(Flash(kind="error", text="ログインできませんでした。", remedy="…")),
    "home": staff(screens.home_screen, data(summary=samples.summary())),
    "home-empty": staff(screens.home_screen, data(summary=samples.empty_summary())),
    "imports": staff(
        screens.imports_screen,
        data(
            imports={
                "nodes": [samples.import_view(state) for state in
                          ("checking", "checked", "issued", "refused", "discarded")],
                "pageInfo": page_info(more=True),
            }
        ),
    ),
    "imports-empty": staff(
        screens.imports_screen, data(imports={"nodes": [], "pageInfo": page_info(more=False)})
    ),
    "import-new": staff(screens.import_new_screen, data()),
    **{
        f"import-{state}": staff(
            screens.import_screen, data(**{"import": samples.import_detail(state)})
        )
        for state in (
            "receiving", "checking", "checked", "issuing", "issued", "discarded", "refused",
        )
    },
    **{
        f"import-{state}": staff(
            screens.import_screen,
            data(**{"import": samples.import_detail(
                "issued", sending=samples.sending_view(state, left=2_400_000, planned=3_000_000)
            )}),
        )
        for state in ("paused", "canceled")
    },
    "import-waits": staff(
        screens.import_screen,
        data(**{"import": samples.import_detail("checked", waitsFor=samples.WAITS_FOR)}),
    ),
    "import-awaited": staff(
        screens.import_screen,
        data(**{"import": samples.import_detail("checked", rowsAwaited=9_770)}),
    ),
    "import-changes": staff(
        screens.import_screen,
        data(
            **{
                "import": samples.import_detail(
                    "checked",
                    changes=[
                        {"action": "CANCEL", "planned": 212, "done": 0, "waiting": 0},
                        {"action": "PAID_ELSEWHERE", "planned": 1_044, "done": 0, "waiting": 0},
                        {"action": "REPLACE", "planned": 1, "done": 0, "waiting": 0},
                    ],
                )
            }
        ),
    ),
    "import-changes-waiting": staff(
        screens.import_screen,
        data(**{"import": samples.import_detail("issued", changes=WITHDRAWN)}),
    ),
    "bills": bills(samples.BILLS),
    "bills-found": bills(samples.BILLS[:1], "phone"),
    "bills-none": bills([]),
    "bill": staff(screens.bill_screen, data(bill=samples.bill_detail()), DONE),
    "bill-refused": staff(screens.bill_screen, data(bill=samples.bill_detail()), ERROR),
    "bill-paid": staff(
        screens.bill_screen,
        data(bill=samples.bill_detail(settlement="SETTLED", paidAt="2026-11-22T10:20:00.000Z")),
    ),
    "bill-paused": staff(
        screens.bill_screen, data(bill=samples.bill_detail(**samples.PAUSED)), PAUSE_WRONG
    ),
    "bill-card": staff(
        screens.bill_screen,
        data(bill=samples.bill_detail(card=samples.card(isDeclined=True, code="card_expired"))),
    ),
    "bill-over": staff(
        screens.bill_screen,
        data(
            bill=samples.bill_detail(
                settlement="OVER", refunds=samples.REFUNDS, refundable=samples.REFUNDABLE
            )
        ),
        REFUND_WRONG,
    ),
    "refunds": refunded(samples.REFUNDS),
    "refunds-empty": refunded([]),
    "refunds-transfers": refunded(refund_pages.TRANSFERS),
    "debits": debited(samples.DEBIT_FILES, samples.DEBIT_CONTRACTS),
    "debits-empty": debited([], []),
    "transfers": transferred(
        transfer_samples.TRANSFER_FILES, transfer_samples.TRANSFER_CONTRACTS
    ),
    "transfers-empty": transferred([], []),
    "transfer": staff(
        transfers.transfer_screen, data(transferFile=transfer_samples.one(transfer_samples.SEALED))
    ),
    "own-debits": own_debited(result_samples.FAILED_FILES),
    "own-debits-taken": own_debited([], result_samples.FAILED_DEBITS),
    "own-debits-file": own_file(
        result_samples.FAILED_FILES[1], result_samples.FAILED_DEBITS["lines"][3:]
    ),
    "own-debits-telling": own_file(result_samples.FAILED_FILES[0], []),
    "mandates": mandated(samples.MANDATES, samples.DEBIT_CONTRACTS),
    "mandates-empty": mandated([], []),
    "mandates-refused": mandated([], samples.DEBIT_CONTRACTS, KANA_WRONG),
    **{f"mandate-{one['state'].lower()}": one_mandate(one) for one in samples.MANDATES},
    "templates": staff(
        templates.templates_screen,
        data(templates=template_samples.TEMPLATES, messagePrices=template_samples.PRICES),
    ),
    "template-write": written(template_samples.DRAFT, template_samples.FOUND),
    "template-preview": written(
        template_samples.DRAFT | {"body": template_samples.BODY},
        template_samples.FINE,
        template_samples.REAL,
    ),
    "template-mail": written(
        template_samples.MAIL_DRAFT, template_samples.MAIL_FINE, template_samples.MAIL_REAL
    ),
    "template-call": written(
        template_samples.CALL_DRAFT, template_samples.CALL_FOUND, template_samples.CALL_REAL
    ),
    "template-asked": one_template(
        template_samples.template("ASKED", choices=["APPROVE", "REFUSE", "WITHDRAW"])
    ),
    "ladder": planned(ladder_samples.FORESEEN),
    "ladder-faulty": planned(ladder_samples.FAULTY),
    "contacts": staff(contacts.contacts_screen, data(**paper_samples.CONTACTS)),
    "paper": staff(contacts.paper_screen, data(**paper_samples.PAPER)),
    "slips": told_slips(None),
    "unopened": staff(funnel.unopened_screen, data()),
    "unopened-plan": staff(
        funnel.unopened_screen,
        data(switchPlan={"bills": 13_646, "seconds": 2_900, "costHundredths": 4_093_800}),
    ),
    "results-none": staff(
        result_files.result_files_screen, data(resultFiles=result_samples.NO_FILES)
    ),
    "results": staff(result_files.result_files_screen, data(resultFiles=result_samples.FILES)),
    "slips-print": told_slips(None, paper_samples.PRINT_BATCHES, waiting=712),
    "slips-taken": told_slips({"seenBefore": True, "errors": [], "lines": samples.SLIP_LINES}),
    "keys": staff(screens.keys_screen, data(apiKeys=samples.KEYS)),
    "keys-empty": staff(screens.keys_screen, data(apiKeys=[])),
    "keys-clerk": staff(screens.keys_screen, {"viewer": samples.CLERK, "apiKeys": samples.KEYS}),
    "cases": listed([*samples.CASES, samples.PASSED_CASE, samples.SETTLED_CASE]),
    "cases-empty": listed([]),
    **{f"case-{case['kind'].lower()}": one_case(case) for case in samples.CASES},
    "case-settled": one_case(samples.SETTLED_CASE),
    "case-passed": one_case(samples.PASSED_CASE),
    "case-refused": one_case(samples.CASES[0], NOTE_MISSING),
    "case-clerk": one_case(samples.CASE_OF_OWNERS, viewer=samples.CLERK),
    "keys-secret": staff(
        lambda request, given: screens.keys_screen(request, given, secret=SECRET),
        data(apiKeys=samples.KEYS),
    ),
    "trouble": trouble,
}  # fmt: skip
SCREENS = {**PAYER_PAGES, **STAFF_SCREENS}


async def show(request: Request) -> Response:
    shown = remember_choice(request) or SCREENS[request.path_params["name"]](request)
    request.app.state.shown = bytes(shown.body)
    return shown


async def never(request: Request, error: Exception) -> Response:
    raise AssertionError(request.url.path) from error


def build(origin: str) -> Starlette:
    app = Starlette(
        routes=[
            Route("/show/go", go),
            Route("/show/{name}", show),
            Route("/elsewhere", answers.elsewhere),
            Route("/b/{ref}/state", answers.state),
            Route("/b/{ref}/{act}", answers.take, methods=["POST"]),
            Route("/d/events", answers.follow),
            Route("/d/{rest:path}", answers.take, methods=["POST"]),
            *static.ROUTES,
        ],
        middleware=[Middleware(Outermost, error_door=never, is_secure=False)],
    )
    nowhere = Path("/nonexistent")
    settings = WebSettings(
        socket=nowhere, vault_socket=nowhere, cert=nowhere, key=nowhere, ca=nowhere,
        egress_socket=nowhere, public_origin=origin, cookie_key_file=nowhere, instance="gallery",
    )  # fmt: skip
    app.state.doors = SimpleNamespace(settings=settings)
    app.state.posts = []
    app.state.shown = b""
    return app


@contextmanager
def serve() -> Iterator[tuple[str, Starlette]]:
    """The gallery on a free port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        origin = f"http://localhost:{listener.getsockname()[1]}"
        app = build(origin)
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield origin, app
        finally:
            server.should_exit = True
            thread.join(10)
