import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.bank import (
    FOUND_MAX,
    YUCHO,
    Bank,
    Banks,
    Branch,
    fold,
    yucho_transfer_account,
)
from portal.domain.errors import InvalidInput, NotFound
from portal.domain.zengin.kana import is_kana, to_kana
from portal.kit.banks import banks

BANKS = banks()


def test_a_bank_and_a_branch_are_found_by_their_codes() -> None:
    assert BANKS.bank("0001").name == "みずほ"
    assert BANKS.branch("0001", "001") == Branch(code="001", name="東京営業部", kana="トウキヨウ")


def test_codes_that_nobody_has_are_not_found() -> None:
    with pytest.raises(NotFound) as bank:
        BANKS.bank("9998")
    with pytest.raises(NotFound) as branch:
        BANKS.branch("0001", "999")
    with pytest.raises(NotFound) as search:
        BANKS.branches_starting("9998", "ト")

    assert (bank.value.code, branch.value.code) == ("bank_unknown", "branch_unknown")
    assert search.value.code == "bank_unknown"


@pytest.mark.parametrize("typed", ["ミズ", "みず", "ミス゛", "ﾐｽﾞﾎ", "ﾐｽﾞ", "ミズホ", " み ず "])
def test_a_reading_finds_banks_however_it_is_typed(typed: str) -> None:
    assert "0001" in {bank.code for bank in BANKS.banks_starting(typed)}


@pytest.mark.parametrize("typed", ["とうきょう", "トウキョウ", "トウキヨウ", "ﾄｳｷﾖｳ"])
def test_a_reading_finds_branches_with_small_kana_or_large(typed: str) -> None:
    found = BANKS.branches_starting("0001", typed)

    assert "001" in {branch.code for branch in found}
    assert all(fold(branch.kana).startswith("トウキヨウ") for branch in found)


@pytest.mark.parametrize("typed", ["みずほ銀行", "ミズホ銀行", "みずほ"])
def test_a_name_finds_banks_as_people_write_it(typed: str) -> None:
    assert "0001" in {bank.code for bank in BANKS.banks_starting(typed)}
    assert "0009" in {bank.code for bank in BANKS.banks_starting("三井住友銀行")}
    assert "001" in {one.code for one in BANKS.branches_starting("0001", "東京営業部")}
    assert BANKS.banks_starting("銀行") == ()


def test_a_search_never_gives_more_than_fit_a_list() -> None:
    assert len(BANKS.branches_starting("0001", "")) == FOUND_MAX
    assert BANKS.banks_starting("ンンン") == ()


def test_every_branch_is_found_by_its_own_reading() -> None:
    small = Banks({
        Bank(code="0001", name="a", kana="アア"): [Branch(code="001", name="x", kana="イ")],
        Bank(code="0002", name="b", kana="アイ"): [],
        Bank(code="0003", name="c", kana="アア"): [],
    })  # fmt: skip

    assert [bank.code for bank in small.banks_starting("ア")] == ["0001", "0003", "0002"]
    assert [bank.code for bank in small.banks_starting("アア")] == ["0001", "0003"]
    assert small.branches_starting("0002", "イ") == ()


def test_readings_of_the_large_banks_fit_a_bank_file() -> None:
    for code in ("0001", "0005", "0009", "0010", YUCHO):
        assert is_kana(to_kana(BANKS.bank(code).kana))


def test_an_ordinary_yucho_account_is_written_as_other_banks_want_it() -> None:
    assert yucho_transfer_account("12345", "12345671") == ("238", "1234567")
    assert yucho_transfer_account("10530", "12345671") == ("058", "1234567")
    assert yucho_transfer_account("10080", "11") == ("008", "0000001")
    assert yucho_transfer_account("10080", "4561") == ("008", "0000456")


def test_the_branches_of_ordinary_yucho_accounts_exist() -> None:
    known = {branch.code for branch in BANKS.branches_starting(YUCHO, "")}
    branch, _ = yucho_transfer_account("10180", "12345671")

    assert branch in known


@pytest.mark.parametrize(
    ("symbol", "number", "code"),
    [
        ("01234", "1234567", "yucho_symbol"),
        ("1234", "12345671", "yucho_symbol"),
        ("1234x", "12345671", "yucho_symbol"),
        ("12345", "12345672", "yucho_number"),
        ("12345", "123456711", "yucho_number"),
        ("12345", "1", "yucho_number"),
        ("12345", "", "yucho_number"),
    ],
)
def test_what_is_no_ordinary_yucho_account_is_refused(symbol: str, number: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        yucho_transfer_account(symbol, number)

    assert refused.value.code == code


@given(text=st.text(st.characters(min_codepoint=0x3041, max_codepoint=0x30FA), max_size=20))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
