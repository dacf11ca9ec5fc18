"""``portal provider certify``: what the operator has on disk, and which trial it leads to.

Stack only. Whatever is missing or unfit is said before anything is sent.
"""

import asyncio
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

import httpx
import msgspec

from portal.application.methods.debit_line import LINES
from portal.application.providers.exchange import parse_endpoints
from portal.domain.konbini import STORES, Store
from portal.domain.methods import AGENCIES
from portal.egress.rules import RulesRefused
from portal.egress.settings import read_credentials
from portal.stack.certify import Case, certify
from portal.stack.certify_agency import (
    SANDBOX,
    AgencyTrial,
    AgencyWords,
    read_keys,
    read_words,
    work_the_till,
)
from portal.stack.certify_bank import OneDebitFile
from portal.stack.certify_mail import OneMail
from portal.stack.certify_push import OnePush
from portal.stack.certify_report import Report
from portal.stack.certify_text import OneText

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Files:
    """What the operator has on disk for one company."""

    rules: Path | None = None
    credentials: Path | None = None
    sandbox_ca: Path | None = None
    notice: Path | None = None
    mail: OneMail | None = None
    """No file: the mail to be sent, to whom and from which address."""
    text: OneText | None = None
    """The text or call to be sent, likewise."""
    push: Path | None = None
    app: str = ""
    whole: bool = False
    debit: Path | None = None
    sent: str = ""
    """A bank's: the debit file, and by which reference an earlier run sent it."""
    told: Path | None = None
    signature: str = ""
    keys: Path | None = None
    """An agency's: its file, the header of what it told at once (``notice``), the keys."""
    card: bool = False
    payer: bool = False


def run_certify(
    provider: str, endpoint: str, files: Files, *, amount: int, paid: str, store: str = ""
) -> int:
    """The command: 0 when everything fits. ``paid`` is ``reference=company's name``.

    Raises: RuntimeError for an endpoint, a store or rules that are not fit, with every fault;
    OSError for a file that is not there.
    """
    if store and store not in STORES:
        msg = f"no store of ours: {store} (there are {', '.join(sorted(STORES))})"
        raise RuntimeError(msg)
    try:
        if provider in AGENCIES:
            return _run_agency(provider, endpoint, files)
        return _run(provider, endpoint, files, amount=amount, paid=paid, store=store)
    except (ValueError, RulesRefused) as fault:
        raise RuntimeError(str(fault)) from fault


def _run_agency(provider: str, endpoint: str, files: Files) -> int:
    """An agency's words, from its files or from the sandbox's till at ``endpoint``."""
    if files.told is not None:
        words = read_words(provider, files.told, files.notice, files.signature, files.keys)
    elif provider == SANDBOX and endpoint:
        words = asyncio.run(_sandbox_words(endpoint, files))
    else:
        msg = f"nothing is asked at {provider}: bring its file with --told (or the sandbox's till)"
        raise RuntimeError(msg)
    report = Report(print)
    AgencyTrial(provider, words, report).run()
    report.close()
    return 0 if report.is_good else 1


async def _sandbox_words(endpoint: str, files: Files) -> AgencyWords:
    keys = read_keys(SANDBOX, files.keys)
    try:
        async with httpx.AsyncClient(base_url=f"http://{endpoint}", trust_env=False) as client:
            return await work_the_till(client, keys)
    except (httpx.HTTPError, httpx.InvalidURL) as fault:
        msg = f"no till of the sandbox's at {endpoint}: {type(fault).__name__}"
        raise RuntimeError(msg) from fault


def _run(provider: str, endpoint: str, files: Files, *, amount: int, paid: str, store: str) -> int:
    if files.rules is None or files.credentials is None:
        msg = "the relay needs --rules and --credentials"
        raise RuntimeError(msg)
    token = quote(secrets.token_urlsafe(8), safe="")
    reference, _, name = paid.partition("=")
    case = Case(
        provider=provider,
        endpoint=parse_endpoints(f"{provider}={endpoint}")[provider],
        amount_minor=amount,
        return_url=f"https://localhost/return/certify/{token}",
        paid=(reference, name) if paid else None,
        mail=files.mail,
        text=files.text,
        push=None if files.push is None else OnePush.read(files.push, files.app),
        debit=OneDebitFile.read(provider, files.debit, files.sent) if provider in LINES else None,
        notice=None if files.notice is None else files.notice.read_bytes(),
        store=cast("Store", store) if store else None,
        whole=files.whole,
        card=files.card or files.payer,
        payer=files.payer,
    )
    rules = cast("Mapping[str, object]", msgspec.json.decode(files.rules.read_bytes()))
    credentials = read_credentials(files.credentials)
    good = asyncio.run(
        certify(case, rules, credentials, _ask_to_pay, say=print, sandbox_ca=files.sandbox_ca)
    )
    return 0 if good else 1


async def _ask_to_pay(address: str) -> None:
    sys.stdout.write(f"  pay    {address}\n         as a payer would, then press Enter here\n")
    sys.stdout.flush()
    await asyncio.to_thread(input)
