"""What the wording of each channel is made of: one row a channel. Pure.

A row says which parts a text has, what may and must stand in them, and how the parts become what a
payer reads. Whoever writes, looks at, previews and tries out a text asks the row, not the channel.
"""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Literal

from portal.domain.call_own import (
    FACTS_NAMES,
    GREETING_NAMES,
    facts_of,
    said_to,
    scenes,
    seconds_of,
)
from portal.domain.call_words import OwnSaid, start_of_call
from portal.domain.mail import SUBJECT_CHARACTERS_MAX, Mail, start_of_mail
from portal.domain.mail_own import MAIL_BYTES_MAX, compose_mail, fill_mail
from portal.domain.push import (
    BODY_CHARACTERS_MAX,
    TITLE_CHARACTERS_MAX,
    PushText,
    fill_push,
    render_push,
    start_of_push,
)
from portal.domain.sms import (
    BUILT_IN,
    SEGMENTS_PREFERRED,
    UNITS_MAX,
    BillText,
    Size,
    compose,
    fill_own,
    measure,
    utf16_units,
)
from portal.domain.template import (
    BLOCKS,
    FACTS,
    VARIABLES,
    Occasion,
    Template,
    TemplateChannel,
    parse,
)
from portal.domain.template_finding import Finding, FindingCode, TemplatePart

SMS_STEPS: Final = 10
"""Price steps of the carriers: parts of a message."""

MAIL_CHARACTERS_PREFERRED: Final = 1_500
SUBJECT_COLUMNS_PREFERRED: Final = 80
"""Of which a Japanese letter takes two: what a list of mails shows on a wide screen."""
PUSH_COLUMNS_PREFERRED: Final = 120
"""What stands on a locked screen before it is cut off."""
GREETING_SECONDS: Final = (12, 25)
"""How long who picked up is spoken to before the keys: what is usual, and what nobody stays for."""
TOLD_SECONDS: Final = (25, 60)
"""The same of what the payer is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartForm:
    """What may stand in one part of a text, and what must.

    ``variables`` may; of them the link and the proof must as well, where they may. ``nameless`` is
    the finding where nothing says who writes. ``is_line``: it has no second line. ``is_cp932``: it
    goes to telephones that know no other letters. ``is_spoken``: it is read out; ``is_overheard``:
    to anyone who picks up. ``fact_missing`` is the finding where one of the ``facts`` is not there.
    """

    variables: tuple[str, ...]
    characters_max: int
    facts: tuple[str, ...] = ()
    nameless: FindingCode | None = None
    wants_due: bool = False
    is_line: bool = False
    is_cp932: bool = False
    is_spoken: bool = False
    is_overheard: bool = False
    fact_missing: FindingCode = "fact_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A message as one payer reads it.

    ``is_own``: in the merchant's own words. ``is_fit``: it may go like that.
    """

    text: str
    size: Size
    subject: str = ""
    html: str = ""
    is_own: bool = True
    is_fit: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One channel. ``subject`` is None where a text has no such part.

    ``fill`` puts values in as they are; ``compose`` is what is really sent, the built-in text where
    the other does not fit; ``start`` is the built-in one as a template. ``look`` finds what is
    wrong with the size of the longest that a text gets. ``price_steps``: how many prices a company
    has.
    ``tried_at``: the contact of the staff that a trial goes to; None: there are no trials.
    """

    body: PartForm
    subject: PartForm | None
    fill: Callable[[str, BillText], Filled | None]
    compose: Callable[[str, Occasion, BillText], Filled]
    start: Callable[[str, Occasion], tuple[str, str]]
    look: Callable[[Filled], Iterator[Finding]]
    price_steps: int = 1
    tried_at: Literal["phone", "email"] | None = None


@dataclass(frozen=True, slots=True)
class OwnWords:
    """A merchant's own wording, read: its text, and its subject where the channel has one."""

    body: Template
    subject: Template | None = None

    @property
    def strays(self) -> bool:
        """Whether it can't be filled."""
        return bool(self.body.strays or (self.subject and self.subject.strays))

    def of(self, bill: BillText) -> BillText:
        """The bill worded like this."""
        return replace(bill, own=self.body, own_subject=self.subject)


def read_words(channel: TemplateChannel, subject: str, body: str) -> OwnWords:
    """A text and its subject as templates of that channel."""
    form = FORMS[channel]
    if form.subject is None:
        return OwnWords(parse(body, form.body.variables))
    return OwnWords(parse(body, form.body.variables), parse(subject, form.subject.variables))


# Text messages


def _fill_sms(language: str, bill: BillText) -> Filled | None:
    if bill.own is None:
        return None
    text, is_fit = fill_own(language, bill.own, bill)
    return Filled(text=text, size=measure(text), is_fit=is_fit)


def _compose_sms(language: str, occasion: Occasion, bill: BillText) -> Filled:
    del occasion
    text, is_own = compose(language, bill)
    return Filled(text=text, size=measure(text), is_own=is_own)


def _start_sms(language: str, occasion: Occasion) -> tuple[str, str]:
    del occasion
    return "", BUILT_IN.get(language, BUILT_IN["ja"])[0]


def _look_sms(longest: Filled) -> Iterator[Finding]:
    """Whether it can be sent whole, and what that costs."""
    units, segments = utf16_units(longest.text), longest.size.segments
    if units > UNITS_MAX:
        yield Finding("units_over", params={"units": units, "max": UNITS_MAX})
    elif segments > SEGMENTS_PREFERRED:
        params: dict[str, str | int] = {"segments": segments, "preferred": SEGMENTS_PREFERRED}
        yield Finding("segments_many", params=params)


# Mails


def _of_mail(mail: Mail, *, is_fit: bool = True) -> Filled:
    return Filled(
        text=mail.text,
        size=Size("utf8", mail.size_bytes, 1),
        subject=mail.subject,
        html=mail.html,
        is_own=mail.is_own,
        is_fit=is_fit,
    )


def _fill_mail(language: str, bill: BillText) -> Filled | None:
    filled = fill_mail(language, bill)
    return None if filled is None else _of_mail(filled[0], is_fit=filled[1])


def _compose_mail(language: str, occasion: Occasion, bill: BillText) -> Filled:
    del occasion
    return _of_mail(compose_mail(language, bill))


def _start_mail(language: str, occasion: Occasion) -> tuple[str, str]:
    del occasion
    return start_of_mail(language)


def _look_mail(longest: Filled) -> Iterator[Finding]:
    """Whether subject and text come whole, and are read to the end."""
    subject, characters = longest.subject, len(longest.text)
    if len(subject) > SUBJECT_CHARACTERS_MAX:
        yield _too_long("subject_over", len(subject), SUBJECT_CHARACTERS_MAX)
    elif columns(subject) > SUBJECT_COLUMNS_PREFERRED:
        yield _too_long("subject_long", columns(subject), SUBJECT_COLUMNS_PREFERRED)
    if longest.size.units > MAIL_BYTES_MAX:
        yield _too_long("mail_over", longest.size.units, MAIL_BYTES_MAX)
    elif characters > MAIL_CHARACTERS_PREFERRED:
        yield _too_long("mail_long", characters, MAIL_CHARACTERS_PREFERRED)


# Notifications


def _of_push(text: PushText, *, is_fit: bool = True) -> Filled:
    octets = len(text.title.encode()) + len(text.body.encode())
    return Filled(
        text=text.body,
        size=Size("utf8", octets, 1),
        subject=text.title,
        is_own=text.is_own,
        is_fit=is_fit,
    )


def _fill_push(language: str, bill: BillText) -> Filled | None:
    filled = fill_push(language, bill)
    return None if filled is None else _of_push(filled[0], is_fit=filled[1])


def _compose_push(language: str, occasion: Occasion, bill: BillText) -> Filled:
    return _of_push(render_push(language, occasion, bill))


def _look_push(longest: Filled) -> Iterator[Finding]:
    """Whether title and text come whole, and are seen on a locked screen."""
    if len(longest.subject) > TITLE_CHARACTERS_MAX:
        yield _too_long("subject_over", len(longest.subject), TITLE_CHARACTERS_MAX)
    if len(longest.text) > BODY_CHARACTERS_MAX:
        yield _too_long("push_over", len(longest.text), BODY_CHARACTERS_MAX)
    elif columns(longest.text) > PUSH_COLUMNS_PREFERRED:
        yield _too_long("push_long", columns(longest.text), PUSH_COLUMNS_PREFERRED)


# Calls


def _of_call(language: str, bill: BillText, own: OwnSaid | None, *, is_fit: bool = True) -> Filled:
    """The call as a dialogue: ``subject`` is what anyone hears, ``text`` what its payer hears."""
    opened, asked, told = scenes(language, facts_of(bill), own)
    return Filled(
        text="\n".join(told),
        size=Size("speech", sum(map(seconds_of, (*opened, *asked, *told))), 1),
        subject="\n".join(opened),
        is_own=own is not None,
        is_fit=is_fit,
    )


def _fill_call(language: str, bill: BillText) -> Filled | None:
    said = said_to(language, bill)
    return None if said is None else _of_call(language, bill, said[0], is_fit=said[1])


def _compose_call(language: str, occasion: Occasion, bill: BillText) -> Filled:
    del occasion
    said = said_to(language, bill)
    return _of_call(language, bill, said[0] if said is not None and said[1] else None)


def _start_call(language: str, occasion: Occasion) -> tuple[str, str]:
    del occasion
    return start_of_call(language)


def _look_call(longest: Filled) -> Iterator[Finding]:
    """Whether what the merchant says, without our keys, is heard to its end."""
    spoken: tuple[tuple[str, TemplatePart, FindingCode, FindingCode, tuple[int, int]], ...] = (
        (longest.subject, "subject", "greeting_long", "greeting_over", GREETING_SECONDS),
        (longest.text, "body", "told_long", "told_over", TOLD_SECONDS),
    )
    for text, part, long, over, (usual, most) in spoken:
        seconds = sum(map(seconds_of, text.split("\n")[:-1]))
        if seconds > usual:
            code, limit = (over, most) if seconds > most else (long, usual)
            yield Finding(code, params={"length": seconds, "max": limit}, part=part)


def _too_long(code: FindingCode, length: int, most: int) -> Finding:
    part = "subject" if code.startswith("subject") else "body"
    return Finding(code, params={"length": length, "max": most}, part=part)


def columns(text: str) -> int:
    """Width of a text, a Japanese letter taking two. Source: UAX #11."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


_SHOWN: Final = ("merchant", "merchant_short", "month", "due")
"""What may stand where others see it: on locked screens, in lists of mails. No sum, no number."""

FORMS: Final[Mapping[TemplateChannel, Form]] = MappingProxyType(
    {
        "sms": Form(
            body=PartForm(
                variables=VARIABLES,
                characters_max=700,
                facts=FACTS,
                nameless="merchant_missing",
                wants_due=True,
                is_cp932=True,
            ),
            subject=None,
            fill=_fill_sms,
            compose=_compose_sms,
            start=_start_sms,
            look=_look_sms,
            price_steps=SMS_STEPS,
            tried_at="phone",
        ),
        "email": Form(
            body=PartForm(
                variables=VARIABLES + BLOCKS,
                characters_max=2_500,
                facts=FACTS,
                nameless="merchant_missing",
                wants_due=True,
            ),
            subject=PartForm(
                variables=_SHOWN, characters_max=200, nameless="subject_nameless", is_line=True
            ),
            fill=_fill_mail,
            compose=_compose_mail,
            start=_start_mail,
            look=_look_mail,
            tried_at="email",
        ),
        "push": Form(
            body=PartForm(variables=_SHOWN, characters_max=400, wants_due=True, is_line=True),
            subject=PartForm(
                variables=_SHOWN[:2], characters_max=100, nameless="merchant_missing", is_line=True
            ),
            fill=_fill_push,
            compose=_compose_push,
            start=start_of_push,
            look=_look_push,
        ),
        "voice": Form(
            body=PartForm(
                variables=FACTS_NAMES,
                characters_max=500,
                facts=("month", "amount", "due"),
                fact_missing="said_missing",
                is_spoken=True,
            ),
            subject=PartForm(
                variables=GREETING_NAMES,
                characters_max=200,
                nameless="merchant_missing",
                is_line=True,
                is_spoken=True,
                is_overheard=True,
            ),
            fill=_fill_call,
            compose=_compose_call,
            start=_start_call,
            look=_look_call,
            tried_at="phone",
        ),
    }
)
"""Every channel whose words a merchant may write."""
