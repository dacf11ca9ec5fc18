"""What the command line says of a refusal: the code, what it means, and what to do.

Stack only. The texts are those of the screens, in English, so that an operator reads the same words
as the merchant's staff.
"""

from portal.domain.errors import PortalError, Refused


def say(error: PortalError) -> str:
    """One line for stderr: code, which value where the refusal names one, meaning and remedy.

    What we know beside it stands in brackets: the operation, or what a reader said of a file.
    """
    field = error.params.get("field", "")
    named = f" {field}" if field and field != error.context else ""
    words = _words(error) if isinstance(error, Refused) else ""
    said = not error.context or error.context in words
    detail = "" if said else f" ({error.context})"
    return f"{error.code}{named}{words}{detail}"


def _words(error: Refused) -> str:
    # Only on the way out, and only for what a person asked for: no zone loads the screens' code.
    from portal.application.doors.locales import TEXTS  # noqa: PLC0415 - see above

    texts = TEXTS["en"]
    if not texts.knows_code(error.code):
        return ""
    parts = (texts.code(error.code, error.params), texts.remedy(error.code, error.params))
    return ": " + " ".join(part for part in parts if part)
