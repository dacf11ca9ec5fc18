"""No test says how fast the machine is that it runs on."""

from hypothesis import settings


def test_no_example_of_a_property_has_a_deadline_by_default() -> None:
    assert settings().deadline is None
