import re
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.application.doors.graphql.documents import (
    FOLDER,
    PREPARED_MAX,
    DocumentInvalid,
    FreeDocuments,
    TrustedDocuments,
    read_document,
)
from portal.application.doors.graphql.merchant import MERCHANT
from portal.application.doors.graphql.payer import PAYER
from portal.application.doors.graphql.schema import HaraiSchema
from portal.domain.errors import InvalidInput, InvariantBroken, LimitReached, NotFound


def read(text: str) -> object:
    return read_document(MERCHANT, text, allows_introspection=False)


@pytest.mark.parametrize(("schema", "audience"), [(MERCHANT, "merchant"), (PAYER, "payer")])
def test_every_document_of_our_pages_fits_its_schema(schema: HaraiSchema, audience: str) -> None:
    trusted = TrustedDocuments(schema, FOLDER / audience)

    files = list((FOLDER / audience).glob("*.graphql"))
    assert len(trusted.names) == len(files) > 0


def test_a_document_is_found_by_its_name_and_by_the_hash_of_its_text(tmp_path: Path) -> None:
    text = "query Who { viewer { name } }\n"
    (tmp_path / "who.graphql").write_text(text)
    trusted = TrustedDocuments(MERCHANT, tmp_path)

    named = trusted.named("Who")
    assert named.document_id == "sha256:" + sha256(text.encode()).hexdigest()
    assert trusted.identified(named.document_id) is named
    with pytest.raises(NotFound, match="document_unknown"):
        trusted.identified("sha256:" + "0" * 64)
    with pytest.raises(InvariantBroken, match="document_missing"):
        trusted.named("Nobody")


@pytest.mark.parametrize(
    "text",
    [
        "query A { viewer { shoeSize } }",
        "query A { viewer",
        "{ viewer { name } }",
        "query A { viewer { name } } query B { viewer { name } }",
        "query A { __schema { types { name } } }",
        "query A { ...F } fragment F on Query { ...F }",
    ],
)
def test_a_document_that_could_not_run_keeps_the_process_from_starting(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "a.graphql").write_text(text)

    with pytest.raises(InvariantBroken, match="document_refused"):
        TrustedDocuments(MERCHANT, tmp_path)


def test_a_name_taken_twice_keeps_the_process_from_starting(tmp_path: Path) -> None:
    for file in ("a", "b"):
        (tmp_path / f"{file}.graphql").write_text("query Who { viewer { name } }")

    with pytest.raises(InvariantBroken, match="document_refused"):
        TrustedDocuments(MERCHANT, tmp_path)


def test_findings_say_what_is_wrong_and_suggest_nothing() -> None:
    with pytest.raises(DocumentInvalid) as caught:
        read("{ viewer { nam } }")

    [finding] = caught.value.findings
    assert "nam" in finding.message
    assert "Did you mean" not in finding.message


@pytest.mark.parametrize(
    "text",
    [
        "{ " + "viewer { name } " * 300 + "}",
        "{ " + "a { " * 480 + "b" + " }" * 480 + "}",
        "{ bill(id: " + "[" * 495 + "]" * 495 + ") { id } }",
    ],
    ids=["wide", "deep", "nested value"],
)
def test_texts_too_long_or_too_nested_are_refused_early(text: str) -> None:
    with pytest.raises((LimitReached, DocumentInvalid)) as caught:
        read(text)
    assert caught.value.code in {"document_tokens", "document_invalid", "document_depth"}


def test_the_schema_is_closed_unless_it_was_opened() -> None:
    text = "{ __schema { queryType { name } } }"
    with pytest.raises(InvalidInput, match="introspection_closed"):
        read(text)

    assert read_document(MERCHANT, text, allows_introspection=True).operation(None)


def test_free_documents_are_prepared_once_and_forgotten_in_the_end() -> None:
    free = FreeDocuments(MERCHANT)
    first = free.prepare("{ viewer { name } }", allows_introspection=False)

    assert free.prepare("{ viewer { name } }", allows_introspection=False) is first
    for number in range(PREPARED_MAX):
        free.prepare(f"query Q{number} {{ viewer {{ name }} }}", allows_introspection=False)
    assert free.prepare("{ viewer { name } }", allows_introspection=False) is not first


def test_a_document_prepared_for_who_may_read_the_schema_is_not_used_for_others() -> None:
    free = FreeDocuments(MERCHANT)
    text = "{ __schema { queryType { name } } }"
    free.prepare(text, allows_introspection=True)

    with pytest.raises(InvalidInput, match="introspection_closed"):
        free.prepare(text, allows_introspection=False)


def test_which_operation_is_meant_must_be_clear() -> None:
    prepared = read_document(
        MERCHANT,
        "query A { viewer { name } } query B { viewer { email } }",
        allows_introspection=False,
    )

    assert prepared.operation("B").name.value == "B"
    for unclear in (None, "C"):
        with pytest.raises(InvalidInput, match="operation_unclear"):
            prepared.operation(unclear)


TOKENS = (
    "query", "mutation", "subscription", "fragment", "on", "Q", "Query", "Bill", "F", "{", "}",
    "(", ")", "[", "]", ":", "!", "=", "$x", "@include", "@skip", "@defer", "(if: true)", "...",
    "viewer", "bills", "bill", "name", "nodes", "first", "1", "-1", "1.5", '"t"', "null", "true",
    "OPEN", "__typename", "__schema", "import", "faults", "{a: 1}", '"""b"""', "#c\n", "",
)  # fmt: skip
SEEDS = (
    "query Q($x: Int!) { bills(first: $x) { nodes { id ...F } } } fragment F on Bill { number }",
    '{ import(id: "i") { faults(first: 1) { nodes { code } } } __typename }',
    'mutation { billResend(input: {id: "b", idempotencyKey: "k"}) { errors { code } } }',
)


@settings(max_examples=800, derandomize=True, database=None, deadline=None)
@given(
    seed=st.sampled_from(SEEDS),
    edits=st.lists(
        st.tuples(st.integers(0, 60), st.integers(0, 3), st.sampled_from(TOKENS)), max_size=6
    ),
)
def test_whatever_is_written_is_read_or_refused_and_never_breaks_us(
    seed: str, edits: list[tuple[int, int, str]]
) -> None:
    words = re.findall(r"\w+|\S", seed)
    for place, length, word in edits:
        words[place % len(words) : place % len(words) + length] = [word]
    with suppress(InvalidInput, LimitReached):
        read(" ".join(words))
