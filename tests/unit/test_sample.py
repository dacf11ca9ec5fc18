import csv
import io
from collections import Counter
from datetime import date

import pytest

from portal.domain.errors import InvalidInput
from portal.domain.sample import SampleFile, sample_file, sample_rows
from portal.domain.sample.faulty import WAYS

TODAY = date(2026, 11, 22)


def sample(rows: int = 300, seed: int = 1, faulty: float = 0.0, encoding: str = "utf-8") -> bytes:
    wanted = SampleFile(rows=rows, seed=seed, today=TODAY, faulty_share=faulty, encoding=encoding)
    return b"".join(sample_file(wanted))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    assert sample(seed=7, faulty=0.3) == sample(seed=7, faulty=0.3)
    assert sample(seed=7) != sample(seed=8)


def test_the_rows_are_those_of_the_file() -> None:
    rows = list(csv.reader(io.StringIO(sample().decode(), newline="")))

    wanted = SampleFile(rows=300, seed=1, today=TODAY)
    assert [tuple(row) for row in rows[1:]] == [row.cells for row in sample_rows(wanted)]


def test_rare_characters_are_among_the_names() -> None:
    text = sample(rows=2_000).decode()

    assert all(letter in text for letter in "髙﨑𠮷")


def test_every_way_to_go_wrong_happens() -> None:
    wanted = SampleFile(rows=4_000, seed=1, today=TODAY, faulty_share=0.5)
    faults = Counter(row.fault for row in sample_rows(wanted) if row.fault)

    assert len({code for _, code in faults}) >= 25
    assert len(faults) >= len(WAYS) - 3
    assert 0.4 < faults.total() / 4_000 < 0.6


def test_cp932_and_a_byte_order_mark_are_written_when_asked_for() -> None:
    assert sample(encoding="utf-8-sig").startswith(b"\xef\xbb\xbf")
    assert "髙" in sample(rows=1_000, encoding="cp932").decode("cp932")


def test_numbers_are_unique_among_good_rows() -> None:
    wanted = SampleFile(rows=2_000, seed=5, today=TODAY)

    assert len({row.cells[0] for row in sample_rows(wanted)}) == 2_000


@pytest.mark.parametrize(
    "wrong", [{"rows": -1}, {"faulty_share": 1.1}, {"encoding": "utf-16"}, {"rows": 10_000_001}]
)
def test_a_sample_that_cannot_be_written_is_refused(wrong: dict[str, object]) -> None:
    values: dict[str, object] = {"rows": 1, "seed": 1, "today": TODAY} | wrong

    with pytest.raises(InvalidInput, match="sample_malformed"):
        SampleFile(**values)  # type: ignore[arg-type]
