"""What a telephone company understands of TwiML: a few sentences, keys to wait for, or the end."""

from dataclasses import dataclass, field
from typing import Final
from xml.etree import ElementTree as ET

_KEYS_UNBOUNDED: Final = 20


@dataclass(frozen=True, slots=True)
class Script:
    """``redirect``: go on there after ``pause_s``. Without keys and redirect the call ends."""

    lines: list[str] = field(default_factory=list[str])
    action: str = ""
    digits: int = 0
    redirect: str = ""
    pause_s: float = 0.0


def read_script(text: str) -> Script:
    """Read a document; raises ValueError for what a telephone company would not understand."""
    try:
        root = ET.fromstring(text)  # noqa: S314  # from the portal, whose answer is what is tested
    except ET.ParseError as error:
        msg = "no XML"
        raise ValueError(msg) from error
    if root.tag != "Response":
        msg = f"a {root.tag} is no Response"
        raise ValueError(msg)
    lines: list[str] = []
    pause_s = 0.0
    for verb in root:
        match verb.tag:
            case "Say":
                lines.append(verb.text or "")
            case "Gather":
                lines += [said.text or "" for said in verb.iter("Say")]
                digits = int(verb.get("numDigits", _KEYS_UNBOUNDED))
                return Script(lines, action=verb.get("action", ""), digits=digits)
            case "Pause":
                pause_s += float(verb.get("length", "1"))
            case "Redirect":
                return Script(lines, redirect=verb.text or "", pause_s=pause_s)
            case "Hangup":
                return Script(lines)
            case _:
                msg = f"no verb of ours: {verb.tag}"
                raise ValueError(msg)
    return Script(lines)
