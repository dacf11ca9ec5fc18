"""Templates to HTML: one strict Jinja2 environment per language, with filters for money and time.

Zone: application. Everything is escaped unless it was built as markup here; an unknown name in a
template is an error, not an empty string. Values arrive as the data of a GraphQL operation, so
moments and dates are ISO 8601 text; they are shown in the merchant's zone, which the template
passes. Nothing here reads a request or calls the vault.
"""

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Final, cast
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from portal.application.doors import assets
from portal.application.doors.locales import LANGUAGES, TEXTS, Texts
from portal.domain.errors import Param
from portal.domain.period import read_period

_KIB: Final = 1024


class Formats:
    """How one language writes amounts, dates and codes. Every method is a template filter."""

    def __init__(self, texts: Texts) -> None:
        """Bind the language."""
        self._texts = texts
        self._ja = texts.locale.language == "ja"

    def yen(self, amount: int) -> str:
        """``8,420円`` or ``¥8,420``. Units: whole yen."""
        shown = f"{amount:,}"
        return f"{shown}円" if self._ja else f"¥{shown}"

    def yen_parts(self, amount: int) -> Markup:
        """The same with the unit marked up small, for large type."""
        shown = f"{amount:,}"
        unit = Markup("<small>{}</small>")
        return (
            Markup("{}{}").format(shown, unit.format("円"))
            if self._ja
            else Markup("{}{}").format(unit.format("¥"), shown)
        )

    def yen_short(self, amount: int) -> str:
        """Large amounts in few letters: ``3.41億円``, ``1.2万円``; ``¥341M``. Units: whole yen."""
        if not self._ja:
            return "¥" + numbers.format_compact_decimal(
                amount, locale=self._texts.locale, fraction_digits=1
            )
        for unit, size in (("億", 10**8), ("万", 10**4)):
            if abs(amount) >= size:
                scaled = amount * 100 // size
                whole, rest = divmod(scaled, 100)
                shown = f"{whole:,}" if whole >= 100 or not rest else f"{whole}.{rest:02d}"  # noqa: PLR2004 - three digits say enough, decimals only below 100
                return f"{shown.rstrip('0').rstrip('.') if '.' in shown else shown}{unit}円"
        return self.yen(amount)

    def count(self, value: int) -> str:
        """A whole number with separators, alike in our languages."""
        return f"{value:,}"

    def share(self, part: int, whole: int) -> str:
        """``part`` of ``whole`` as a percentage with one decimal; a dash when there is no whole."""
        return f"{part * 1000 // whole / 10:.1f}%" if whole else "–"  # noqa: RUF001 - an en dash is meant

    def size(self, amount: int) -> str:
        """Bytes in KB or MB. Units: bytes, 1,024 to the KB."""
        if amount < _KIB * _KIB:
            return f"{max(1, -(-amount // _KIB)) if amount else 0:,} KB"
        return f"{amount / _KIB / _KIB:,.1f} MB"

    def day(self, value: str | date) -> str:
        """A calendar day with its weekday, for reading: ``12月10日(木)``."""
        pattern = "M月d日(E)" if self._ja else "EEE, d MMM y"
        return _written_day(_day(value), pattern, self._texts.locale)

    def day_short(self, value: str | date) -> str:
        """A calendar day for tables: ``2026/12/10`` or ``10 Dec 2026``."""
        pattern = "y/MM/dd" if self._ja else "d MMM y"
        return _written_day(_day(value), pattern, self._texts.locale)

    def day_tick(self, value: str | date) -> str:
        """A calendar day for an axis: ``12/10`` or ``10 Dec``."""
        pattern = "M/d" if self._ja else "d MMM"
        return _written_day(_day(value), pattern, self._texts.locale)

    def moment(self, value: str | datetime, zone: str) -> str:
        """A moment in the merchant's zone: ``2026/11/22 19:20``."""
        pattern = "y/MM/dd HH:mm" if self._ja else "d MMM y, HH:mm"
        return dates.format_datetime(
            _moment(value), pattern, tzinfo=ZoneInfo(zone), locale=self._texts.locale
        )

    def period(self, value: str) -> str:
        """A billing period: ``2026年11月分``; what is none is shown as the sender wrote it."""
        period = read_period(value)
        return period.japanese if self._ja else period.english

    def code(self, code: str, params: Mapping[str, Param] | None = None) -> str:
        """What a stable code means."""
        return self._texts.code(code, params)

    def remedy(self, code: str, params: Mapping[str, Param] | None = None) -> str:
        """What to do about it."""
        return self._texts.remedy(code, params)

    def short(self, code: str) -> str:
        """The same in a few words, for lists of counts."""
        return self._texts.short(code)


@lru_cache(4096)
def _written_day(day: date, pattern: str, locale: Locale) -> str:
    """A day in words; pages show the same few due dates over and over."""
    return dates.format_date(day, pattern, locale=locale)


def _day(value: str | date) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _moment(value: str | datetime) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if moment.tzinfo is None:
        msg = "a moment without a zone can't be shown"
        raise ValueError(msg)
    return moment


def _environment(tag: str) -> Environment:
    texts = TEXTS[tag]
    formats = Formats(texts)
    environment = Environment(
        loader=FileSystemLoader(assets.TEMPLATES),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.do"],
    )
    names = cast("dict[str, object]", environment.globals)
    names.update(
        t=texts.say,
        lang=tag,
        languages=LANGUAGES,
        asset=assets.address,
        page_css=Markup(assets.PAGE_CSS.text),  # noqa: S704 - our own file, allowed by its hash
        page_js=Markup(assets.PAGE_JS.text),  # noqa: S704 - our own file, allowed by its hash
    )
    tests = cast("dict[str, object]", environment.tests)
    tests["known_code"] = texts.knows_code
    for name in (
        "yen", "yen_parts", "yen_short", "count", "share", "size", "day", "day_short", "day_tick",
        "moment", "period", "code", "remedy", "short",
    ):  # fmt: skip
        environment.filters[name if name != "count" else "n"] = getattr(formats, name)
    return environment


_ENVIRONMENTS: Final = {tag: _environment(tag) for tag in LANGUAGES}


def formats(language: str) -> Formats:
    """The filters of a language, for texts that are made outside a template (live parts)."""
    return Formats(TEXTS[language])


def render(template: str, language: str, /, **values: object) -> str:
    """A template of ``frontend_templates/`` as HTML in one of our languages.

    Raises jinja2.UndefinedError when the template asks for a value that was not given, KeyError
    for a language that we don't speak.
    """
    return _ENVIRONMENTS[language].get_template(template).render(values)
