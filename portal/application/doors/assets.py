"""Our own styles and scripts: read once at start, named by their content, allowed by their hash.

Zone: application. Two kinds: files served under ``/static/`` with a content hash in the name (so
they may be cached for ever), and small ones written into a page and allowed by the hash in its
Content-Security-Policy. Nothing here fetches, builds or serves anything of another origin.
"""

import gzip
import re
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from markupsafe import Markup

from portal.domain.mail import STYLES as MAIL_STYLES

TEMPLATES: Final = Path(__file__).parents[3] / "frontend_templates"
"""The folder with all templates, texts and static files."""

_STATIC: Final = TEMPLATES / "static"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".svg": "image/svg+xml",
}
_HASH_LETTERS: Final = 12


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as it is served: ``name`` holds the hash of the content."""

    name: str
    media_type: str
    plain: bytes
    packed: bytes


@dataclass(frozen=True, slots=True)
class Inline:
    """Text written into a page, and the source expression that allows just this text."""

    text: str
    source: str

    @property
    def markup(self) -> Markup:
        """The text for a template: our own file, allowed by its hash."""
        return Markup(self.text)  # noqa: S704 - our own file


def _squeezed_css(text: str) -> str:
    """The same rules with fewer bytes: no comments, no space where CSS needs none."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r" ?([{};,>]) ?", r"\1", text)
    return re.sub(r": ", ":", text).replace(";}", "}").strip()


def _squeezed_js(text: str) -> str:
    """The same statements without indentation and comment lines; one statement stays a line."""
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def inline(name: str) -> Inline:
    """A style or script of ``static/`` to be written into pages, with its CSP source."""
    raw = (_STATIC / name).read_text(encoding="utf-8")
    text = _squeezed_css(raw) if name.endswith(".css") else _squeezed_js(raw)
    digest = b64encode(sha256(text.encode()).digest()).decode()
    return Inline(text=text, source=f"'sha256-{digest}'")


def _load() -> tuple[dict[str, str], dict[str, StaticFile]]:
    names: dict[str, str] = {}
    files: dict[str, StaticFile] = {}
    for path in sorted(_STATIC.iterdir()):
        if path.name.startswith("page.") or path.suffix not in _TYPES:
            continue
        plain = path.read_bytes()
        digest = sha256(plain).hexdigest()[:_HASH_LETTERS]
        name = f"{path.stem}.{digest}{path.suffix}"
        names[path.name] = name
        files[name] = StaticFile(
            name=name,
            media_type=_TYPES[path.suffix],
            plain=plain,
            packed=gzip.compress(plain, 9, mtime=0),
        )
    return names, files


_NAMES, FILES = _load()
PAGE_CSS: Final = inline("page.css")
PAGE_JS: Final = inline("page.js")
REMIND_JS: Final = inline("page.remind.js")
WORKER_JS: Final = inline("page.worker.js")
"""The service worker, served as a file of its own; it is read by browsers alone."""

ICON: Final = (_STATIC / "favicon.ico").read_bytes()
"""For browsers that ask for ``/favicon.ico`` by themselves."""


def address(name: str) -> str:
    """Where a static file is found now; KeyError for one that does not exist."""
    return f"/static/{_NAMES[name]}"


_COMMON: Final = (
    "default-src 'none'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; connect-src 'self'; require-trusted-types-for 'script'; "
    "trusted-types "
)
"""Ends in the one thing that differs: which policy may make a script of a text."""

PAGE_POLICY: Final = f"{_COMMON}'none'; style-src {PAGE_CSS.source}; script-src {PAGE_JS.source}"
"""Payer pages: one style and one script, both in the page, both by hash."""

REMIND_POLICY: Final = (
    f"{_COMMON}remind; worker-src 'self'; "
    f"style-src {PAGE_CSS.source}; script-src {PAGE_JS.source} {REMIND_JS.source}"
)
"""The one page that may name a script to the browser: its policy ``remind`` knows one address."""

DASHBOARD_POLICY: Final = f"{_COMMON}'none'; style-src 'self'; script-src 'self'"
"""Staff pages: files of our own origin only, nothing inline."""

_MAIL_STYLES: Final = " ".join(
    f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'" for style in MAIL_STYLES
)
MAIL_POLICY: Final = (
    f"{_COMMON}'none'; style-src 'self' 'unsafe-hashes' {_MAIL_STYLES}; script-src 'self'"
)
"""Staff pages that show a mail's HTML: a frame without an address of its own has its page's
policy, and a mail has no style sheet. Our own few styles may stand there, letter by letter."""
