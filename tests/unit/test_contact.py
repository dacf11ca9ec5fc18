import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.contact import (
    check_code_of,
    customer_hint,
    email_hint,
    normalise_customer_no,
    normalise_email,
    normalise_mobile,
    normalise_phone,
    phone_hint,
    read_check_code,
    takes_sms,
    write_check_code,
)
from portal.domain.errors import InvalidInput

FULL_WIDTH = "".join(chr(ord(letter) + 0xFEE0) for letter in "090-1234-5678")


@pytest.mark.parametrize(
    "written",
    ["090-1234-5678", "09012345678", FULL_WIDTH, "+81 90 1234 5678", "+81(0)90-1234-5678",
     "819012345678", " (090) 1234.5678 ", "090ー1234ー5678", "090−1234−5678"],  # noqa: RUF001
)  # fmt: skip
def test_one_telephone_written_in_many_ways_is_one(written: str) -> None:
    assert normalise_phone(written) == "+819012345678"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("9012345678", "phone_zero_lost"),
        ("7012345678", "phone_zero_lost"),
        ("0901234567", "phone_length"),
        ("090123456789", "phone_length"),
        ("0120-123-456", "phone_prefix"),
        ("0570-012-345", "phone_prefix"),
        ("00-1234-5678", "phone_prefix"),
        ("020-1234-5678", "phone_prefix"),
        ("+1 212 555 1212", "phone_prefix"),
        ("110", "phone_length"),
        ("", "phone_characters"),
        ("+", "phone_characters"),
        ("090-XXXX-1234", "phone_characters"),
        ("٠٩٠١٢٣٤٥٦٧٨", "phone_characters"),
    ],
)
def test_what_nobody_can_be_called_by_is_refused_with_its_reason(written: str, code: str) -> None:
    with pytest.raises(InvalidInput, match=code):
        normalise_phone(written)


@pytest.mark.parametrize(
    ("written", "phone"),
    [("03-1234-5678", "+81312345678"), ("050-1234-5678", "+815012345678"),
     ("+81 3 1234 5678", "+81312345678"), ("0463 12 3456", "+81463123456")],
)  # fmt: skip
def test_who_can_only_be_called_is_taken_and_gets_no_text_message(written: str, phone: str) -> None:
    assert normalise_phone(written) == phone
    assert not takes_sms(phone)
    with pytest.raises(InvalidInput, match="phone_no_sms"):
        normalise_mobile(written)
    assert takes_sms(normalise_mobile("090-1234-5678"))


@given(st.text())
def test_any_text_is_a_telephone_or_refused(text: str) -> None:
    try:
        phone = normalise_phone(text)
    except InvalidInput:
        return
    assert len(phone) in {12, 13}
    assert normalise_phone(phone) == phone
    assert phone_hint(phone).count("*") == 4


@given(st.text(max_size=300))
def test_any_text_is_a_mail_address_or_refused(text: str) -> None:
    try:
        address = normalise_email(text)
    except InvalidInput:
        return
    assert normalise_email(address) == address
    assert address.isascii()


def test_addresses_that_carriers_gave_out_are_taken() -> None:
    assert normalise_email("Taro..Yamada.@Docomo.NE.jp") == "taro..yamada.@docomo.ne.jp"


def test_hints_show_only_what_they_promise() -> None:
    assert phone_hint("+819012341234") == "090-****-1234"
    assert phone_hint("+81312345678") == "03-****-5678"
    assert phone_hint("") == ""
    assert email_hint("taro@example.jp") == "t***@example.jp"
    assert email_hint("") == ""
    assert customer_hint("0012-4821") == "4821"


def test_customer_numbers_meet_in_one_form() -> None:
    assert normalise_customer_no("ａ-００１ 2") == "A0012"  # noqa: RUF001
    with pytest.raises(InvalidInput, match="text_too_long"):
        normalise_customer_no("1" * 41)
    assert len(normalise_customer_no("1" * 40)) == 40


@given(st.binary(min_size=16, max_size=16))
def test_check_codes_are_read_as_they_are_written(blind: bytes) -> None:
    code = check_code_of(blind)

    written = write_check_code(code)

    assert len(written) == 7
    assert read_check_code(written) == read_check_code(written.replace("-", "")) == code


@pytest.mark.parametrize("text", ["", "12345", "1234567", "12a456"])
def test_what_is_no_check_code_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="check_code_malformed"):
        read_check_code(text)
