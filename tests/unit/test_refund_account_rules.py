"""Accounts for refunds by bank transfer: what is taken, what is refused, what is shown of them."""

import pytest

from portal.domain.errors import Conflict, InvalidInput
from portal.domain.refund import TRANSITIONS, RefundState
from portal.domain.refund_account import (
    RefundAccount,
    account_of_mandate,
    check_open,
    holder_hint,
    is_open_for_account,
    number_hint,
    read_account,
)
from portal.domain.sms import measure
from portal.domain.zengin.record import Account
from portal.kit.banks import banks
from portal.vault.message_values import account_values
from portal.vault.sealed import BillContact

FORM = {
    "bank_code": "0005", "branch_code": "001", "kind": "1", "number": "123456",
    "holder": "やまだ　タロウ",
}  # fmt: skip


def test_an_account_is_written_as_a_banks_file_has_it() -> None:
    account = read_account(banks(), **FORM)

    assert account == RefundAccount(
        bank_code="0005", branch_code="001", kind="1", number="0123456", holder="ﾔﾏﾀﾞ ﾀﾛｳ"
    )
    assert number_hint(account) == "****456"
    assert holder_hint(account.holder) == "ヤ** タ**"
    assert holder_hint("ﾐﾅﾄ(ｶ") == "ミ**"


def test_digits_are_understood_as_people_type_them() -> None:
    typed = FORM | {"bank_code": "０００５", "branch_code": "001 ", "number": "12-3456"}  # noqa: RUF001  as typed

    assert read_account(banks(), **typed) == read_account(banks(), **FORM)


def test_a_passbook_of_japan_post_bank_is_turned_into_what_others_transfer_to() -> None:
    passbook = FORM | {"bank_code": "9900", "branch_code": "10180", "number": "12345671"}

    account = read_account(banks(), **passbook)

    assert (account.branch_code, account.kind, account.number) == ("018", "1", "1234567")
    # Who knows the transfer form gives that.
    transfer = passbook | {"branch_code": "018", "number": "1234567"}
    assert read_account(banks(), **transfer) == account


@pytest.mark.parametrize(
    ("wrong", "code", "field"),
    [
        ({"bank_code": "9998"}, "bank_unknown", "bankCode"),
        ({"bank_code": ""}, "bank_unknown", "bankCode"),
        ({"branch_code": "999"}, "branch_unknown", "branchCode"),
        ({"kind": "9"}, "refund_account_kind", "accountKind"),
        ({"kind": "3"}, "refund_account_kind", "accountKind"),
        ({"number": "12345678"}, "account_number", "accountNumber"),
        ({"number": "0000000"}, "account_number", "accountNumber"),
        ({"number": ""}, "account_number", "accountNumber"),
        ({"number": "12a"}, "account_number", "accountNumber"),
        ({"number": "9" * 5000}, "account_number", "accountNumber"),
        ({"number": "4242 4242 4242 4242"}, "card_number_refused", "accountNumber"),
        ({"holder": "4242-4242-4242-4242"}, "card_number_refused", "holderName"),
        ({"holder": "山田 太郎"}, "kana_unwritable", "holderName"),
        ({"holder": ""}, "kana_length", "holderName"),
        ({"holder": "ア" * 31}, "kana_length", "holderName"),
        ({"bank_code": "9900", "branch_code": "01234", "number": "11"}, "yucho_symbol",
         "branchCode"),
        ({"bank_code": "9900", "branch_code": "10180", "number": "12"}, "yucho_number",
         "accountNumber"),
    ],
)  # fmt: skip
def test_what_a_file_could_not_hold_is_refused_at_its_field(
    wrong: dict[str, str], code: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_account(banks(), **(FORM | wrong))

    assert (refused.value.code, refused.value.params["field"]) == (code, field)
    assert read_account(banks(), **(FORM | {"holder": "ア" * 30})).holder == "ｱ" * 30


def test_a_debited_account_is_taken_only_where_a_transfer_surely_goes_to_it() -> None:
    known = Account(bank_code="0005", branch_code="001", kind="1", number="0123456")

    found = account_of_mandate(banks(), known, "ﾔﾏﾀﾞ ﾀﾛｳ")
    assert found == read_account(banks(), **FORM)
    for other in (
        Account(bank_code="0005", branch_code="001", kind="3", number="0123456"),
        Account(bank_code="0005", branch_code="001", kind="9", number="0123456"),
        Account(bank_code="0005", branch_code="999", kind="1", number="0123456"),
        Account(bank_code="9900", branch_code="018", kind="1", number="1234567"),
    ):
        assert account_of_mandate(banks(), other, "ﾔﾏﾀﾞ ﾀﾛｳ") is None
    assert account_of_mandate(banks(), known, "") is None


def test_only_what_waits_for_its_transfer_takes_an_account() -> None:
    states: list[RefundState] = [edge.state for edge in TRANSITIONS.values()]

    assert {state for state in states if is_open_for_account(state)} == {"by_bank_transfer"}
    assert not is_open_for_account("requested")
    check_open("by_bank_transfer")
    with pytest.raises(Conflict, match="refund_account_closed"):
        check_open("transferred")


def test_what_the_payer_hears_names_no_account_and_carries_no_link() -> None:
    contact = BillContact("山田 花子", "+819012344321", "h@example.jp", "12345678", "C-1")
    for language in ("ja", "ja-easy", "en", "fr"):
        said = [
            account_values(contact, channel, language, "みなと<電力>", "0120-1", "https://stop")
            for channel in ("sms", "email", "push", "voice")
        ]
        sms, mail = said[0], said[1]
        assert said[2:] == [None, None]
        assert sms is not None
        assert mail is not None
        assert (sms.to, mail.to) == (contact.phone, contact.email)
        assert (mail.stop_url, bool(mail.subject)) == ("https://stop", True)
        for text in (sms.body, mail.body, mail.html):
            assert "0120-1" in text
            assert not {"{", "}"} & set(text)
            assert "http" not in text
            assert contact.payer_name not in text
        assert "みなと&lt;電力&gt;" in mail.html
        assert measure(sms.body).segments <= 2
    landline = BillContact("山田 花子", "+81312345678", "", "12345678", "C-1")
    assert account_values(landline, "sms", "ja", "みなと", "0120-1", "") is None
    assert account_values(landline, "email", "ja", "みなと", "0120-1", "") is None
