"""Data zone: templates as staff see them: what is wrong with a text, and what it costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, cast

import msgspec

from portal.contract.template import (
    TemplateChecked,
    TemplateFinding,
    TemplateSize,
    TemplateVersion,
)
from portal.domain.errors import InvalidInput, InvariantBroken
from portal.domain.funnel import USUAL_PRICES
from portal.domain.ids import TemplateId
from portal.domain.sms import Size
from portal.domain.template import Occasion, TemplateChannel, TemplateLanguage
from portal.domain.template_form import FORMS
from portal.domain.template_lint import Checked, Draft, check, price_of
from portal.domain.template_state import choices_of
from portal.vault.act import Act
from portal.vault.channels import roads
from portal.vault.template import Version
from portal.vault.wording_tally import read_lately

if TYPE_CHECKING:
    from portal.domain.message import Channel

SAMPLE_SECRET: Final = "x" * 22
"""As long as a link's secret, and no link's."""

_MERCHANT: Final = "select code, name, phone, website from merchant where id = $1"
_PRICES: Final = """
select prices from message_price where merchant_id = $1 and channel = $2 and provider = $3
"""


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose messages they are, from which number or name, and what a message costs."""

    merchant_name: str
    phone: str
    website: str
    sample_link: str
    sample_stop: str
    sender: str
    prices: tuple[int, ...]


async def read_sender(act: Act, channel: str) -> Sender:
    """The merchant as a channel's messages show it."""
    row = await act.db.fetchrow(_MERCHANT, act.merchant_id)
    if row is None:
        raise InvariantBroken("merchant_missing", context=str(act.merchant_id))
    found = await roads(act, cast("Channel", channel))
    road = found[0] if found else None
    prices: list[int] | None = None
    if road is not None:
        prices = await act.db.fetchval(_PRICES, act.merchant_id, channel, road.provider)
    return Sender(
        merchant_name=row["name"],
        phone=row["phone"],
        website=row["website"],
        sample_link=f"{act.settings.public_origin}/p/{row['code']}/{SAMPLE_SECRET}",
        sample_stop=f"{act.settings.public_origin}/stop/{row['code']}/{SAMPLE_SECRET}",
        sender=road.sender if road else "",
        prices=USUAL_PRICES.get(channel, ()) if prices is None else tuple(prices),
    )


class Written(Protocol):
    """What somebody writes: the words and their use."""

    @property
    def channel(self) -> TemplateChannel:
        """By what it goes."""
        ...

    @property
    def language(self) -> TemplateLanguage:
        """For payers of which language."""
        ...

    @property
    def occasion(self) -> Occasion:
        """About what."""
        ...

    @property
    def subject(self) -> str:
        """The subject or title, of channels that have one."""
        ...

    @property
    def body(self) -> str:
        """The text."""
        ...


def check_length(written: Written) -> None:
    """Refuse what is too long to be looked at, or has a part that its channel has not.

    Raises: InvalidInput ``text_too_long``, ``subject_unknown``.
    """
    form = FORMS[written.channel]
    longest = form.body.characters_max
    if len(written.body) > longest:
        raise InvalidInput("text_too_long", params={"field": "body", "max": longest})
    if form.subject is None:
        if written.subject:
            raise InvalidInput("subject_unknown", params={"field": "subject"})
    elif len(written.subject) > form.subject.characters_max:
        longest = form.subject.characters_max
        raise InvalidInput("text_too_long", params={"field": "subject", "max": longest})


def check_words(sender: Sender, written: Written) -> Checked:
    """All that is wrong with words of this merchant.

    Raises: InvalidInput ``text_too_long``, ``subject_unknown``.
    """
    check_length(written)
    return check(draft_of(sender, written))


def draft_of(sender: Sender, written: Written) -> Draft:
    """The words with what their merchant's messages have."""
    return Draft(
        channel=written.channel,
        language=written.language,
        occasion=written.occasion,
        subject=written.subject,
        body=written.body,
        merchant_name=sender.merchant_name,
        link=sender.sample_link,
        stop_link=sender.sample_stop,
        phone=sender.phone,
        website=sender.website,
    )


def refuse_faulty(checked: Checked) -> None:
    """Let pass only a text without errors. Raises: InvalidInput ``template_faulty``."""
    errors = sum(finding.severity == "error" for finding in checked.findings)
    if errors:
        raise InvalidInput("template_faulty", params={"field": "body", "errors": errors})


def to_checked(sender: Sender, checked: Checked) -> TemplateChecked:
    """The findings as they leave the zone."""
    return TemplateChecked(
        findings=tuple(
            TemplateFinding(
                code=finding.code,
                severity=finding.severity,
                start=finding.start,
                end=finding.end,
                params=finding.params,
                part=finding.part,
            )
            for finding in checked.findings
        ),
        is_fit=checked.is_fit,
        sample=checked.sample,
        sample_subject=checked.filled.subject,
        sample_html=checked.filled.html,
        sender=sender.sender,
        size=_to_size(sender, checked.size),
        longest=_to_size(sender, checked.longest),
    )


def _to_size(sender: Sender, size: Size) -> TemplateSize:
    return TemplateSize(
        encoding=size.encoding,
        units=size.units,
        segments=size.segments,
        price=price_of(sender.prices, size.segments),
    )


async def to_views(act: Act, versions: Sequence[Version]) -> list[TemplateVersion]:
    """Versions as the one who asks may see them, with how often they did not fit lately."""
    lately = await read_lately(act, [version.id for version in versions])
    return [
        msgspec.structs.replace(to_view(act, version), told=told, unfit=unfit)
        for version in versions
        for told, unfit in [lately.get(version.id, (0, 0))]
    ]


def to_view(act: Act, version: Version) -> TemplateVersion:
    """A version as the one who asks may see it."""
    until = version.approve_until
    return TemplateVersion(
        id=TemplateId(version.id),
        channel=version.channel,
        language=version.language,
        occasion=version.occasion,
        number=version.number,
        state=version.state,
        version=version.version,
        subject=version.subject,
        body=version.body,
        written_by=version.written_by,
        written_at=version.written_at,
        asked_by=version.asked_by,
        asked_at=version.asked_at,
        approve_until=until,
        decided_by=version.decided_by,
        decided_at=version.decided_at,
        choices=choices_of(
            version.state,
            act.capability.role,
            is_asker=version.asked_by == act.actor,
            is_late=until is not None and until <= act.now,
        ),
    )
