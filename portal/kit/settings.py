"""How a zone reads its settings: once, at start, from its own environment variables, then frozen.

Zone-less. Each zone has one subclass with its own prefix (``PORTAL_VAULT_`` and so on), so no
zone's settings can hold what belongs to another. Secrets are files, never values of variables.
"""

import os
import sys
from pathlib import Path
from typing import NoReturn, Self

from pydantic import ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from portal.domain.errors import InvariantBroken
from portal.kit.crashpoint import check_allowed


class ZoneSettings(BaseSettings):
    """Base of every zone's settings; a subclass sets ``env_prefix`` in its ``model_config``."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @model_validator(mode="after")
    def _no_drill_in_production(self) -> Self:
        check_allowed(os.environ)
        return self

    @classmethod
    def read(cls) -> Self:
        """Read the environment; every fault is listed at once on stderr, then exit code 2.

        Values are never printed: a fault names the variable and what is wrong with it.
        """
        try:
            return cls()
        except ValidationError as faults:
            _refuse_start(cls, faults)


def _refuse_start(cls: type[ZoneSettings], faults: ValidationError) -> NoReturn:
    prefix = cls.model_config.get("env_prefix", "")
    for fault in faults.errors(include_input=False, include_url=False):
        name = prefix + "_".join(str(part) for part in fault["loc"]).upper()
        sys.stderr.write(f"setting {name}: {fault['msg']}\n")
    raise SystemExit(2) from None


def read_secret(path: Path) -> str:
    """The text of a secret file without its last line end.

    Raises: InvariantBroken ``secret_exposed`` when others than its owner may read it.
    """
    if path.stat().st_mode & 0o077:
        raise InvariantBroken("secret_exposed", context=path.name)
    return path.read_text(encoding="utf-8").removesuffix("\n")


def read_pairs(text: str) -> dict[str, str]:
    """``a=b,c=d`` as a dictionary; ValueError for anything else."""
    pairs: dict[str, str] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = item.partition("=")
        if not equals or not name or not value or name in pairs:
            msg = "expected name=value pairs with commas between, each name once"
            raise ValueError(msg)
        pairs[name] = value
    return pairs
