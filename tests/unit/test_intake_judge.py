from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.errors import InvalidInput
from portal.domain.intake.columns import REQUIRED, item_column, read_header
from portal.domain.intake.judge import AMOUNT_MINOR_CAP, Judge, Rules
from portal.domain.intake.row import FAULT_CODES, FAULTS_MAX, VALUE_SHOWN_MAX, BillRequest, Fault
from portal.domain.sample import SampleFile, sample_rows
from portal.domain.sample.file import HEADER

TODAY = date(2026, 11, 22)
COLUMNS = (
    *REQUIRED, "kind", "phone", "email", "postal_code", "address", "payer_kana",
    "digital_consent", "digital_consent_source", "language", "tax_10", "tax_8",
    *(item_column(item, part) for item in (1, 2) for part in ("label", "amount", "tax_rate")),
)  # fmt: skip
GOOD = {
    "number": "E-1",
    "customer_no": "0012-4821",
    "contract_no": "C-9",
    "period": "2026-11",
    "payer_name": "髙橋　太郎",
    "amount": "8420",
    "due_on": "2026-12-10",
    "phone": "090-1234-5678",
}
TWO_ITEMS = {
    "item1_label": "基本料金", "item1_amount": "9000", "item1_tax_rate": "10",
    "item2_label": "割引", "item2_amount": "-580", "item2_tax_rate": "10",
}  # fmt: skip


def judge(**cells: str) -> BillRequest | tuple[Fault, ...]:
    values = GOOD | cells
    return Judge(COLUMNS, Rules(today=TODAY)).judge(
        2, [values.get(column, "") for column in COLUMNS]
    )


def good(**cells: str) -> BillRequest:
    verdict = judge(**cells)
    assert isinstance(verdict, BillRequest), verdict
    return verdict


def faults(**cells: str) -> list[tuple[str, str]]:
    verdict = judge(**cells)
    assert isinstance(verdict, tuple), verdict
    return [(fault.column, fault.code) for fault in verdict]


def test_a_good_row_comes_out_in_canonical_form() -> None:
    bill = good()

    assert bill.phone == "+819012345678"
    assert (bill.payer_name, bill.kind, bill.language) == ("髙橋 太郎", "monthly", "ja")
    assert (bill.amount_minor, bill.tax_minor, bill.due_on) == (8420, 0, date(2026, 12, 10))


@pytest.mark.parametrize(
    ("written", "minor"),
    [("8420", 8420), ("８４２０", 8420), ("8,420", 8420), ("¥8,420", 8420), ("8,420円", 8420),  # noqa: RUF001
     (" 8420 ", 8420), (str(AMOUNT_MINOR_CAP), AMOUNT_MINOR_CAP), ("1", 1)],
)  # fmt: skip
def test_amounts_are_read_as_people_write_them(written: str, minor: int) -> None:
    assert good(amount=written).amount_minor == minor


@pytest.mark.parametrize(
    ("column", "written", "code"),
    [
        ("amount", "0", "amount_zero"),
        ("amount", "-1", "amount_negative"),
        ("amount", "△8,420", "amount_negative"),
        ("amount", "8420.0", "amount_not_whole"),
        ("amount", "8.42E+03", "amount_not_whole"),
        ("amount", "8,42", "amount_malformed"),
        ("amount", "=1+1", "amount_malformed"),
        ("amount", str(AMOUNT_MINOR_CAP + 1), "amount_too_large"),
        ("amount", " ", "empty"),
        ("amount", "9" * 5_000, "amount_malformed"),
        ("due_on", "2026-11-21", "due_past"),
        ("due_on", "2026-02-30", "date_impossible"),
        ("due_on", "2026-1-1x", "date_malformed"),
        ("due_on", "2026/12-10", "date_malformed"),
        ("due_on", "2030-01-01", "date_too_far"),
        ("phone", "9012345678", "phone_zero_lost"),
        ("phone", "0570012345", "phone_prefix"),
        ("phone", "090123456789", "phone_length"),
        ("phone", "090-1234-567a", "phone_characters"),
        ("email", "a@b", "email_malformed"),
        ("email", "a b@example.jp", "email_malformed"),
        ("email", "x" * 250 + "@example.jp", "text_too_long"),
        ("kind", "yearly", "unknown_kind"),
        ("language", "zh", "unknown_language"),
        ("period", "2026-00", "period_malformed"),
        ("payer_name", "x" * 61, "text_too_long"),
        ("payer_name", "a\u202eb", "control_character"),
        ("payer_name", "a\x00b", "control_character"),
        ("payer_name", "4111 1111 1111 1111", "card_number_refused"),
        ("payer_name", "４１１１１１１１１１１１１１１１", "card_number_refused"),  # noqa: RUF001
        ("customer_no", "4111-1111-1111-1111", "card_number_refused"),
        ("customer_no", "---", "empty"),
        ("number", "x" * 41, "text_too_long"),
    ],
)
def test_each_fault_is_named_in_its_column(column: str, written: str, code: str) -> None:
    assert faults(**{column: written}) == [(column, code)]


def test_limits_are_taken_at_them() -> None:
    assert good(due_on="2026-11-22").due_on == TODAY
    assert good(due_on="2029-12-31").due_on == date(2029, 12, 31)
    assert good(payer_name="x" * 60).payer_name == "x" * 60
    assert good(number="x" * 40).number == "x" * 40


def test_a_merchants_own_long_numbers_are_not_taken_for_cards() -> None:
    luhn_but_no_brand = "1000000000000008"

    assert good(customer_no=luhn_but_no_brand).customer_no == luhn_but_no_brand
    assert good(contract_no="0312345678901234567890").contract_no == "0312345678901234567890"


def test_all_faults_of_a_row_are_found_at_once() -> None:
    found = faults(amount="x", phone="1", email="", due_on="", period="?")

    assert sorted(found) == [
        ("amount", "amount_malformed"),
        ("due_on", "empty"),
        ("period", "period_malformed"),
        ("phone", "phone_length"),
    ]


def test_a_row_without_any_contact_is_refused() -> None:
    assert faults(phone="") == [("phone", "contact_missing")]
    assert good(phone="", email="taro@example.jp").email == "taro@example.jp"


def test_items_must_add_up_and_discounts_count_against_tax() -> None:
    bill = good(**TWO_ITEMS)
    assert [item.amount_minor for item in bill.items] == [9000, -580]
    assert bill.tax_minor == 8420 * 10 // 110

    assert faults(**(TWO_ITEMS | {"item2_amount": "-581"})) == [("amount", "items_sum")]
    assert faults(**(TWO_ITEMS | {"item2_tax_rate": "5"})) == [
        ("item2_tax_rate", "unknown_tax_rate")
    ]
    assert faults(**(TWO_ITEMS | {"item2_label": ""})) == [("item2_label", "empty")]
    assert faults(**(TWO_ITEMS | {"item2_amount": ""})) == [("item2_amount", "empty")]


def test_stated_tax_is_kept_but_must_fit() -> None:
    assert good(tax_10="765").tax_minor == 765
    assert good(tax_10="766").tax_minor == 766
    assert faults(tax_10="767") == [("tax_10", "tax_mismatch")]
    assert faults(tax_10="-1") == [("tax_10", "amount_negative")]
    assert faults(tax_10="500", tax_8="100") == [("tax_8", "items_needed")]
    assert faults(tax_10="700", **TWO_ITEMS) == [("tax_10", "tax_mismatch")]


def test_a_row_of_another_width_is_one_fault() -> None:
    verdict = Judge(("number", "amount"), Rules(today=TODAY)).judge(7, ["a", "b", "c"])

    assert verdict == (Fault(7, "", "columns_count", {"expected": 2, "found": 3}, "a,b,c"),)


@given(st.lists(st.text(max_size=40), min_size=len(COLUMNS), max_size=len(COLUMNS)))
def test_any_text_gets_a_verdict_with_documented_codes(cells: list[str]) -> None:
    verdict = Judge(COLUMNS, Rules(today=TODAY)).judge(2, cells)

    if isinstance(verdict, BillRequest):
        assert 0 < verdict.amount_minor <= AMOUNT_MINOR_CAP
        assert sum(item.amount_minor for item in verdict.items) == verdict.amount_minor
        assert verdict.due_on >= TODAY
        assert verdict.phone or verdict.email
        return
    assert 0 < len(verdict) <= FAULTS_MAX
    for fault in verdict:
        assert fault.code in FAULT_CODES
        assert fault.column in {"", *COLUMNS}
        assert len(fault.value) <= VALUE_SHOWN_MAX


@given(st.integers(0, 2**40), st.sampled_from(["utf-8", "cp932"]))
def test_samples_get_exactly_the_fault_they_were_given(seed: int, encoding: str) -> None:
    wanted = SampleFile(rows=20, seed=seed, today=TODAY, faulty_share=0.5, encoding=encoding)
    judge_ = Judge(HEADER, Rules(today=TODAY))
    written = {"columns_count", "bad_encoding", "duplicate_in_file"}

    for row in sample_rows(wanted):
        verdict = judge_.judge(row.line, row.cells)
        if row.fault is None or row.fault[1] in written:
            assert isinstance(verdict, BillRequest), (row, verdict)
        else:
            assert isinstance(verdict, tuple), row
            assert [(fault.column, fault.code) for fault in verdict] == [row.fault]


def test_headers_are_found_by_english_and_japanese_names_in_any_order() -> None:
    row = "メモ,支払期限,請求金額,氏名,対象期間,契約番号,お客様番号,請求番号,携帯番号,明細1金額"
    header = read_header(row.encode(), "utf-8")

    assert header.columns == (
        "", "due_on", "amount", "payer_name", "period", "contract_no", "customer_no", "number",
        "phone", "item1_amount",
    )  # fmt: skip
    assert header.unknown == ("メモ",)


@pytest.mark.parametrize(
    ("row", "code", "params"),
    [
        (",".join(REQUIRED), "column_missing", {"columns": "phone"}),
        (",".join(REQUIRED[1:]) + ",email", "column_missing", {"columns": "number"}),
        (",".join(REQUIRED) + ",phone,電話番号", "column_twice", {"column": "phone"}),
        ("\t".join(REQUIRED), "delimiter_wrong", {}),
    ],
)
def test_a_header_that_cannot_be_used_refuses_the_file(
    row: str, code: str, params: dict[str, str]
) -> None:
    with pytest.raises(InvalidInput, match=code) as refused:
        read_header(row.encode(), "utf-8")
    assert refused.value.params == params


@pytest.mark.parametrize("written", ["1000001", "100-0001", "〒100-0001", "１００－０００１"])  # noqa: RUF001
def test_a_postal_address_is_kept_beside_or_instead_of_phone_and_mail(written: str) -> None:
    bill = good(phone="", email="", postal_code=written, address="東京都  千代田区1")

    assert (bill.postal_code, bill.address) == ("100-0001", "東京都 千代田区1")


@pytest.mark.parametrize(
    ("postal_code", "address", "fault"),
    [
        ("100-001", "a", ("postal_code", "postal_malformed")),
        ("", "a", ("postal_code", "postal_missing")),
        ("100-0001", "住" * 121, ("address", "text_too_long")),
        ("100-0001", "4242 4242 4242 4242", ("address", "card_number_refused")),
    ],
)
def test_an_address_that_no_postman_finds_is_refused(
    postal_code: str, address: str, fault: tuple[str, str]
) -> None:
    assert faults(postal_code=postal_code, address=address) == [fault]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("タカハシ ハナ", "タカハシ\u3000ハナ"),
        ("  たかはし\u3000はな ", "タカハシ\u3000ハナ"),
        ("ﾀｶﾊｼ ﾊﾅｺ", "タカハシ\u3000ハナコ"),
        ("ジョー・ヴ", "ジョー・ヴ"),
        ("", ""),
        ("ア" * 20, "ア" * 20),
    ],
)
def test_a_reading_is_kept_in_katakana_however_it_is_written(written: str, kept: str) -> None:
    assert good(payer_kana=written).payer_kana == kept


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("髙橋 花", "kana_malformed"),
        ("TAKAHASHI", "kana_malformed"),
        ("・ー", "kana_malformed"),
        ("タカハシ1", "kana_malformed"),
        ("4111111111111111", "kana_malformed"),
        ("ア" * 21, "text_too_long"),
    ],
)
def test_a_reading_that_no_store_can_show_is_refused(written: str, code: str) -> None:
    assert faults(payer_kana=written) == [("payer_kana", code)]


@pytest.mark.parametrize(
    ("day", "source", "kept"),
    [
        ("", "", (None, "")),
        ("2026-10-01", "", (date(2026, 10, 1), "file")),
        ("2026年11月22日", " 契約 ", (TODAY, "contract")),
        ("2026/10/01", "電話", (date(2026, 10, 1), "telephone")),
        ("20261001", "Letter", (date(2026, 10, 1), "letter")),
    ],
)
def test_a_consent_is_kept_with_its_day_and_where_it_was_said(
    day: str, source: str, kept: tuple[date | None, str]
) -> None:
    bill = good(digital_consent=day, digital_consent_source=source)

    assert (bill.consent_on, bill.consent_source) == kept


@pytest.mark.parametrize(
    ("day", "source", "fault"),
    [
        ("2026-11-23", "", ("digital_consent", "consent_future")),
        ("yes", "", ("digital_consent", "date_malformed")),
        ("2026-02-30", "", ("digital_consent", "date_impossible")),
        ("", "contract", ("digital_consent", "empty")),
        ("2026-10-01", "hearsay", ("digital_consent_source", "unknown_consent_source")),
        ("2026-10-01", "4111111111111111", ("digital_consent_source", "unknown_consent_source")),
    ],
)
def test_a_consent_that_says_nothing_clear_is_refused(
    day: str, source: str, fault: tuple[str, str]
) -> None:
    assert faults(digital_consent=day, digital_consent_source=source) == [fault]
