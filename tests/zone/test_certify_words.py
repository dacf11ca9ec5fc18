"""`portal provider certify` at a bank's line, and over what a collection agency says of slips."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from starlette.applications import Starlette

from portal.sandbox.journal import Journal
from portal.sandbox.notices import NoticeSender
from portal.sandbox.stores import Stores
from portal.stack.certify_agency import AgencyTrial, AgencyWords, work_the_till
from portal.stack.certify_bank import OneDebitFile, read_answer
from portal.stack.certify_command import Files, run_certify
from portal.stack.certify_report import Report
from portal.stack.sandbox_rules import sandbox_rules
from tests.make.debits import HEADER, answer, debit, write
from tests.make.provider import HOST, saying
from tests.make.provider import answer as said
from tests.zone.test_certify import a_bench, the_sandbox

BANK = "sandbox_bank"
AGENCY = "sandbox_agency"
AGENCY_KEY = "key-of-the-agency-0815"
BANK_RULES: list[dict[str, Any]] = [
    msgspec.to_builtins(rule) | {"host": HOST}
    for rule in sandbox_rules(1)
    if rule.host == "bank.sandbox.test"
]
THREE = write([debit(1), debit(2), debit(3)])
OTHERS = msgspec.structs.replace(HEADER, collector_code="0000099999")


async def test_a_line_takes_a_file_once_and_the_answer_explains_it(tmp_path: Path) -> None:
    async with the_sandbox(tmp_path, "bank") as (bank, _), a_bench(tmp_path, bank) as bench:
        made = OneDebitFile.read(BANK, None)
        assert await bench.certify(BANK, BANK_RULES, amount_minor=100, debit=made), bench.text
        assert "7 of 7 acts fit" in bench.text
        assert "3 lines: debited 1, no_account 1, no_funds 1" in bench.text

        # The same file in a later run: asked for and fetched, not sent as another one.
        later = OneDebitFile(made.body, made.reference, was_sent=True)
        assert await bench.certify(BANK, BANK_RULES, amount_minor=100, debit=later), bench.text
        assert "5 of 5 acts fit" in bench.text

        # A bank that leaves a line out of its answer.
        short = OneDebitFile(write([debit(1), debit(9990011)]))
        assert not await bench.certify(BANK, BANK_RULES, amount_minor=100, debit=short)
        assert "2 lines: debited 1, line_missing 1" in bench.text
        assert "6 of 7 acts fit" in bench.text

    for secret in ("9990001", "9990011", "key-of-the-sandbox"):
        assert secret not in bench.text


async def test_a_line_that_takes_a_file_twice_does_not_pass(tmp_path: Path) -> None:
    async with a_bench(tmp_path, saying(said(202, b"{}"))) as bench:
        two = OneDebitFile(THREE)
        assert not await bench.certify(BANK, BANK_RULES, amount_minor=100, debit=two)

    assert "send again" in bench.text
    assert "1 of 6 acts fit" in bench.text


@pytest.mark.parametrize(
    ("told", "words", "fits"),
    [
        (answer(THREE, "018".__getitem__), "3 lines: debited 1, no_funds 1, stopped_by_us 1", True),
        (answer(THREE, "0Z0".__getitem__), "3 lines: code_unknown 1, debited 2", False),
        (THREE, "3 lines: debited 3; trailer_done", False),
        (THREE[:-244], "", False),
        (b"<html>", "", False),
        (
            answer(write([debit(1)]), "0".__getitem__),
            "3 lines: debited 1, line_missing 2",
            False,
        ),
        (
            answer(
                write(
                    [debit(n) for n in (1, 2, 3)],
                    header=OTHERS,
                ),
                "000".__getitem__,
            ),
            "3 lines: debited 3; header_collector",
            False,
        ),
    ],
)
def test_an_answer_has_to_explain_every_line(told: bytes, words: str, *, fits: bool) -> None:
    read = read_answer(THREE, told)

    assert read[1] is fits
    assert not words or read[0] == words


def test_what_is_no_debit_file_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    file = tmp_path / "debit.txt"
    for body, provider, reference in ((b"x", BANK, ""), (THREE[:-122], BANK, ""), (b"", BANK, "")):
        file.write_bytes(body)
        with pytest.raises(ValueError, match="no debit file"):
            OneDebitFile.read(provider, file, reference)
    for provider, reference in (("another_bank", ""), (BANK, "ab" * 16)):
        with pytest.raises(ValueError, match="a debit file of yours"):
            OneDebitFile.read(provider, None, reference)
    with pytest.raises(RuntimeError, match="--rules"):
        run_certify(BANK, "bank.example:443", Files(), amount=100, paid="")


@asynccontextmanager
async def a_till(folder: Path, key: str) -> AsyncGenerator[httpx.AsyncClient]:
    """The sandbox's till, whose agency signs with ``key``; nobody hears it."""
    journal, notices = Journal(folder / "journal.sqlite"), NoticeSender("http://127.0.0.1:9")
    till = Starlette(routes=Stores(journal.tills, notices, key).browser_routes)
    transport = httpx.ASGITransport(till)  # type: ignore[arg-type] - Starlette
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://till.test") as client:
            yield client
    finally:
        await notices.close()
        journal.close()


def tried(words: AgencyWords) -> tuple[bool, str]:
    """What the trial of an agency's words comes to, and what it printed."""
    lines: list[str] = []
    report = Report(lines.append)
    AgencyTrial(AGENCY, words, report).run()
    report.close()
    return report.is_good, "\n".join(lines)


def forged(words: AgencyWords) -> AgencyWords:
    first, *others = words.at_once
    raw = first.raw.replace(b"01,", b"03,", 1)
    return replace(words, at_once=(msgspec.structs.replace(first, raw=raw), *others))


def without(kind: bytes) -> Callable[[AgencyWords], AgencyWords]:
    def shorter(words: AgencyWords) -> AgencyWords:
        kept = [line for line in words.file.splitlines(keepends=True) if not line.startswith(kind)]
        return replace(words, file=b"".join(kept))

    return shorter


async def test_an_agencys_file_and_what_it_told_at_once_say_the_same(tmp_path: Path) -> None:
    async with a_till(tmp_path, AGENCY_KEY) as client:
        words = await work_the_till(client, (AGENCY_KEY,))

    good, text = tried(words)
    assert good, text
    assert "10 of 10 acts fit" in text
    assert "issued → provisional → confirmed" in text
    assert "issued → provisional → voided" in text
    assert AGENCY_KEY not in text

    # Whatever an agency may do otherwise shows, each by its own act.
    changes: list[tuple[Callable[[AgencyWords], AgencyWords], str]] = [
        (forged, "NOT signed"),
        (lambda words: replace(words, keys=("another",)), "NOT signed"),
        (lambda words: replace(words, keys=()), "NOT signed"),
        (without(b"01,"), "NOT in the file"),
        (without(b"02,"), "['provisional', 'reversal']"),
        (without(b"03,"), "NOT in the file"),
        (lambda words: replace(words, file=words.file[:-40]), "line_columns in line 5"),
        (lambda words: replace(words, file=b""), "0 notices"),
    ]
    for change, why in changes:
        good, text = tried(change(words))
        assert not good, text
        assert why in text


async def test_a_till_whose_agency_has_no_key_is_said_to_have_none(tmp_path: Path) -> None:
    async with a_till(tmp_path, "") as client:
        with pytest.raises(RuntimeError, match="needs the key"):
            await work_the_till(client, (AGENCY_KEY,))


def test_an_agency_that_tells_nothing_at_once_is_tried_by_its_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "notices.csv"
    file.write_bytes(b"91,x\r\n")

    assert run_certify("dsk", "", Files(told=file), amount=100, paid="") == 1
    assert "nothing is taken at once" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match="--told"):
        run_certify("dsk", "", Files(), amount=100, paid="")
