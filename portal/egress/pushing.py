"""What a rule says of notifications to telephones; part of the signed file.

Zone: egress; pure. See ``portal.egress.rules``.
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from portal.domain.errors import InvalidInput
from portal.domain.host import canonical_host
from portal.domain.push import PushKind, is_host_rule

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}", re.ASCII)
_SUBJECT: Final = re.compile(r"(?:mailto:|https://)[\x21-\x7e]{3,200}", re.ASCII)
_PROJECT: Final = re.compile(r"[a-z0-9][a-z0-9-]{4,61}", re.ASCII)
_APPLE: Final = re.compile(r"[A-Z0-9]{10}", re.ASCII)
_APP: Final = re.compile(r"[A-Za-z0-9.-]{3,155}", re.ASCII)
_ACCOUNT: Final = re.compile(r"[A-Za-z0-9.@_-]{6,254}", re.ASCII)


class App(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A merchant's own app, by the ``name`` that the vault has for it; the rest as in Pushing."""

    name: str
    key: str
    project: str = ""
    account: str = ""
    app: str = ""
    team: str = ""
    key_id: str = ""


class Pushing(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """By which service a rule's notifications go, and as whom. ``key`` names the credential.

    ``web``: the address of each browser is the vault's to say, and only ``hosts`` are dialled
    (``*.`` stands for one label); the rule's own host is the road's name and never dialled.
    ``key``: a P-256 key (PEM); ``subject``: whom the services may write to about us.

    ``fcm``: the merchant's app at Google, of ``project``. ``account`` is the service account's
    address, ``key`` its RSA key (PEM), ``token_host`` where access is asked for with it.

    ``apns``: the merchant's app at Apple. ``app`` is its bundle's name, ``team`` and ``key_id`` as
    Apple gave them, ``key`` the P-256 key (PEM).

    ``apps``: merchants' own apps at the service, each by terms of its own. Which one a device has
    is the vault's to say. Without a ``key`` the rule has no app but these.
    """

    service: PushKind
    key: str = ""
    hosts: tuple[str, ...] = ()
    subject: str = ""
    project: str = ""
    account: str = ""
    token_host: str = ""
    app: str = ""
    team: str = ""
    key_id: str = ""
    apps: tuple[App, ...] = ()

    def of_app(self, name: str) -> "Pushing | None":
        """The terms for the devices of one app, with no other's; None: the rule has no such app."""
        if not name:
            return msgspec.structs.replace(self, apps=()) if self.key else None
        found = next((one for one in self.apps if one.name == name), None)
        if found is None:
            return None
        return Pushing(
            service=self.service,
            token_host=self.token_host,
            key=found.key,
            project=found.project,
            account=found.account,
            app=found.app,
            team=found.team,
            key_id=found.key_id,
        )

    @property
    def secret_names(self) -> tuple[str, ...]:
        """Every credential that the rule works with."""
        return (*((self.key,) if self.key else ()), *(one.key for one in self.apps))

    def faults(self) -> Iterator[str]:
        """What of it breaks its own terms."""
        names = [one.name for one in self.apps]
        if self.service == "web" and names:
            yield "apps: a browser has none"
        if len(set(names)) < len(names) or not all(_NAME.fullmatch(name) for name in names):
            yield "apps: a name that is none, or stands twice"
        if self.key or not names:
            yield from self._faults_of_one()
        for name in names:
            one = self.of_app(name)
            if one is not None:
                yield from (f"{name}: {fault}" for fault in one.faults())
        apps = [one.app or one.project for one in self.apps]
        if len({*apps, self.app or self.project}) < len(apps) + 1:
            yield "apps: one app under two names"

    def _faults_of_one(self) -> Iterator[str]:
        if _NAME.fullmatch(self.key) is None:
            yield "pushing: not a credential's name"
        match self.service:
            case "web":
                known = bool(self.hosts) and all(is_host_rule(host) for host in self.hosts)
                fits = known and _SUBJECT.fullmatch(self.subject)
            case "fcm":
                fits = (
                    _PROJECT.fullmatch(self.project)
                    and _ACCOUNT.fullmatch(self.account)
                    and _is_canonical(self.token_host)
                )
            case "apns":
                fits = (
                    _APP.fullmatch(self.app)
                    and _APPLE.fullmatch(self.team)
                    and _APPLE.fullmatch(self.key_id)
                )
        if not fits:
            yield f"pushing: what {self.service} needs is missing or malformed"


def _is_canonical(host: str) -> bool:
    try:
        return canonical_host(host) == host
    except InvalidInput:
        return False
