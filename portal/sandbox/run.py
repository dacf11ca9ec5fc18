"""The sandbox's process: companies behind TLS for the relay, pages for browsers, one journal."""

import asyncio
import contextlib
import signal
from collections.abc import Generator
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Host, Route, Router

from portal.kit.log import configure, get_logger
from portal.kit.loop import run_quickly
from portal.kit.memory import settle_memory
from portal.kit.one_write import OneWriteHttp
from portal.sandbox.bank import Bank
from portal.sandbox.bank_mandates import BankMandates
from portal.sandbox.bank_transfers import BankTransfers
from portal.sandbox.calls import CallPages
from portal.sandbox.card_charges import CardCharges
from portal.sandbox.card_disputes import CardDisputes
from portal.sandbox.card_payments import CardPayments
from portal.sandbox.card_refunds import CardRefunds
from portal.sandbox.cards import CardCompany
from portal.sandbox.carriers import SECOND, Carriers
from portal.sandbox.counters import CounterCompany
from portal.sandbox.interface import ApiError, answer_error
from portal.sandbox.journal import Journal
from portal.sandbox.mailboxes import Mailboxes
from portal.sandbox.mails import MailCompany
from portal.sandbox.moods import Moods
from portal.sandbox.notices import NoticeSender
from portal.sandbox.number_till import NumberTill
from portal.sandbox.opa import OpaError, answer_opa_error
from portal.sandbox.phone import Phones
from portal.sandbox.push import KEYS as PUSH_KEYS
from portal.sandbox.push import PushServices
from portal.sandbox.settings import SandboxSettings
from portal.sandbox.stores import SIGNING_KEY, Stores
from portal.sandbox.telephones import SIGNING_KEY as TEL_KEY
from portal.sandbox.telephones import Telephones
from portal.sandbox.wallets import WalletCompany

_LOOPBACK: Final = "127.0.0.1"
_DRAIN_S: Final = 2
_KEEP_ALIVE_S: Final = 75
"""Longer than any client of ours keeps an idle connection: one that we closed just as a request was
on its way would look like a company that broke off."""

log = get_logger()


class _Server(uvicorn.Server):
    """A server that leaves signals to the process, which runs two of them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Let the process' own signal wiring stand."""
        yield


def _card_routes(cards: CardCompany, kept: CardPayments, journal: Journal) -> list[Route]:
    """The card company's interface for merchants: pages, refunds, charges of kept cards."""
    charges = CardCharges(journal)
    return [*cards.routes, *CardRefunds(journal).routes, *charges.routes, *kept.routes]


def _push_keys(settings: SandboxSettings) -> dict[str, str]:
    """The portal's public keys at the push services, if it told them any."""
    known = settings.read_keys()
    return {name: known[name] for name in PUSH_KEYS if name in known}


def _bank(journal: Journal, browser_origin: str) -> tuple[list[Route], list[Route]]:
    """The bank's interface for merchants, and its pages."""
    debits = Bank(journal.bank, journal.transfers)
    mandates = BankMandates(journal.mandates, browser_origin)
    transfers = BankTransfers(journal.transfers)
    api = [*debits.routes, *mandates.routes, *transfers.routes]
    return api, [*debits.browser_routes, *mandates.browser_routes]


def create_servers(
    settings: SandboxSettings, journal: Journal, notices: NoticeSender
) -> tuple[_Server, _Server]:
    """The server for merchants (TLS) and the one for browsers, sharing journal and line."""
    moods = Moods()
    carriers = Carriers(journal, notices, moods)
    others = Carriers(journal, notices, moods, SECOND)
    others.watchers = carriers.watchers
    cards = CardCompany(journal, notices, settings.browser_origin)
    kept = CardPayments(journal, cards, settings.browser_origin)
    wallets = WalletCompany(journal.wallet, notices, settings.browser_origin)
    bank, bank_pages = _bank(journal, settings.browser_origin)
    mails = MailCompany(journal.mails, journal.first_time, notices)
    telephones = Telephones(journal, notices, carriers, settings.read_keys().get(TEL_KEY, ""))
    pushes = PushServices(
        journal, _push_keys(settings), f"https://push.sandbox.test:{settings.api_port}"
    )
    stores = Stores(journal.tills, notices, settings.read_keys().get(SIGNING_KEY, ""))
    api = Starlette(
        routes=[
            Host("sms.sandbox.test", Router(carriers.routes)),
            Host("sms2.sandbox.test", Router(others.routes)),
            Host("card.sandbox.test", Router(_card_routes(cards, kept, journal))),
            Host("wallet.sandbox.test", Router(wallets.routes)),
            Host("counter.sandbox.test", Router(CounterCompany(journal.counters).routes)),
            Host("tel.sandbox.test", Router(telephones.routes)),
            Host("mail.sandbox.test", Router(mails.routes)),
            Host("bank.sandbox.test", Router(bank)),
            Host("push.sandbox.test", Router(pushes.browser_service)),
            Host("fcm.sandbox.test", Router(pushes.google)),
            Host("apns.sandbox.test", Router(pushes.apple)),
            Route("/healthz", _alive),
        ],
        exception_handlers={ApiError: answer_error, OpaError: answer_opa_error},
    )
    api.state.keys = settings.read_keys()
    pages = Starlette(
        routes=[
            *Phones(journal, carriers).routes,
            *Mailboxes(journal.mails).routes,
            *CallPages(journal.calls, telephones).routes,
            *pushes.browser_routes,
            *moods.browser_routes,
            *cards.browser_routes,
            *kept.browser_routes,
            *CardDisputes(journal, cards).browser_routes,
            *wallets.browser_routes,
            *stores.browser_routes,
            *NumberTill(journal.counters, notices).browser_routes,
            *bank_pages,
            Route("/healthz", _alive),
            Route("/", _front),
        ],
        exception_handlers={ApiError: answer_error},
    )
    cert, key = settings.cert, settings.key
    return (
        _server(api, settings.api_port, ssl_certfile=cert, ssl_keyfile=key),
        _server(pages, settings.browser_port),
    )


def _server(app: Starlette, port: int, **more: Any) -> _Server:  # noqa: ANN401 - uvicorn's options
    return _Server(
        uvicorn.Config(
            app,
            host=_LOOPBACK,
            http=OneWriteHttp,
            port=port,
            timeout_keep_alive=_KEEP_ALIVE_S,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=_DRAIN_S,
            **more,
        )
    )


async def serve(settings: SandboxSettings) -> None:
    """Run until SIGTERM or SIGINT."""
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    journal = Journal(settings.state_dir / "journal.sqlite")
    notices = NoticeSender(settings.notice_origin, settings.read_keys())
    servers = create_servers(settings, journal, notices)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop)
    settle_memory()
    log.info("sandbox.started", port=settings.browser_port)
    async with asyncio.TaskGroup() as group:
        for server in servers:
            group.create_task(server.serve())
    await notices.close()
    journal.close()


def run() -> None:
    """Start the sandbox with the settings of the environment."""
    configure(process="sandbox")
    run_quickly(serve(SandboxSettings()))  # pyright: ignore[reportCallIssue] - from the environment


async def _alive(request: Request) -> Response:
    del request
    return PlainTextResponse("ok")


async def _front(request: Request) -> Response:
    del request
    return RedirectResponse("/phone", status_code=303)
