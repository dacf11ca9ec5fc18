"""Documents that may run: our own pages' trusted ones, and free ones of API keys.

Zone: application. Trusted documents are files beside this module, one operation each, parsed,
validated and weighed once at start; browsers name them by operation or by ``sha256:`` of the text
and can run nothing else. A document that would not pass stops the process from starting.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from graphql import (
    DocumentNode,
    GraphQLError,
    MaxIntrospectionDepthRule,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)

from portal.application.doors.graphql.cost import TOKENS_MAX, Scale
from portal.application.doors.graphql.schema import HaraiSchema
from portal.domain.errors import InvalidInput, InvariantBroken, LimitReached, NotFound, PortalError

FOLDER: Final = Path(__file__).parent / "documents"
PREPARED_MAX: Final = 512
"""Free documents kept parsed and validated; they hold text only, no data and no authority."""

VALIDATION_ERRORS_MAX: Final = 20
_RULES: Final = (*specified_rules, MaxIntrospectionDepthRule)
_ID_PREFIX: Final = "sha256:"


class DocumentInvalid(InvalidInput):
    """A document that does not parse or does not fit the schema, with the standard's findings."""

    def __init__(self, findings: list[GraphQLError]) -> None:
        """Keep what was found; the sender wrote the text, so it may read the messages."""
        super().__init__("document_invalid")
        self.findings = findings


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that parsed and validated."""

    document: DocumentNode
    operations: tuple[OperationDefinitionNode, ...]

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation to run; raises InvalidInput ``operation_unclear``."""
        found = [
            node
            for node in self.operations
            if name is None or (node.name is not None and node.name.value == name)
        ]
        if len(found) != 1:
            raise InvalidInput("operation_unclear")
        return found[0]


@dataclass(frozen=True, slots=True)
class Trusted:
    """One operation of our own pages."""

    name: str
    document_id: str
    prepared: Prepared


def read_document(schema: HaraiSchema, text: str, *, allows_introspection: bool) -> Prepared:
    """Parse, look at the shape with the dearest variables possible, and validate.

    Raises DocumentInvalid with findings, LimitReached ``document_*``, InvalidInput as
    :meth:`Scale.weigh` does; ``document_tokens`` covers texts too nested to be read, too.
    """
    try:
        document = parse(text, no_location=False, max_tokens=TOKENS_MAX)
        operations = tuple(
            node for node in document.definitions if isinstance(node, OperationDefinitionNode)
        )
        findings = _shape(schema, document, operations, allows_introspection=allows_introspection)
    except GraphQLError as error:
        if "Document contains more than" in error.message:
            raise LimitReached("document_tokens", params={"most": TOKENS_MAX}) from error
        raise DocumentInvalid([error]) from error
    except RecursionError as error:
        raise LimitReached("document_tokens", params={"most": TOKENS_MAX}) from error
    if findings or not operations:
        raise DocumentInvalid(findings)
    return Prepared(document, operations)


def _shape(
    schema: HaraiSchema,
    document: DocumentNode,
    operations: tuple[OperationDefinitionNode, ...],
    *,
    allows_introspection: bool,
) -> list[GraphQLError]:
    """Limits first, because the standard's rules are the dearer walk; then those rules.

    A field that does not exist is left to the rules, which say where it stands.
    """
    for operation in operations:
        scale = Scale(schema.core, document, {}, allows_introspection=allows_introspection)
        try:
            scale.weigh(operation)
        except LimitReached as error:
            # The dearest variables are not the ones to come; the real ones are weighed then.
            if error.code != "document_cost":
                raise
        except InvalidInput as error:
            if error.code not in {"document_invalid", "fragments_circular"}:
                raise
    return validate(
        schema.core, document, _RULES, max_errors=VALIDATION_ERRORS_MAX, hide_suggestions=True
    )


class TrustedDocuments:
    """The trusted documents of one audience, by operation name and by ``sha256:`` id."""

    def __init__(self, schema: HaraiSchema, folder: Path) -> None:
        """Read all; raises InvariantBroken ``document_refused`` for one that can't run."""
        self.schema = schema
        self._by_name: dict[str, Trusted] = {}
        self._by_id: dict[str, Trusted] = {}
        for path in sorted(folder.glob("*.graphql")):
            trusted = self._read(path)
            if trusted.name in self._by_name:
                raise InvariantBroken("document_refused", context=f"{path.name}: name taken")
            self._by_name[trusted.name] = trusted
            self._by_id[trusted.document_id] = trusted

    def named(self, name: str) -> Trusted:
        """The document of an operation; raises InvariantBroken for one our pages don't have."""
        if name not in self._by_name:
            raise InvariantBroken("document_missing", context=name)
        return self._by_name[name]

    def identified(self, document_id: str) -> Trusted:
        """The document of an id; raises NotFound ``document_unknown``."""
        if document_id not in self._by_id:
            raise NotFound("document_unknown")
        return self._by_id[document_id]

    @property
    def names(self) -> tuple[str, ...]:
        """All operations, in order."""
        return tuple(self._by_name)

    def _read(self, path: Path) -> Trusted:
        text = path.read_text(encoding="utf-8")
        try:
            prepared = read_document(self.schema, text, allows_introspection=False)
            operation = prepared.operation(None)
        except DocumentInvalid as error:
            why = "; ".join(finding.message for finding in error.findings)
            raise InvariantBroken("document_refused", context=f"{path.name}: {why}") from error
        except PortalError as error:
            raise InvariantBroken("document_refused", context=f"{path.name}: {error}") from error
        if operation.name is None:
            raise InvariantBroken("document_refused", context=f"{path.name}: no name")
        digest = sha256(text.encode()).hexdigest()
        return Trusted(operation.name.value, _ID_PREFIX + digest, prepared)


class FreeDocuments:
    """Documents of API keys, kept prepared while they are used."""

    def __init__(self, schema: HaraiSchema) -> None:
        """Nothing is kept yet."""
        self.schema = schema
        self._kept: OrderedDict[tuple[bytes, bool], Prepared] = OrderedDict()

    def prepare(self, text: str, *, allows_introspection: bool) -> Prepared:
        """The document, parsed and validated at most once; raises as :func:`read_document`."""
        key = (sha256(text.encode()).digest(), allows_introspection)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        prepared = read_document(self.schema, text, allows_introspection=allows_introspection)
        self._kept[key] = prepared
        if len(self._kept) > PREPARED_MAX:
            self._kept.popitem(last=False)
        return prepared

    def weigh(
        self,
        prepared: Prepared,
        operation: OperationDefinitionNode,
        variables: Mapping[str, object],
    ) -> int:
        """The cost with these variables, in fields; raises LimitReached ``document_cost``."""
        scale = Scale(self.schema.core, prepared.document, variables, allows_introspection=True)
        return scale.weigh(operation).cost
