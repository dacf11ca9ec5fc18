"""Two merchants in one installation: whatever one asks with the other's ids, it learns nothing."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis_graphql import from_schema, nodes

from portal.application.doors.context import RequestContext
from portal.application.doors.graphql.documents import read_document
from portal.application.doors.graphql.execute import masked, run
from portal.application.doors.graphql.merchant import MERCHANT
from portal.application.doors.session import ApiKeySession, StaffSession, read_api_key
from portal.contract.client import VaultClient
from portal.contract.login import SignedIn
from portal.contract.template import SAVE_TEMPLATE, SaveTemplate
from portal.domain.errors import PortalError
from portal.vault.file import store_part
from portal.vault.print_batch import Report
from portal.vault.server import VaultServer
from tests.make.acts import acting
from tests.make.bank import open_bank
from tests.make.merchant import Merchant, csv_of, found, work_off
from tests.make.transfers import open_transfer
from tests.make.vault import ClientFor, Ground
from tests.make.walk import id_coordinates, paths
from tests.make.web import Web, running_web, web_settings

FUZZED = 150


@dataclass
class Two:
    """Us, them, and everything by which they could be recognised."""

    us: Merchant
    them: Merchant
    ids: dict[str, str]
    canaries: tuple[str, ...]
    cursors: dict[str, str]

    def values(self, whose: str) -> dict[str, str]:
        """Literals for every argument; ids and cursors are theirs when ``whose`` is that."""
        theirs = self.ids if whose == "them" else dict.fromkeys(self.ids, "nothing")
        after = self.cursors if whose == "them" else {}
        ids = {coordinate: f'"{theirs[kind]}"' for coordinate, kind in ID_KINDS.items()}
        return (
            ids
            | FIXED
            | {
                "Query.bills.after": _text(after.get("bills")),
                "Query.imports.after": _text(after.get("imports")),
                "Query.cases.after": _text(after.get("cases")),
                "Query.debitFiles.after": _text(after.get("debitFiles")),
                "Query.transferFiles.after": _text(after.get("transferFiles")),
                "Query.mandates.after": _text(after.get("mandates")),
                "Query.refunds.after": _text(after.get("refunds")),
                "Query.resultFiles.after": _text(after.get("resultFiles")),
                "Query.printBatches.after": _text(after.get("printBatches")),
                "Query.failedDebitFiles.after": _text(after.get("failedDebitFiles")),
            }
        )


FIXED = {
    "Query.bills.first": "3",
    "Query.bills.filter": "null",
    "Query.bills.search": "null",
    "Query.imports.first": "3",
    "Query.cases.first": "3",
    "Query.cases.filter": "null",
    "Import.faults.first": "3",
    "Import.faults.after": "null",
    "Import.faults.code": "null",
    "ApiKeyCreateInput.name": '"walk"',
    "ApiKeyCreateInput.idempotencyKey": '"walk-key"',
    "ImportSteerInput.act": "CANCEL",
    "ImportSteerInput.idempotencyKey": '"walk-steer"',
    "BillCancelInput.version": "1",
    "BillCancelInput.reason": '"walk"',
    "BillCancelInput.idempotencyKey": '"walk-cancel"',
    "BillResendInput.idempotencyKey": '"walk-resend"',
    "BillPauseInput.until": '"2099-01-01"',
    "BillPauseInput.note": '"walk"',
    "BillPauseInput.idempotencyKey": '"walk-pause"',
    "BillResumeInput.idempotencyKey": '"walk-resume"',
    "BillCardRemoveInput.idempotencyKey": '"walk-card"',
    "ImportCreateInput.filename": '"walk.csv"',
    "ImportCreateInput.sizeBytes": "null",
    "ImportCreateInput.idempotencyKey": '"walk-import"',
    "ImportDecideInput.idempotencyKey": '"walk-decide"',
    "CaseSettleInput.note": '"walk"',
    "Query.debitFiles.first": "3",
    "Query.transferFiles.first": "3",
    "Query.transferFile.first": "3",
    "Query.transferFile.afterLine": "0",
    "TransferFileBuildInput.transferOn": '"2026-11-24"',
    "TransferFileBuildInput.idempotencyKey": '"walk-transfer"',
    "TransferFileDecideInput.totp": '"000000"',
    "TransferFileDecideInput.idempotencyKey": '"walk-trfile"',
    "TransferFileReportInput.idempotencyKey": '"walk-trword"',
    "RefundReturnedInput.returnedOn": '"2026-11-22"',
    "RefundReturnedInput.reason": '"walk"',
    "RefundReturnedInput.idempotencyKey": '"walk-back"',
    "Query.mandates.first": "3",
    "Query.mandates.customerNo": '""',
    "DebitFileBuildInput.debitOn": '"2026-11-22"',
    "DebitFileBuildInput.idempotencyKey": '"walk-build"',
    "DebitFileDecideInput.idempotencyKey": '"walk-file"',
    "DebitFileReportInput.idempotencyKey": '"walk-word"',
    "MandateRegisterInput.customerNo": '"walk"',
    "MandateRegisterInput.bankCode": '"0005"',
    "MandateRegisterInput.branchCode": '"001"',
    "MandateRegisterInput.accountKind": '"1"',
    "MandateRegisterInput.accountNumber": '"1234567"',
    "MandateRegisterInput.holderName": '"カ"',
    "MandateRegisterInput.idempotencyKey": '"walk-mandate"',
    "MandateDecideInput.idempotencyKey": '"walk-answer"',
    "Query.refunds.first": "3",
    "Query.refunds.states": "null",
    "Query.refunds.lacksAccount": "false",
    "RefundAccountGiveInput.bankCode": '"0005"',
    "RefundAccountGiveInput.branchCode": '"001"',
    "RefundAccountGiveInput.accountKind": '"1"',
    "RefundAccountGiveInput.accountNumber": '"1234567"',
    "RefundAccountGiveInput.holderName": '"カ"',
    "RefundAccountGiveInput.idempotencyKey": '"walk-account"',
    "RefundRequestInput.amount": "1",
    "RefundRequestInput.note": '"walk"',
    "RefundRequestInput.totp": '"000000"',
    "RefundRequestInput.idempotencyKey": '"walk-refund"',
    "RefundDecideInput.totp": '"000000"',
    "DebitFileDecideInput.totp": '"000000"',
    "RefundDecideInput.idempotencyKey": '"walk-approve"',
    "RefundTransferredInput.transferredOn": '"2026-11-22"',
    "RefundTransferredInput.note": '"walk"',
    "RefundTransferredInput.idempotencyKey": '"walk-transfer"',
    "SlipNoticesTakeInput.content": '"MDE="',
    "FailedDebitsTakeInput.content": '"MDE="',
    "Query.failedDebitFiles.first": "3",
    "Query.failedDebitLines.first": "3",
    "Query.failedDebitLines.after": "null",
    "Query.printBatches.first": "3",
    "Query.resultFiles.first": "3",
    "UnopenedSwitchInput.idempotencyKey": '"walk-switch"',
    "ResultPlanSetInput.everyMinutes": "5",
    "ResultPlanSetInput.dailyHour": "null",
    "ResultFileMakeInput.idempotencyKey": '"walk-results"',
    "ResultFileAcknowledgeInput.number": "1",
    "ResultFileAcknowledgeInput.sha256": '"walk"',
    "Query.printBatchPart.partNo": "0",
    "Query.printBatchPart.sha256": '""',
    "Query.contractBillings.first": "3",
    "Query.contractBillings.after": "null",
    "Query.contactProblems.first": "3",
    "Query.contactProblems.after": "null",
    "PrintBatchMakeInput.idempotencyKey": '"walk-print"',
    "CaseSettleInput.idempotencyKey": '"walk-settle"',
    "LadderRungInput.when": "AFTER_DUE",
    "LadderRungInput.channel": "SMS",
    "LadderRungInput.days": "2",
    "LadderRungInput.unless": "NOTHING",
    "LadderRungInput.kind": "TRANSACTIONAL",
    "LadderOfKindInput.billKind": '""',
    "LadderHoursInput.quietFrom": '"21:00"',
    "LadderHoursInput.quietUntil": '"08:00"',
    "LadderHoursInput.rests": "false",
    "LadderHoursInput.perDay": "2",
    "LadderHoursInput.perWeek": "5",
    "LadderPreviewInput.billKind": '""',
    "LadderPreviewInput.dueOn": '"2099-01-01"',
    "LadderPreviewInput.opens": "false",
    "LadderPlanSetInput.seen": "0",
    "TemplateTextInput.subject": '""',
    "TemplateTextInput.body": '"walk"',
    "Query.templatePreview.first": "3",
    "TemplateSaveInput.subject": '""',
    "TemplateSaveInput.body": '"{merchant} {month} {amount} {last4} {due} {link}"',
    "TemplateSaveInput.idempotencyKey": '"walk-save"',
    "TemplateTryInput.body": '"walk"',
    "TemplateTryInput.subject": '""',
    "TemplateTryInput.phone": '"08099990000"',
    "TemplateTryInput.email": '""',
    "TemplateTryInput.idempotencyKey": '"walk-try"',
    "TemplateAskInput.idempotencyKey": '"walk-ask"',
    "TemplateDecideInput.totp": '"000000"',
    "TemplateDecideInput.idempotencyKey": '"walk-words"',
    "MessagePricesSetInput.provider": '"walk"',
    "MessagePricesSetInput.prices": "[]",
    "Query.pushDevices.customerNo": '"walk"',
    "PushDeviceRegisterInput.customerNo": '"walk"',
    "PushDeviceRegisterInput.token": '"walk"',
    "PushDevicesRemoveInput.customerNo": '"walk"',
}
"""Arguments that are nobody's."""

ID_KINDS = {
    "Query.funnel.importId": "import",
    "Query.switchPlan.importId": "import",
    "UnopenedSwitchInput.importId": "import",
    "Query.bill.id": "bill",
    "Query.import.id": "import",
    "Query.case.id": "case",
    "CaseSettleInput.id": "case",
    "DebitFileBuildInput.contractId": "debit_contract",
    "DebitFileDecideInput.id": "debit_file",
    "DebitFileReportInput.id": "debit_file",
    "TransferFileBuildInput.contractId": "transfer_contract",
    "TransferFileDecideInput.id": "transfer_file",
    "TransferFileReportInput.id": "transfer_file",
    "Query.transferFile.id": "transfer_file",
    "RefundReturnedInput.id": "refund",
    "MandateRegisterInput.contractId": "debit_contract",
    "MandateDecideInput.id": "mandate",
    "Query.mandates.contractId": "debit_contract",
    "Query.mandate.id": "mandate",
    "RefundRequestInput.billId": "bill",
    "RefundRequestInput.attemptId": "attempt",
    "RefundDecideInput.id": "refund",
    "RefundAccountGiveInput.id": "refund",
    "RefundTransferredInput.id": "refund",
    "BillFilterInput.importId": "import",
    "ImportSteerInput.id": "import",
    "ApiKeyRevokeInput.id": "api_key",
    "BillCancelInput.id": "bill",
    "BillResendInput.id": "bill",
    "BillPauseInput.id": "bill",
    "BillResumeInput.id": "bill",
    "BillCardRemoveInput.id": "bill",
    "ContactChoiceSetInput.id": "bill",
    "PrintBatchMakeInput.billIds": "bill",
    "PrintBatchHandOverInput.id": "print_batch",
    "ContractBillingSetInput.id": "bill",
    "ContactClearInput.id": "bill",
    "Query.printBatchPart.id": "print_batch",
    "Query.failedDebitLines.id": "failed_file",
    "ImportDecideInput.id": "import",
    "Query.template.id": "template",
    "TemplateSaveInput.id": "template",
    "TemplateAskInput.id": "template",
    "TemplateDecideInput.id": "template",
    "PushDeviceRemoveInput.id": "push_subscription",
}
"""Where the merchant schema takes an id, and of what."""

DUMP = """{ viewer { name } imports(first: 50) { nodes { id state filename rowsIssued } }
    bills(first: 50) { nodes { id version lifecycle message payerName pause } }
    cases(first: 50) { nodes { id closedAt seen } }
    refunds(first: 50) { nodes { id state decidedBy } }
    pushDevices(customerNo: "walk") { id } }"""


_PAID = """
insert into attempt (merchant_id, id, bill_id, method, provider, reference, state, amount_minor,
    created_at, finished_at, state_at, doubt_at)
values (current_setting('harai.merchant')::uuid, $1, $2, 'card', 'sandbox_card',
    $1::uuid::text, 'succeeded', 1001, $3, $3, $3, $3)
"""
_REFUND = """
insert into refund (merchant_id, id, bill_id, attempt_id, provider, reference, state, version,
    amount_minor, owed_minor, way, reason, asked_by, asked_at, state_at, asked, provider_ref)
select merchant_id, $1, bill_id, id, provider, $1::uuid::text, 'by_bank_transfer', 1, 1000, 0,
    'bank_transfer', 'other', 'system', $2, $2, 0, '' from attempt
"""


_BROWSER = """
insert into push_subscription (merchant_id, id, customer_blind, contact_blind, kind, contact,
                               created_at)
values (current_setting('harai.merchant')::uuid, $1, $2, $2, 'web', '', $3)
"""
_BATCH = """
insert into print_batch (merchant_id, id, charset, bills, with_bars, total_minor, parts, report,
    reported, made_by, made_at)
values ($1, $2, 'utf-8-sig', 1, 0, 1, 1, $3, 0, 'test', now())
"""
_FAILED = """
insert into failed_file (merchant_id, id, state, sha256, lines, succeeded, stored_to, told_to, told,
                         known, under_way, not_owed, unmatched, unclear, sent_by, sent_at, taken_at)
values ($1, $2, 'told', sha256(uuid_send($1)), 1, 0, 2, 2, 0, 0, 0, 0, 1, 0, 'test', $3, $3)
"""
_BANK = """{ printBatches(first: 1) { nodes { id } pageInfo { endCursor } }
    debitFiles(first: 1) { nodes { id contractId } pageInfo { endCursor } }
    transferFiles(first: 1) { nodes { id contractId } pageInfo { endCursor } }
    mandates(first: 1) { nodes { id } pageInfo { endCursor } } templates { id }
    failedDebitFiles(first: 1) { nodes { id sha256 } pageInfo { endCursor } }
    pushDevices(customerNo: "walk") { id } }"""


def _text(value: str | None) -> str:
    return json.dumps(value) if value is not None else "null"


@pytest_asyncio.fixture
async def two(ground: Ground, vault: VaultServer, client_for: ClientFor) -> AsyncIterator[Two]:
    web_caller, operator = await client_for("web"), await client_for("operator")
    web_of = web_settings(ground.folder)
    async with running_web(ground.folder, web_caller, settings=web_of) as web:
        us = await found(web, operator, web_caller, "mizu")
        them = await found(web, operator, web_caller, "hoshi")
        imports: dict[str, str] = {}
        for merchant in (us, them):
            imports[merchant.code] = await merchant.send_file(csv_of(merchant.mark, 6, faulty=2))
        await work_off(await client_for("work"))
        for merchant in (us, them):
            await merchant.decide(imports[merchant.code])
        await work_off(await client_for("work"))
        for merchant in (us, them):
            await _open_cases(vault, merchant)
            await _write(web_caller, merchant)
            await open_bank(operator, web_caller, merchant.code, merchant.owner.authority)
            await open_transfer(operator, web_caller, merchant.code, merchant.owner.authority)
        yield await _two(web, us, them, imports["hoshi"])
        await us.close()
        await them.close()


async def _open_cases(vault: VaultServer, merchant: Merchant) -> None:
    """One about a bill and one about messages that stand still."""
    async with acting(vault, merchant.owner.merchant.id) as act:
        bill_id = await act.db.fetchval("select id from bill order by id limit 1")
        chunk_id = await act.db.fetchval("select id from delivery_chunk limit 1")
        await act.open_case("overpaid", bill_id, amount_minor=1)
        await act.db.execute(_PAID, act.new_id(), bill_id, act.now)
        await act.db.execute(_REFUND, act.new_id(), act.now)
        customer = (await act.fields()).blind("customer_no", "WALK")
        await act.db.execute(_BROWSER, act.new_id(), customer, act.now)
        await act.open_case("task.message.send_chunk", chunk_id, code="provider_busy")
        batch_id, fields = act.new_id(), await act.fields()
        report = fields.seal("print_batch", "document", batch_id, 1, Report())
        await act.db.execute(_BATCH, act.merchant_id, batch_id, report)
        await store_part(act, batch_id, 0, merchant.mark.encode())
        await act.db.execute(_FAILED, act.merchant_id, act.new_id(), act.now)


async def _write(caller: VaultClient, merchant: Merchant) -> None:
    """A draft of what the merchant's messages say."""
    draft = SaveTemplate(
        template_id=None, version=0, channel="sms", language="ja", occasion="first",
        body=f"{merchant.mark} {{merchant}} {{month}} {{amount}} {{last4}} {{due}} {{link}}",
        idempotency_key="draft",
    )  # fmt: skip
    await caller.call(SAVE_TEMPLATE, draft, merchant.owner.authority)


_PAGED_OF_BANK = (
    "debitFiles", "failedDebitFiles", "mandates", "printBatches", "transferFiles"
)  # fmt: skip


async def _two(web: Web, us: Merchant, them: Merchant, import_id: str) -> Two:
    bills = await them.bills()
    assert len(bills) == 4
    keys = await _run(_staff(web, them), "{ apiKeys { id } }")
    key_id = keys["data"]["apiKeys"][0]["id"]
    page = await them.ask(
        "{ bills(first: 2) { pageInfo { endCursor } }"
        " imports(first: 1) { pageInfo { endCursor } }"
        " cases(first: 1) { nodes { id } pageInfo { endCursor } }"
        " refunds(first: 1) { nodes { id attemptId } pageInfo { endCursor } } }"
    )
    [refund] = page["refunds"]["nodes"]
    bank = (await _run(_staff(web, them), _BANK))["data"]
    [file], [mandate] = bank["debitFiles"]["nodes"], bank["mandates"]["nodes"]
    [transfer] = bank["transferFiles"]["nodes"]
    case_id = page["cases"]["nodes"][0]["id"]
    [batch], [failed] = bank["printBatches"]["nodes"], bank["failedDebitFiles"]["nodes"]
    return Two(
        us=us,
        them=them,
        ids={
            "bill": bills[0],
            "import": import_id,
            "api_key": key_id,
            "case": case_id,
            "attempt": refund["attemptId"],
            "refund": refund["id"],
            "debit_contract": file["contractId"],
            "debit_file": file["id"],
            "transfer_contract": transfer["contractId"],
            "transfer_file": transfer["id"],
            "mandate": mandate["id"],
            "print_batch": batch["id"],
            "failed_file": failed["id"],
            "template": bank["templates"][0]["id"],
            "push_subscription": bank["pushDevices"][0]["id"],
        },
        canaries=(
            them.mark,
            them.code,
            import_id,
            key_id,
            case_id,
            *refund.values(),
            *bills,
            *file.values(),
            *transfer.values(),
            mandate["id"],
            batch["id"],
            *failed.values(),
            bank["templates"][0]["id"],
            bank["pushDevices"][0]["id"],
        ),
        cursors={
            name: page[name]["pageInfo"]["endCursor"]
            for name in ("bills", "imports", "cases", "refunds")
        }
        | {name: bank[name]["pageInfo"]["endCursor"] for name in _PAGED_OF_BANK},
    )


def _staff(web: Web, merchant: Merchant, signed_in: SignedIn | None = None) -> RequestContext:
    who = signed_in or merchant.owner
    session = StaffSession(
        authority=who.authority,
        staff_id=who.staff_id,
        merchant_code=merchant.code,
        role=who.role,
        csrf=b"c" * 16,
    )
    return _context(web, session)


def _key(web: Web, merchant: Merchant) -> RequestContext:
    class _Headers:
        headers = merchant.api.headers

    session = read_api_key(_Headers())  # type: ignore[arg-type]
    assert session is not None
    return _context(web, session)


def _context(web: Web, session: StaffSession | ApiKeySession) -> RequestContext:
    return RequestContext(
        doors=web.doors, audience="merchant", session=session, language="en", request_id="walk"
    )


async def _run(context: RequestContext, text: str) -> dict[str, Any]:
    """A document run with a principal's own authority, whatever it costs."""
    context = context.renewed()
    try:
        prepared = read_document(MERCHANT, text, allows_introspection=False)
        answer = await run(MERCHANT, prepared, {}, context)
    except PortalError as error:
        return {"data": None, "errors": [{"code": error.code, "params": error.params}]}
    return {
        "data": answer.data,
        "errors": [masked(error, context) for error in answer.errors],
    }


def test_every_place_for_an_id_is_known_to_this_test() -> None:
    assert id_coordinates(MERCHANT) == set(ID_KINDS)


async def test_no_field_shows_anything_of_another_merchant(two: Two) -> None:
    web = two.us.web
    walked = shown = 0
    for whose in ("them", "nobody"):
        for path in paths(MERCHANT, two.values(whose), mutations=False):
            for context in (_staff(web, two.us), _key(web, two.us)):
                answer = json.dumps(await _run(context, path.text), ensure_ascii=False)
                assert not [c for c in two.canaries if c in answer], f"{path.name}: {answer}"
                assert '"internal"' not in answer, f"{path.name}: {answer}"
                walked += path.leaves
                shown += two.us.mark in answer
    assert walked > 400
    assert shown > 25  # the same fields do show us our own


async def test_the_same_fields_show_their_owner_everything(two: Two) -> None:
    seen = set[str]()
    values = two.values("them")
    first_pages = {name: "null" if name.endswith(".after") else values[name] for name in values}
    for path in paths(MERCHANT, first_pages, mutations=False):
        answer = json.dumps(await _run(_staff(two.us.web, two.them), path.text))
        seen |= {canary for canary in two.canaries if canary in answer}
    assert set(two.canaries) - seen == set()


async def test_another_merchants_id_and_one_that_does_not_exist_look_the_same(two: Two) -> None:
    nobody = {
        "bill": "bill_01JD0000000000000000000000",
        "import": "imp_01JD0000000000000000000000",
        "api_key": "key_01JD0000000000000000000000",
        "case": "case_01JD0000000000000000000000",
        "attempt": "att_01JD0000000000000000000000",
        "refund": "rfd_01JD0000000000000000000000",
        "debit_contract": "dct_01JD0000000000000000000000",
        "debit_file": "dbf_01JD0000000000000000000000",
        "transfer_contract": "trc_01JD0000000000000000000000",
        "transfer_file": "trf_01JD0000000000000000000000",
        "failed_file": "fdf_01JD0000000000000000000000",
        "mandate": "mdt_01JD0000000000000000000000",
        "template": "tpl_01JD0000000000000000000000",
        "push_subscription": "psh_01JD0000000000000000000000",
    }
    context = _staff(two.us.web, two.us)
    compared = 0
    for mutations in (False, True):
        foreign = list(paths(MERCHANT, two.values("them"), mutations=mutations))
        for path in foreign:
            if not path.takes_id:
                continue
            text = path.text
            for kind, value in nobody.items():
                text = text.replace(two.ids[kind], value)
            # A key of its own each, or the second would be a repeat with other arguments.
            ours = await _run(context, path.text.replace("walk-", f"f{compared}-"))
            none = await _run(context, text.replace("walk-", f"n{compared}-"))
            assert ours == none, path.name
            compared += 1
    assert compared > 50


async def test_no_mutation_touches_anything_of_another_merchant(two: Two) -> None:
    web = two.us.web
    before = await two.them.ask(DUMP)
    refused = 0
    for path in paths(MERCHANT, two.values("them"), mutations=True):
        if path.name.startswith("logOut"):
            continue  # it ends our own session and takes no id
        for context in (_staff(web, two.us), _key(web, two.us)):
            answer = json.dumps(await _run(context, path.text), ensure_ascii=False)
            assert not [c for c in two.canaries if c in answer], f"{path.name}: {answer}"
            assert '"internal"' not in answer, f"{path.name}: {answer}"
            refused += "not_found" in answer
    assert refused > 8
    assert await two.them.ask(DUMP) == before


async def test_random_documents_never_break_and_never_show_another_merchant(two: Two) -> None:
    documents: list[str] = []
    whole = st.integers(-(2**60), 2**60).map(nodes.Int)
    text = st.sampled_from(["", "x", two.ids["bill"], two.ids["import"], "2026-11-22"]).map(
        nodes.String
    )

    @settings(max_examples=FUZZED, derandomize=True, database=None, deadline=None)
    @given(
        from_schema(
            MERCHANT.as_str(),
            custom_scalars={"Int64": whole, "DateTime": text, "Date": text, "JSON": text},
        )
    )
    def collect(document: str) -> None:
        documents.append(document)

    collect()
    ran = 0
    for document in documents:
        answer = await two.us.api.post("/graphql", json={"query": document})
        assert answer.status_code in {200, 400, 429}, f"{answer.status_code}: {document}"
        body = answer.json()
        codes = {error["extensions"]["code"] for error in body.get("errors", ())}
        assert not codes & {"internal", "json_malformed"}, f"{codes}: {document}"
        if codes != {"document_invalid"}:  # whose findings quote the sender's own text
            assert not [canary for canary in two.canaries if canary in answer.text], document
        ran += body.get("data") is not None or "path" in body["errors"][0]
    assert len(documents) >= FUZZED
    assert ran > FUZZED // 8  # the rest names ids and cursors that are none
