"""What one zone lets through another one takes: limits that stand in two places are one number."""

from portal.contract.intake import PART_BYTES_MAX
from portal.dmz.routes import ROUTES
from portal.domain.intake.split import FILE_BYTES_MAX
from portal.kit.limits import FILE_PART_BYTES_MAX


def test_the_largest_file_passes_the_dmz_and_one_byte_more_does_not() -> None:
    (upload,) = (route for route in ROUTES if route.name == "upload")

    assert upload.body_max == FILE_BYTES_MAX


def test_a_part_of_a_file_is_as_long_for_who_cuts_it_as_for_who_seals_it() -> None:
    assert PART_BYTES_MAX == FILE_PART_BYTES_MAX
    assert FILE_BYTES_MAX % PART_BYTES_MAX == 0
