"""Calls: what is said to whom, asked by the door that a company's callbacks come in by."""

from portal.contract.envelope import Operation, Reply, Request
from portal.domain.call import CallStatus


class AnswerCall(Request, frozen=True, kw_only=True):
    """What happened at one prompt of a call, by the secret of its address.

    ``step``: the number of the prompt that ``keys`` answer, None when the call was just picked up;
    ``is_machine``: by a machine. ``call_ref``: the company's own name of the call. A prompt that
    was answered before changes nothing: the reply is the prompt at which the call is. Refused:
    ``call_unknown``, also for a call of another name; ``text_refused``.
    """

    merchant_code: str
    provider: str
    secret: str
    call_ref: str
    step: int | None
    keys: str = ""
    is_machine: bool = False


class CallTurn(Reply, frozen=True, kw_only=True):
    """What is said now, read out in the language ``voice``.

    ``digits``: how many keys are waited for, 0 hangs up; ``step`` names the prompt they answer.
    """

    lines: tuple[str, ...]
    voice: str
    step: int
    digits: int


class RecordCall(Request, frozen=True, kw_only=True):
    """What a company tells of a call beside its prompts. The first end that is told stays.

    Refused: as for AnswerCall.
    """

    merchant_code: str
    provider: str
    secret: str
    call_ref: str
    status: CallStatus


class CallRecorded(Reply, frozen=True, kw_only=True):
    """``outcome``: what became of the call (portal.domain.call.Outcome); empty: it goes on."""

    outcome: str


ANSWER_CALL = Operation("answer_call", AnswerCall, CallTurn)
RECORD_CALL = Operation("record_call", RecordCall, CallRecorded)
