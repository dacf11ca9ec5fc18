"""The sandbox's own pages; they share nothing with the portal's."""

from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_PAGES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

STYLE: Final = (Path(__file__).parent / "sandbox.css").read_text(encoding="utf-8")
SCRIPT: Final = (Path(__file__).parent / "phone.js").read_text(encoding="utf-8")


def render(name: str, **values: object) -> str:
    """One page as text."""
    return _PAGES.get_template(name).render(**values)
