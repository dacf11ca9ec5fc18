"""GMO Payment Gateway's answers, recorded ones among them, read by what may have happened there."""

from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.application.providers import gmopg, smbc_gp
from portal.application.providers.exchange import (
    Endpoint,
    Exchange,
    RefundWanted,
    SessionWanted,
)
from portal.application.providers.gmopg.body import read_pairs
from portal.domain.card_number import looks_like_card_number
from portal.domain.errors import InvalidInput, InvariantBroken
from portal.domain.money import Money
from portal.domain.payment import DECLINE_CODES
from portal.domain.refund_word.gmopg_body import read_errors, weigh
from portal.domain.refund_word.word import RefundAnswer
from portal.kit.outbound.wire import OutboundAnswer
from tests.make.gmopg import errors, paid, recorded, trade

SHOP = Endpoint("pt01.mul-pay.jp", 443, ("tshop00012345", "page01"))
REFERENCE = "01JD0000000000000000000001"
BACK = "https://pay.example/return/mizu/tok"
SESSION = SessionWanted(
    reference=REFERENCE, amount=Money(8420), return_url=BACK, account="mizu", description="A-1"
)
URL = "https://link.mul-pay.jp/v2/plus/tshop00012345/checkout/2f0a"
ERROR_PAGE = "<html><title>ただいまメンテナンス中です</title></html>".encode("cp932")
NOT_SENT = OutboundAnswer(fate="not_sent", code="relay_away")
UNCLEAR = OutboundAnswer(fate="unclear", code="timed_out")


OPENED = "Fri, 27 Nov 2026 12:00:00 GMT"
PAGE = "page-20261127210000"


def at(date: str, answer: OutboundAnswer) -> OutboundAnswer:
    return msgspec.structs.replace(answer, headers={**answer.headers, "date": date})


def refund_of(amount: int, remaining: int) -> RefundWanted:
    return RefundWanted(
        refund_id=UUID(int=9),
        reference=REFERENCE,
        provider_ref="p-1303011202111111111111198895",
        refund_reference="01JD0000000000000000000002",
        amount=Money(amount),
        remaining=Money(remaining),
        account="mizu",
    )


def opened(body: object, status: int = 200) -> OutboundAnswer:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return OutboundAnswer(fate="answered", status=status, body=raw)


def form_of(exchange: Exchange[RefundAnswer]) -> dict[str, str]:
    return dict(item.split("=", 1) for item in exchange.request.body.split("&"))


def given_back(search: OutboundAnswer, wanted: RefundWanted) -> Exchange[RefundAnswer] | None:
    """The second call of a refund, or None when the first answer ended it."""
    exchange = gmopg.ADAPTER.refund(SHOP, wanted)
    assert exchange.request.path == "/payment/SearchTrade.idPass"
    assert exchange.then is not None
    return exchange.then(search)


# --- opening ---------------------------------------------------------------------------------


def test_page_is_asked_for_with_three_d_secure_and_a_password_that_the_relay_holds() -> None:
    request = gmopg.ADAPTER.open_session(SHOP, SESSION).request

    document = msgspec.json.decode(request.body)
    assert request.path == "/payment/GetLinkplusUrlPayment.json"
    assert document["geturlparam"] == {
        "ShopID": "tshop00012345",
        "ShopPass": "{{credential:gmopg}}",
    }
    assert document["configid"] == "page01"
    assert document["transaction"]["OrderID"] == REFERENCE
    assert document["transaction"]["Amount"] == "8420"
    assert {document["transaction"][name] for name in ("RetUrl", "CompleteUrl", "CancelUrl")} == {
        BACK
    }
    assert document["credit"]["TdFlag"] == "2"


def test_same_protocol_serves_two_companies_with_a_password_each() -> None:
    request = smbc_gp.ADAPTER.inquire(SHOP, REFERENCE).request

    assert "ShopPass=%7B%7Bcredential%3Asmbc_gp%7D%7D" in request.body
    assert smbc_gp.CAPABILITIES.provider == "smbc_gp"
    assert smbc_gp.CAPABILITIES.notice_answer == "0"


def test_shop_without_its_name_is_a_fault_of_the_set_up() -> None:
    with pytest.raises(InvariantBroken, match="provider_unconfigured"):
        gmopg.ADAPTER.inquire(Endpoint("pt01.mul-pay.jp", 443), REFERENCE)


def test_opened_page_leads_to_the_company() -> None:
    said = {"OrderID": REFERENCE, "LinkUrl": URL, "ProcessDate": "20261127210000"}

    read = gmopg.ADAPTER.open_session(SHOP, SESSION).read(opened(said))
    dated = gmopg.ADAPTER.open_session(SHOP, SESSION).read(at(OPENED, opened(said)))

    assert (read.outcome, read.redirect_url, read.provider_ref) == ("accepted", URL, "")
    assert dated.provider_ref == PAGE


@pytest.mark.parametrize(
    ("answer", "outcome", "code"),
    [
        (NOT_SENT, "refused", "provider_away"),
        (UNCLEAR, "unknown", "timed_out"),
        (opened([{"ErrCode": "E01", "ErrInfo": "E01030002"}], 400), "refused", "provider_refused"),
        (opened([{"errCode": "E01", "errInfo": "E01030002"}]), "refused", "provider_refused"),
        (opened([{"ErrCode": "E92", "ErrInfo": "E92000001"}], 400), "refused", "provider_busy"),
        (opened([{"ErrCode": "E01", "ErrInfo": "E01040010"}]), "unknown", "reference_exists"),
        (opened([{"ErrCode": "EZ4", "ErrInfo": "EZ4135014"}]), "unknown", "reference_exists"),
        (opened([{"ErrCode": "E90", "ErrInfo": "E90010001"}]), "unknown", "reference_exists"),
        (opened([{"ErrCode": "E91", "ErrInfo": "E91099999"}]), "unknown", "provider_unclear"),
        (opened([{"ErrCode": "C01", "ErrInfo": "42C010000"}]), "unknown", "provider_unclear"),
        (opened([{"ErrCode": "E01"}]), "unknown", "provider_unclear"),
        (opened([{"ErrCode": "E01", "ErrInfo": "E01030002"}], 503), "unknown", None),
        (opened([]), "unknown", "answer_unreadable"),
        (opened({"OrderID": "other", "LinkUrl": URL}), "unknown", "answer_unreadable"),
        (opened({"OrderID": REFERENCE, "LinkUrl": "javascript:x"}), "unknown", None),
        (
            opened({"OrderID": REFERENCE, "LinkUrl": URL, "WarnList": [{"w": "EZ4135014"}]}),
            "unknown",
            "reference_exists",
        ),
        (opened(b'{"OrderID":"01JD'), "unknown", "answer_unreadable"),
        (opened(ERROR_PAGE), "unknown", "answer_unreadable"),
        (opened(ERROR_PAGE, 503), "unknown", "answer_unreadable"),
        (opened(b"", 302), "unknown", "answer_unreadable"),
    ],
)
def test_opening_is_refused_only_in_the_companys_own_words(
    answer: OutboundAnswer, outcome: str, code: str | None
) -> None:
    read = gmopg.ADAPTER.open_session(SHOP, SESSION).read(answer)

    assert read.outcome == outcome
    assert code is None or read.code == code
    assert read.outcome != "refused" or read.code in DECLINE_CODES


# --- asking ----------------------------------------------------------------------------------


def test_recorded_order_that_nobody_paid_waits_for_the_payer() -> None:
    finding = gmopg.ADAPTER.inquire(SHOP, "1362106772").read(recorded("SearchTrade"))

    assert (finding.state, finding.amount_minor) == ("requires_action", 0)


def test_recorded_list_of_several_faults_is_no_word_about_an_order() -> None:
    answer = recorded("SearchTrade_unknown")

    assert read_errors(read_pairs(answer) or {}) == ("M01051005", "M01051011", "M01004002")
    assert gmopg.ADAPTER.inquire(SHOP, REFERENCE).read(answer).state == "unclear"


@pytest.mark.parametrize("code", ["M01004002", "E01110002"])
def test_order_is_missing_only_when_that_is_all_the_company_says(code: str) -> None:
    assert gmopg.ADAPTER.inquire(SHOP, REFERENCE).read(errors(code)).state == "not_found"
    both = errors(code, "E91099999")
    assert gmopg.ADAPTER.inquire(SHOP, REFERENCE).read(both).state == "unclear"


@pytest.mark.parametrize(
    ("date", "state", "decline"),
    [
        (OPENED, "requires_action", ""),
        ("Sat, 28 Nov 2026 10:59:59 GMT", "requires_action", ""),
        ("Sat, 28 Nov 2026 11:00:00 GMT", "failed", "expired"),
        ("", "requires_action", ""),
    ],
)
def test_page_that_nobody_paid_on_waits_for_the_payer_until_it_is_given_up(
    date: str, state: str, decline: str
) -> None:
    asked = gmopg.ADAPTER.inquire(SHOP, REFERENCE, PAGE)
    for answer in (errors("M01004002"), trade(REFERENCE), trade(REFERENCE, Status="AUTHENTICATED")):
        finding = asked.read(at(date, answer))
        assert (finding.state, finding.decline_code) == (state, decline)

    assert asked.read(at(date, paid(REFERENCE))).state == "succeeded"
    assert asked.read(at(date, errors("E91099999"))).state == "unclear"


@pytest.mark.parametrize("name", ["", "page-", "page-2026", "p-20261127210000", "20261127210000"])
def test_order_without_a_page_was_never_begun(name: str) -> None:
    asked = gmopg.ADAPTER.inquire(SHOP, REFERENCE, name)

    assert asked.read(at("Sat, 28 Nov 2026 11:00:00 GMT", errors("M01004002"))).state == "not_found"


def test_paid_order_tells_amount_approval_and_the_cards_last_digits() -> None:
    answer = paid(REFERENCE, 8000, Tax="420", Tds2TransResult="Y")

    finding = gmopg.ADAPTER.inquire(SHOP, REFERENCE).read(answer)

    assert (finding.state, finding.amount_minor) == ("succeeded", 8420)
    assert (finding.approval_no, finding.instrument_hint) == ("6416276", "1111")
    assert finding.authentication == "Y"
    assert finding.provider_ref == "p-1303011202111111111111198895"
    assert not looks_like_card_number(finding.instrument_hint)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("UNPROCESSED", "requires_action"),
        ("AUTHENTICATED", "requires_action"),
        ("AUTH", "pending"),
        ("SAUTH", "pending"),
        ("CAPTURE", "succeeded"),
        ("SALES", "succeeded"),
        ("VOID", "failed"),
        ("RETURN", "failed"),
        ("RETURNX", "failed"),
        ("CHECK", "unclear"),
        ("INVENTED", "unclear"),
        ("", "unclear"),
    ],
)
def test_every_status_has_its_meaning_and_only_a_sale_has_an_amount(
    status: str, state: str
) -> None:
    finding = gmopg.ADAPTER.inquire(SHOP, REFERENCE).read(paid(REFERENCE, Status=status))

    assert finding.state == state
    assert finding.amount_minor == (8420 if state == "succeeded" else 0)


@pytest.mark.parametrize(
    "answer",
    [
        NOT_SENT,
        UNCLEAR,
        paid("01JDZZZZZZZZZZZZZZZZZZZZZZ"),
        paid(REFERENCE, Currency="USD"),
        paid(REFERENCE, Amount="8,420"),
        paid(REFERENCE, Amount=""),
        paid(REFERENCE, AccessID="short"),
        OutboundAnswer(fate="answered", status=500, body=paid(REFERENCE).body),
        OutboundAnswer(fate="answered", status=302, headers={"location": URL}),
        OutboundAnswer(fate="answered", status=200, body=ERROR_PAGE),
        OutboundAnswer(fate="answered", status=200, body=b""),
        OutboundAnswer(fate="answered", status=200, body=b"OrderID=1&OrderID=2"),
        OutboundAnswer(fate="answered", status=200, body=b"ErrCode=E01"),
        recorded("EntryTran"),
        recorded("ExecTran_japanese"),
        recorded("SearchTradeMulti"),  # which does not say of which order it speaks
    ],
)
def test_inquiry_learns_nothing_from_what_is_not_plainly_about_this_order(
    answer: OutboundAnswer,
) -> None:
    finding = gmopg.ADAPTER.inquire(SHOP, REFERENCE).read(answer)

    assert (finding.state, finding.amount_minor) == ("unclear", 0)


def test_body_that_was_cut_anywhere_never_reads_as_another_amount() -> None:
    whole = paid(REFERENCE).body

    for end in range(len(whole)):
        cut = OutboundAnswer(fate="answered", status=200, body=whole[:end])
        finding = gmopg.ADAPTER.inquire(SHOP, REFERENCE).read(cut)
        assert finding.amount_minor in {0, 8420}
        assert finding.state == "unclear" or end >= whole.rindex(b"ClientField3=")


def test_recorded_bodies_in_both_charsets_are_read_whole() -> None:
    japanese = read_pairs(recorded("ExecTran_japanese"))
    later = read_pairs(recorded("EntryTranGanb"))
    secure = read_pairs(recorded("ExecTran_3ds2"))

    assert japanese is not None
    assert japanese["ClientField1"].endswith("ほげほげhogehoge")
    assert later is not None
    assert later["OrderID"] == "1696341308"
    assert secure is not None
    assert secure["Tds2TransResult"] == "C"
    assert recorded("ExecTran_japanese").headers["content-type"].endswith("Windows-31J")
    assert recorded("EntryTranGanb").headers["content-type"].endswith("Shift_JIS")


@pytest.mark.parametrize(
    ("codes", "meaning"),
    [
        (("E01050002", "E01060006"), "refused"),
        (("E01090008", "E01100008", "E01110002"), "refused"),
        (("42G020000",), "refused"),
        (("42C010000",), "unknown"),
        (("42G020000", "42C010000"), "unknown"),
        (("E01040010",), "taken"),
        (("42C010000", "E01040010"), "taken"),
        (("E92000001",), "busy"),
        (("E11010999",), "unknown"),
        (("E91099999",), "unknown"),
        (("X99999999",), "unknown"),
    ],
)
def test_most_doubtful_error_of_a_list_decides(codes: tuple[str, ...], meaning: str) -> None:
    assert weigh(codes) == meaning


# --- giving back -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "job"),
    [
        ("Fri, 01 Mar 2013 14:59:59 GMT", "VOID"),
        ("Fri, 01 Mar 2013 15:00:00 GMT", "RETURN"),  # midnight in Japan
        ("Sun, 31 Mar 2013 14:59:59 GMT", "RETURN"),
        ("Sun, 31 Mar 2013 15:00:00 GMT", "RETURNX"),
        ("Sat, 01 Mar 2014 02:00:00 GMT", "RETURNX"),
    ],
)
def test_whole_amount_goes_back_by_the_word_for_its_day_in_japan(at: str, job: str) -> None:
    exchange = given_back(paid(REFERENCE, at=at), refund_of(8420, 0))

    assert exchange is not None
    assert exchange.request.path == "/payment/AlterTran.idPass"
    form = form_of(exchange)
    assert (form["JobCd"], form["Amount"]) == (job, "8420")
    assert form["ShopPass"] == "%7B%7Bcredential%3Agmopg%7D%7D"
    assert form["AccessID"] == "3618be802c7ac572414274731e50cb6c"


def test_part_goes_back_by_lowering_the_amount_to_what_remains() -> None:
    exchange = given_back(paid(REFERENCE), refund_of(420, 8000))

    assert exchange is not None
    assert exchange.request.path == "/payment/ChangeTran.idPass"
    assert (form_of(exchange)["JobCd"], form_of(exchange)["Amount"]) == ("CAPTURE", "8000")


@pytest.mark.parametrize(
    "search",
    [
        paid(REFERENCE, 8000),  # as if this refund had been made already
        paid(REFERENCE, Status="RETURN"),
        paid(REFERENCE, Status="SALES"),  # lowered under another word, which nobody recorded
        paid("01JDZZZZZZZZZZZZZZZZZZZZZZ"),
        trade(REFERENCE),
        errors("M01004002"),
        UNCLEAR,
        NOT_SENT,
    ],
)
def test_nothing_is_given_back_of_an_order_that_is_not_as_we_believe(
    search: OutboundAnswer,
) -> None:
    wanted = refund_of(420, 8000)

    assert given_back(search, wanted) is None
    assert gmopg.ADAPTER.refund(SHOP, wanted).read(search).outcome == "refused"


@pytest.mark.parametrize("at", ["", "yesterday", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_undated_answer_gives_nothing_back(at: str) -> None:
    assert given_back(paid(REFERENCE, at=at), refund_of(8420, 0)) is None


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (NOT_SENT, "refused"),
        (UNCLEAR, "unknown"),
        (recorded("AlterTran_refused"), "refused"),
        (errors("M01060010"), "refused"),
        (errors("E92000001"), "refused"),
        (errors("42C010000"), "unknown"),
        (errors("E11010999"), "unknown"),
        (errors("E91099999"), "unknown"),
        (errors("E01110002"), "unknown"),  # it was there a moment ago
        (recorded("AlterTran"), "unknown"),  # of another order
        (OutboundAnswer(fate="answered", status=200, body=b"AccessID="), "unknown"),
        (OutboundAnswer(fate="answered", status=500, body=b"ErrCode=E01"), "unknown"),
        (OutboundAnswer(fate="answered", status=200, body=ERROR_PAGE), "unknown"),
    ],
)
def test_refund_is_refused_only_when_nothing_can_have_gone_back(
    answer: OutboundAnswer, outcome: str
) -> None:
    exchange = given_back(paid(REFERENCE), refund_of(8420, 0))

    assert exchange is not None
    assert exchange.read(answer).outcome == outcome


def test_recorded_returns_read_as_done() -> None:
    for name, wanted in (("AlterTran", refund_of(100, 0)), ("ChangeTran", refund_of(50, 50))):
        said = read_pairs(recorded(name)) or {}
        found = paid(REFERENCE, 100, AccessID=said["AccessID"], AccessPass=said["AccessPass"])
        exchange = given_back(found, wanted)

        assert exchange is not None
        done = exchange.read(recorded(name))
        assert (done.outcome, done.provider_ref) == ("succeeded", f"p-{said['TranID']}")


@pytest.mark.parametrize(
    ("answer", "wanted", "state", "amount"),
    [
        (paid(REFERENCE, Status="VOID"), refund_of(8420, 0), "succeeded", 8420),
        (paid(REFERENCE, Status="RETURNX"), refund_of(8420, 0), "succeeded", 8420),
        (paid(REFERENCE, 8000), refund_of(420, 8000), "succeeded", 420),
        (paid(REFERENCE), refund_of(8420, 0), "not_found", 0),
        (paid(REFERENCE), refund_of(420, 8000), "not_found", 0),
        (paid(REFERENCE, 7000), refund_of(420, 8000), "unclear", 0),
        (paid(REFERENCE, Status="RETURN"), refund_of(420, 8000), "unclear", 0),
        (paid(REFERENCE, 100, Status="RETURN"), refund_of(8420, 0), "unclear", 0),
        # Another refund gave all of it back after this one was given up.
        (paid(REFERENCE, Status="RETURN"), refund_of(8420, -8420), "not_found", 0),
        (paid(REFERENCE, Status="RETURN"), refund_of(8420, -8000), "unclear", 0),
        (paid(REFERENCE, 420), refund_of(8420, -8000), "not_found", 0),
        (trade(REFERENCE), refund_of(8420, 0), "unclear", 0),
        (errors("M01004002"), refund_of(8420, 0), "unclear", 0),
        (UNCLEAR, refund_of(8420, 0), "unclear", 0),
    ],
)
def test_refund_is_told_by_the_amount_that_it_leaves(
    answer: OutboundAnswer, wanted: RefundWanted, state: str, amount: int
) -> None:
    finding = gmopg.ADAPTER.inquire_refund(SHOP, wanted).read(answer)

    assert (finding.state, finding.amount_minor) == (state, amount)


@given(status=st.integers(100, 599), body=st.binary(max_size=200))
def test_no_answer_whatever_makes_it_raise_or_invent_success(status: int, body: bytes) -> None:
    answer = OutboundAnswer(fate="answered", status=status, body=body)
    wanted = refund_of(8420, 0)

    assert gmopg.ADAPTER.open_session(SHOP, SESSION).read(answer).outcome != "accepted"
    assert gmopg.ADAPTER.inquire(SHOP, REFERENCE).read(answer).state == "unclear"
    assert gmopg.ADAPTER.inquire_refund(SHOP, wanted).read(answer).state == "unclear"
    assert given_back(answer, wanted) is None
    exchange = given_back(paid(REFERENCE), wanted)
    assert exchange is not None
    assert exchange.read(answer).outcome in {"refused", "unknown"}


# --- notices ---------------------------------------------------------------------------------

NOTICE = (
    f"ShopID=tshop00012345&ShopPass=**********&AccessID=3618be80&OrderID={REFERENCE}"
    "&Status=CAPTURE&JobCd=CAPTURE&Amount=8420&Tax=0&TranDate=20261127210000&ErrCode=&ErrInfo="
    "&PayType=0&ClientField1=%82%D9%82%B0"
).encode()


def test_notice_is_one_claim_and_its_own_digest_is_its_id() -> None:
    [claim] = gmopg.NOTICES.parse(NOTICE, {})
    [again] = gmopg.NOTICES.parse(NOTICE, {})
    [other] = gmopg.NOTICES.parse(NOTICE.replace(b"CAPTURE&J", b"RETURN&J"), {})

    assert (claim.reference, claim.subject, claim.claim) == (REFERENCE, "attempt", "succeeded")
    assert claim.at is not None
    assert claim.at.isoformat() == "2026-11-27T12:00:00+00:00"
    assert claim.notice_id == again.notice_id != other.notice_id
    assert other.claim == "failed"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe",
        ERROR_PAGE,
        b"OrderID=&Status=CAPTURE",
        f"OrderID={REFERENCE}".encode(),
        f"OrderID={REFERENCE}&OrderID=other&Status=CAPTURE".encode(),
        f"OrderID={'A' * 28}&Status=CAPTURE".encode(),
        f"OrderID={REFERENCE}&Status=<b>".encode(),
        b"&".join(b"a%d=1" % number for number in range(300)),
    ],
)
def test_malformed_notice_is_refused_whole(raw: bytes) -> None:
    with pytest.raises(InvalidInput, match="notice_malformed"):
        gmopg.NOTICES.parse(raw, {})


@given(raw=st.binary(max_size=300))
def test_no_body_makes_the_notice_reader_fail_otherwise(raw: bytes) -> None:
    with pytest.raises(InvalidInput, match="notice_malformed"):
        gmopg.NOTICES.parse(raw, {})
