"""The texts of all screens by language, read once at start, and how a language is chosen.

Zone: application. A text is a string with ``{name}`` places, or, where the count matters, one
string per plural form under ``one`` and ``other``. ``codes`` holds a text for every stable code;
where a person can mend the cause, it is ``{"text": …, "remedy": …}``, with a ``short`` for
lists. A language may lean on another for what it does not say itself, which is how plain Japanese
(ja-easy) will start.
"""

import json
from collections.abc import Mapping
from typing import Final, cast

from babel import Locale

from portal.application.doors.assets import TEMPLATES
from portal.domain.errors import Param

LANGUAGES: Final = ("ja", "en")
"""Languages that screens are offered in, the preferred first."""

LEANS_ON: Final[Mapping[str, str]] = {"ja-easy": "ja"}
"""A language that is not complete, and the one that speaks where it is silent."""

Text = str | Mapping[str, "Text"]


class Texts:
    """All texts of one language. ``tag`` is its BCP 47 name."""

    def __init__(self, tag: str, texts: Mapping[str, Text], below: "Texts | None" = None) -> None:
        """Keep the texts, and the language to ask where they are silent."""
        self.tag = tag
        self.locale = Locale.parse(tag, sep="-") if "easy" not in tag else Locale.parse("ja")
        self._texts = texts
        self._below = below

    def find(self, key: str) -> Text | None:
        """The text or group of texts under a dotted key, or None."""
        found: Text = self._texts
        for step in key.split("."):
            if isinstance(found, str) or step not in found:
                return self._below.find(key) if self._below else None
            found = found[step]
        return found

    def say(self, key: str, /, **params: Param) -> str:
        """The text under ``key`` with its places filled; ``n`` chooses the plural form.

        Raises LookupError for a key that no language below this one has either.
        """
        found = self.find(key)
        if isinstance(found, Mapping):
            form = self.locale.plural_form(int(params["n"])) if "n" in params else "text"
            found = found.get(form, found.get("other"))
        if not isinstance(found, str):
            msg = f"no text {key!r} in {self.tag}"
            raise LookupError(msg)  # noqa: TRY004 - the key is missing, no argument has a wrong type
        return self._filled(found, params)

    def code(self, code: str, params: Mapping[str, Param] | None = None) -> str:
        """What a stable code means, for people; a code without a text is shown as such."""
        return (
            self._of_code(code, "text", params)
            or self._of_code(code, "short", None)
            or self.say("codes.other.text", code=code)
        )

    def remedy(self, code: str, params: Mapping[str, Param] | None = None) -> str:
        """What to do about a code, or an empty string where nothing can be said."""
        return self._of_code(code, "remedy", params)

    def short(self, code: str) -> str:
        """A code in two or three words for lists of counts, or its whole text."""
        return self._of_code(code, "short", None) or self.code(code)

    def knows_code(self, code: str) -> bool:
        """Whether this language itself has a text for the code."""
        own = self._texts["codes"]
        return isinstance(own, Mapping) and code in own

    def _of_code(self, code: str, part: str, params: Mapping[str, Param] | None) -> str:
        """One part of a code's text. Codes hold dots, so their keys are not walked by steps."""
        codes = self._texts["codes"]
        found = codes.get(code) if isinstance(codes, Mapping) else None
        if found is None:
            return self._below._of_code(code, part, params) if self._below else ""  # noqa: SLF001 - the same class
        if isinstance(found, str):
            text: Text | None = found if part == "text" else None
        else:
            text = found.get(part)
        if not isinstance(text, str):
            return ""
        try:
            return self._filled(text, params or {})
        except KeyError:
            # Counts of a code carry no parameters, nor does a vault of another release: then the
            # next best text is taken.
            return ""

    def _filled(self, text: str, params: Mapping[str, Param]) -> str:
        return text.format_map({name: self._shown(value) for name, value in params.items()})

    def _shown(self, value: Param) -> str:
        return f"{value:,}" if isinstance(value, int) else value


def _read(tag: str) -> Mapping[str, Text]:
    raw = (TEMPLATES / "locale" / f"{tag}.json").read_text(encoding="utf-8")
    return cast("Mapping[str, Text]", json.loads(raw))


def read_texts(tag: str) -> Texts:
    """The texts of a language from its file, with those it leans on behind it."""
    below = LEANS_ON.get(tag)
    return Texts(tag, _read(tag), read_texts(below) if below else None)


TEXTS: Final = {tag: read_texts(tag) for tag in LANGUAGES}


def choose_language(*wishes: str | None, accept: str = "") -> str:
    """The first wish that we speak, else the first of Accept-Language, else Japanese."""
    accepted = (part.split(";")[0].strip()[:2].lower() for part in accept.split(","))
    for wish in (*wishes, *accepted):
        spoken = LEANS_ON.get(wish or "", wish)
        if spoken in LANGUAGES:
            return spoken
    return LANGUAGES[0]
