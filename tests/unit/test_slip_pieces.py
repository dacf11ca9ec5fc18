"""An agency's file cut for the vault: whole lines, each once, with its place in the file."""

from hypothesis import given
from hypothesis import strategies as st

from portal.application.payment.slips import PIECE_LINES, pieces_of


@given(st.binary(max_size=4_000))
def test_pieces_are_the_file_and_end_with_lines(raw: bytes) -> None:
    pieces = list(pieces_of(raw))

    assert b"".join(body for _, body in pieces) == raw
    assert all(body.endswith(b"\n") for _, body in pieces[:-1])
    assert [first for first, _ in pieces] == [
        1 + PIECE_LINES * place for place in range(len(pieces))
    ]
