"""A bank's file on its way out of the vault: its length is known first; it is whole or broken."""

import base64
from typing import Any
from uuid import UUID

import pytest

from portal.contract.debit_line import DebitPartGiven, GiveDebitPart
from portal.contract.envelope import Operation
from portal.domain.ids import DeliveryId
from portal.egress.bank_file import FileSource
from portal.egress.denial import Denied

HEAD, TAIL = b'{"file":"', b'"}'


class PartsAlone:
    """A data API that has the parts of one file and nothing else."""

    def __init__(self, parts: list[bytes]) -> None:
        """Keep them."""
        self.parts = parts

    async def call(self, op: Operation[Any, Any], request: Any) -> Any:  # noqa: ANN401
        """The part asked for, or a refusal behind the last."""
        assert op.name == "give_debit_part"
        assert isinstance(request, GiveDebitPart)
        if request.part_no >= len(self.parts):
            return DebitPartGiven(body=b"", refused="part_out_of_order")
        return DebitPartGiven(body=self.parts[request.part_no], refused=None)


def source(parts: list[bytes], *, missing: int = 0) -> FileSource:
    """The file as redeeming tells of it; ``missing`` parts never come."""
    return FileSource(
        vault=PartsAlone(parts), host="bank.sandbox.test", id=DeliveryId(UUID(int=1)),
        parts=len(parts) + missing, size_bytes=sum(map(len, parts)) + missing, values={},
    )  # fmt: skip


@pytest.mark.parametrize("sizes", [(1,), (3,), (122, 610, 244), (1, 1, 1, 1), (2, 5, 4)])
async def test_a_file_in_parts_is_written_as_if_it_were_one(sizes: tuple[int, ...]) -> None:
    parts = [bytes(range(size % 256)) or b"\0" * size for size in sizes]
    whole = b"".join(parts)
    sent = source(parts)

    body = b"".join([piece async for piece in sent.pieces(HEAD, TAIL)])

    assert body == HEAD + base64.b64encode(whole) + TAIL
    assert len(body) == len(HEAD) + sent.letters + len(TAIL), "as its head has said"


async def test_a_file_whose_parts_do_not_all_come_is_never_finished() -> None:
    pieces = source([b"123", b"456"], missing=1).pieces(HEAD, TAIL)

    came = [await anext(pieces) for _ in range(3)]
    with pytest.raises(Denied, match="vault_lost"):
        await anext(pieces)

    assert b"".join(came) == HEAD + base64.b64encode(b"123456")
