"""What the command line says of a refusal."""

from portal.domain.errors import InvalidInput, NotFound, TryLater
from portal.stack.refusal import say


def test_a_refusal_says_which_value_what_it_means_and_what_to_do() -> None:
    refused = InvalidInput(
        "transfer_contract", params={"field": "lines_max"}, context="open_transfer_contract"
    )
    assert say(refused) == (
        "transfer_contract lines_max: A term of the contract (lines_max) is not right. "
        "Enter the contract's own values. (open_transfer_contract)"
    )
    assert say(NotFound("branch_unknown")) == (
        "branch_unknown: The bank has no branch with this code. Check the 3 digits in the passbook."
    )


def test_what_a_reader_said_of_a_file_stands_once_and_a_code_without_text_alone() -> None:
    said = "Object missing required field `x`"
    refused = InvalidInput("debit_contract", params={"field": said}, context=said)
    assert say(refused).startswith("debit_contract: ")
    assert say(refused).count(said) == 1
    assert say(NotFound("never_heard_of", context="op")) == "never_heard_of (op)"
    assert say(TryLater("vault_away", context="Refused")) == "vault_away (Refused)"
