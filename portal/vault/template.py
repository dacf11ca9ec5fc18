"""Data zone: versions of templates as operations read and move them, and those that are in force.

Whoever writes locks the merchant first, so that of one kind two never come into force.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from portal.domain.errors import InvariantBroken, NotFound
from portal.domain.template import Occasion, TemplateChannel, TemplateLanguage
from portal.domain.template_form import OwnWords, read_words
from portal.domain.template_state import TemplateState
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.fields import Fields

TABLE: Final = "message_template"


class TemplateWords(msgspec.Struct, frozen=True, array_like=True):
    """What is sealed of a version; ``subject`` for channels that have one."""

    body: str
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One row of the table with ``words`` opened."""

    id: UUID
    channel: TemplateChannel
    language: TemplateLanguage
    occasion: Occasion
    number: int
    state: TemplateState
    version: int
    words: TemplateWords
    written_by: str
    written_at: datetime
    asked_by: str | None
    asked_at: datetime | None
    approval_id: UUID | None
    approve_until: datetime | None
    decided_by: str | None
    decided_at: datetime | None

    @property
    def subject(self) -> str:
        """The subject or title, of channels that have one."""
        return self.words.subject

    @property
    def body(self) -> str:
        """The text."""
        return self.words.body

    @property
    def content(self) -> bytes:
        """What a second person approves: these words, for this use."""
        words = self.words
        return msgspec.msgpack.encode(
            [self.id, self.channel, self.language, self.occasion, words.subject, words.body]
        )


_NAMES: Final = (
    "id", "channel", "language", "occasion", "number", "state", "version", "words", "written_by",
    "written_at", "asked_by", "asked_at", "approval_id", "approve_until", "decided_by",
    "decided_at",
)  # fmt: skip
VERSIONS: Final = f"""
select {", ".join(_NAMES)} from message_template where merchant_id = $1"""  # noqa: S608  constant columns
"""Versions of the merchant; conditions of a constant text follow."""

_CHANGING: Final = (
    "state", "version", "words", "written_by", "written_at", "asked_by", "asked_at",
    "approval_id", "approve_until", "decided_by", "decided_at",
)  # fmt: skip
_INSERT: Final = f"""
insert into message_template (merchant_id, {", ".join(_NAMES)})
values ($1, {", ".join(f"${place}" for place in range(2, len(_NAMES) + 2))})
"""  # noqa: S608  constant columns
_STORE: Final = f"""
update message_template
set {", ".join(f"{name} = ${place}" for place, name in enumerate(_CHANGING, 3))}
where merchant_id = $1 and id = $2 and version = $4 - 1
"""  # noqa: S608  constant columns
_LOCK_MERCHANT: Final = "select from merchant where id = $1 for no key update"
_ONE: Final = VERSIONS + " and id = $2"
_IN_FORCE: Final = VERSIONS + (
    " and channel = $2 and language = $3 and occasion = $4 and state = 'in_force'"
)
_WORDED: Final = VERSIONS + " and channel = any($2::text[]) and state = 'in_force'"
_KEEP: Final = """
insert into delivery_wording (merchant_id, delivery_id, template_id)
select $1, w.* from unnest($2::uuid[], $3::uuid[]) as w
on conflict (merchant_id, delivery_id) do update set template_id = excluded.template_id
"""


@dataclass(frozen=True, slots=True)
class Wording:
    """Words in force, ready to be filled, and the version that they are."""

    id: UUID
    words: OwnWords


Wordings = Mapping[tuple[str, str, str], Wording]
"""Channel, language and occasion → the merchant's own wording."""


async def lock_merchant(act: Act) -> None:
    """Let no one else change the merchant's templates until the act ends."""
    await act.db.execute(_LOCK_MERCHANT, act.merchant_id)


async def read_version(act: Act, template_id: UUID) -> Version:
    """One version of the act's merchant. Raises: NotFound ``not_found``."""
    row = await act.db.fetchrow(_ONE, act.merchant_id, template_id)
    if row is None:
        raise NotFound("not_found", params={"kind": "template"})
    return open_row(await act.fields(), row)


async def read_in_force(act: Act, like: Version) -> Version | None:
    """The version in force of the same channel, language and occasion."""
    row = await act.db.fetchrow(
        _IN_FORCE, act.merchant_id, like.channel, like.language, like.occasion
    )
    return None if row is None else open_row(await act.fields(), row)


def open_row(fields: Fields, row: Row) -> Version:
    """A row of VERSIONS as a value."""
    values = {name: row[name] for name in _NAMES}
    blob: bytes = values.pop("words")
    words = fields.open(TABLE, "document", row["id"], row["version"], blob, TemplateWords)
    return Version(**values, words=words)


async def insert_version(act: Act, version: Version) -> None:
    """Add a new draft."""
    values = {name: getattr(version, name) for name in _NAMES}
    values["words"] = await _seal(act, version)
    await act.db.execute(_INSERT, act.merchant_id, *values.values())


async def store_version(act: Act, version: Version) -> Version:
    """Write a changed version under its next number of changes and seal its words anew."""
    stored = replace(version, version=version.version + 1)
    values = {name: getattr(stored, name) for name in _CHANGING}
    values["words"] = await _seal(act, stored)
    tag = await act.db.execute(_STORE, act.merchant_id, stored.id, *values.values())
    if tag != "UPDATE 1":
        raise InvariantBroken("template_lock", context=f"template {version.id} moved unlocked")
    return stored


async def _seal(act: Act, version: Version) -> bytes:
    fields = await act.fields()
    return fields.seal(TABLE, "document", version.id, version.version, version.words)


async def read_wordings(act: Act, fields: Fields, channels: Sequence[str]) -> Wordings:
    """What the merchant says in its own words by these channels: by one statement a slice."""
    found: dict[tuple[str, str, str], Wording] = {}
    for row in await act.db.fetch(_WORDED, act.merchant_id, channels):
        version = open_row(fields, row)
        key = (version.channel, version.language, version.occasion)
        words = read_words(version.channel, version.words.subject, version.words.body)
        found[key] = Wording(version.id, words)
    return found


async def keep_wordings(act: Act, worded: Sequence[tuple[UUID, UUID]]) -> None:
    """Note by which version deliveries were worded: pairs of a delivery and a version."""
    if worded:
        await act.db.execute(
            _KEEP, act.merchant_id, [pair[0] for pair in worded], [pair[1] for pair in worded]
        )
