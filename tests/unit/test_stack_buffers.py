"""How much memory a stack's PostgreSQL takes for its pages."""

from pathlib import Path

import pytest

from portal.stack.buffers import buffers_for, memory_here

GIB = 1024**3


@pytest.mark.parametrize(
    ("memory_bytes", "mib"),
    [
        (0, 128),
        (GIB // 2, 128),
        (2 * GIB, 512),
        (16 * GIB, 4096),
        (32 * GIB, 8192),
        (64 * GIB, 8192),
    ],
)
def test_a_quarter_of_the_memory_between_two_bounds(memory_bytes: int, mib: int) -> None:
    assert buffers_for(memory_bytes) == mib


@pytest.mark.parametrize(("written", "is_bound"), [("1073741824\n", True), ("max\n", False)])
def test_a_container_counts_by_what_it_may_take(
    tmp_path: Path, written: str, *, is_bound: bool
) -> None:
    limit = tmp_path / "memory.max"
    whole = memory_here(limit)
    limit.write_text(written)

    found = memory_here(limit)

    assert found == (min(whole, GIB) if is_bound else whole)
    assert whole > 0
