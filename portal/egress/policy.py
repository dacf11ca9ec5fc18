"""Which rule lets a request out, and the file it came from.

Zone: egress. :class:`Policy` is one immutable list and decides; :class:`RuleBook` follows the
signed file, so that a new version takes effect within a second and a bad one never does. Signing
and the rules' own terms are in ``portal.egress.rules``.
"""

import hashlib
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from portal.egress.denial import Denied
from portal.egress.grammar import is_path, is_query, is_under
from portal.egress.query import is_as_ruled
from portal.egress.quota import Quotas
from portal.egress.rule import Mode, Rule
from portal.egress.rules import FILE_BYTES_MAX, Rules, RulesRefused, read_rules
from portal.kit.log import get_logger

VERSION_FILE: Final = "rules.version"
"""Name of the file beside the journal that holds the highest version ever taken."""

_log = get_logger()


class Policy:
    """One signed list, indexed for decisions. Immutable: a reload makes another."""

    def __init__(self, rules: Rules) -> None:
        """Rules that ``read_rules`` has accepted."""
        self.version = rules.version
        self.rules = rules.rules
        self._by_host: dict[tuple[str, int, Mode], list[Rule]] = defaultdict(list)
        for rule in rules.rules:
            self._by_host[rule.host, rule.port, rule.mode].append(rule)

    def decide_request(
        self, roles: frozenset[str], *, host: str, port: int, method: str, path: str, now: datetime
    ) -> Rule:
        """The rule under which a caller of ``roles`` may send ``method path`` to ``host:port``.

        Of several, the one with the longest path prefix; of these, one that says how the path ends.
        ``host`` is canonical already.

        Raises: Denied ``path_invalid``, ``host_not_listed``, ``rule_expired``,
        ``method_not_allowed``, ``path_not_allowed`` or ``query_not_as_ruled``.
        """
        plain, question, query = path.partition("?")
        if not is_path(plain) or not is_query(query):
            raise Denied("path_invalid")
        listed = self._effective(roles, host, port, "originate", now)
        end = plain.rpartition("/")[2]
        under = [
            (len(prefix.rstrip("/")) + bool(rule.path_end) / 2, rule)
            for rule in listed
            for prefix in rule.path_prefixes
            if is_under(plain, prefix) and rule.path_end in {"", end}
        ]
        if not under:
            raise Denied("path_not_allowed")
        allowed = [(length, rule) for length, rule in under if method in rule.methods]
        if not allowed:
            raise Denied("method_not_allowed")
        rule = max(allowed, key=lambda found: found[0])[1]
        if rule.deposit and not rule.names_one(path):
            # A "not found" is a word, too: one about any other address would be a false one.
            raise Denied("path_not_allowed")
        if rule.query:
            if not is_as_ruled(query, rule.query):
                raise Denied("query_not_as_ruled")
            return rule
        if question and (rule.shapes_body or rule.signer is not None or rule.keeps_answers):
            # Many form APIs read the query and the body as one: it would go round what is fixed.
            # A signature does not cover it at all. Of what goes to the vault the path's end says
            # whose it is: a query would stand in its place.
            raise Denied("path_not_allowed")
        return rule

    def decide_tunnel(self, roles: frozenset[str], *, host: str, port: int, now: datetime) -> Rule:
        """The rule under which a caller of ``roles`` may open a tunnel to ``host:port``.

        Raises: Denied ``host_not_listed`` or ``rule_expired``.
        """
        return self._effective(roles, host, port, "tunnel", now)[0]

    def decide_delivery(
        self, roles: frozenset[str], mode: Mode, *, host: str, port: int, now: datetime
    ) -> Rule:
        """The rule under which a caller of ``roles`` may have a delivery taken to ``host:port``.

        ``mode``: handed in as a mail (``submit``), or pushed to a telephone (``push``).

        Raises: Denied ``host_not_listed`` or ``rule_expired``.
        """
        return self._effective(roles, host, port, mode, now)[0]

    def has_effective(self, rule: Rule, now: datetime) -> bool:
        """Whether exactly this rule still stands: what is open under another is closed."""
        return rule in self._by_host.get((rule.host, rule.port, rule.mode), ()) and _is_in_force(
            rule, now
        )

    def _effective(
        self, roles: frozenset[str], host: str, port: int, mode: Mode, now: datetime
    ) -> list[Rule]:
        """Rules in force for the address; never empty."""
        listed = [rule for rule in self._by_host.get((host, port, mode), ()) if rule.role in roles]
        if not listed:
            raise Denied("host_not_listed")
        effective = [rule for rule in listed if _is_in_force(rule, now)]
        if not effective:
            raise Denied("rule_expired")
        return effective


def _is_in_force(rule: Rule, now: datetime) -> bool:
    return (rule.not_before is None or rule.not_before <= now) and (
        rule.expires_at is None or now < rule.expires_at
    )


class _Highest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    digest: str


class RuleBook:
    """The policy in force, and the file that it follows.

    The highest version ever taken is kept on disk with its digest: an older file, or another one
    of the same version, is a rollback and refused, after a restart too.
    """

    def __init__(
        self,
        rules_file: Path,
        verify_key: Ed25519PublicKey,
        state_folder: Path,
        *,
        production: bool,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Load the file at once: a relay without rules does not start.

        ``monotonic`` measures the hours of the quotas.

        Raises: RulesRefused when the file, or the record of the highest version, is not good.
        """
        self._file = rules_file
        self._key = verify_key
        self._state = state_folder / VERSION_FILE
        self._production = production
        self._seen: tuple[int, ...] = ()
        self.policy = self._load()
        self.quotas = Quotas(monotonic)

    def reload_if_changed(self) -> bool:
        """Look at the file; take it if it changed and is good. True when the policy is new.

        A bad file changes nothing: the old rules stay, and the error is logged once per change.
        """
        try:
            if self._fingerprint() == self._seen:
                return False
            policy = self._load()
        except (RulesRefused, OSError) as error:
            faults = error.faults if isinstance(error, RulesRefused) else (type(error).__name__,)
            _log.error("egress.rules_refused", code=faults[0], count=len(faults))
            return False
        if policy.version == self.policy.version:
            return False
        self.policy = policy
        _log.info("egress.rules_taken", version=policy.version, count=len(policy.rules))
        return True

    def _fingerprint(self) -> tuple[int, ...]:
        """What changes when the file does; empty while there is none."""
        try:
            found = self._file.stat()
        except FileNotFoundError:
            return ()
        return (found.st_mtime_ns, found.st_size, found.st_ino)

    def _load(self) -> Policy:
        # Taken before reading: a file written in between is looked at again.
        self._seen = self._fingerprint()
        with self._file.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
        rules = read_rules(raw, self._key, production=self._production)
        self._refuse_rollback(rules)
        return Policy(rules)

    def _refuse_rollback(self, rules: Rules) -> None:
        # Terms that no rule uses are left out (omit_defaults): a relay that knows new ones must
        # not take the file that an older one took for another.
        digest = hashlib.sha256(msgspec.json.encode(rules)).hexdigest()
        highest = self._highest()
        if highest is not None:
            if rules.version < highest.version:
                raise RulesRefused("version_rolled_back")
            if rules.version == highest.version and digest != highest.digest:
                raise RulesRefused("version_used_twice")
            if rules.version == highest.version:
                return
        self._keep(_Highest(rules.version, digest))

    def _highest(self) -> _Highest | None:
        """The record, None before the first file; an unreadable one is refused, not ignored."""
        try:
            raw = self._state.read_bytes()
        except FileNotFoundError:
            return None
        try:
            return msgspec.json.decode(raw, type=_Highest)
        except msgspec.DecodeError as error:
            raise RulesRefused("version_record_unreadable") from error

    def _keep(self, highest: _Highest) -> None:
        """Write the record and wait for the disk: only then may the rules be used."""
        draft = self._state.with_suffix(".draft")
        with draft.open("wb") as file:
            file.write(msgspec.json.encode(highest))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._state)
        folder = os.open(self._state.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def credentials_missing(rules: Iterable[Rule], known: Iterable[str]) -> list[str]:
    """Names that rules use and the credentials file does not have, sorted."""
    return sorted({name for rule in rules for name in rule.secret_names} - set(known))
