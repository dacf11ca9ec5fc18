"""What one zone lets through another one takes: limits that stand in two places are one number."""

from portal.contract.debit_line import REDEEMED_LINES_MAX
from portal.contract.intake import PART_BYTES_MAX
from portal.dmz.routes import ROUTES
from portal.domain.handover import LINE_BYTES_MAX
from portal.domain.intake.split import FILE_BYTES_MAX
from portal.domain.zengin.record import LINES_MAX, RECORD_BYTES
from portal.egress.rules import KEPT_BYTES_CEILING
from portal.kit.limits import DEBIT_FILE_BYTES_MAX, FILE_PART_BYTES_MAX
from portal.sandbox.bank import BODY_BYTES_MAX
from portal.stack.sandbox_rules import sandbox_rules


def test_the_largest_file_passes_the_dmz_and_one_byte_more_does_not() -> None:
    (upload,) = (route for route in ROUTES if route.name == "upload")

    assert upload.body_max == FILE_BYTES_MAX


def test_a_part_of_a_file_is_as_long_for_who_cuts_it_as_for_who_seals_it() -> None:
    assert PART_BYTES_MAX == FILE_PART_BYTES_MAX
    assert FILE_BYTES_MAX % PART_BYTES_MAX == 0


def test_a_debit_file_of_as_many_lines_as_six_digits_count_passes_everywhere() -> None:
    longest = (LINES_MAX + 3) * (RECORD_BYTES + 2) + 1
    result, failed = (one for one in ROUTES if one.name in {"result", "failed_debits"})
    (fetch,) = (rule for rule in sandbox_rules(1) if rule.answers_to == "vault")

    assert longest <= DEBIT_FILE_BYTES_MAX
    assert {
        result.body_max, failed.body_max, LINE_BYTES_MAX, KEPT_BYTES_CEILING,
        fetch.answer_bytes_max,
    } == {DEBIT_FILE_BYTES_MAX}  # fmt: skip
    assert longest * 4 / 3 < BODY_BYTES_MAX, "the sandbox's bank takes it in base64"
    assert REDEEMED_LINES_MAX == LINES_MAX
