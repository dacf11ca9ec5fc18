"""The signed list: what is taken, what never is, and what it decides."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portal.egress.denial import Denied
from portal.egress.policy import VERSION_FILE, Policy, RuleBook
from portal.egress.rule import Rule
from portal.egress.rules import Rules, RulesRefused, read_rules, sign_rules
from tests.make.relay import rule

NOW = datetime(2026, 11, 22, tzinfo=UTC)
WORK = frozenset({"work"})


class Files:
    """A rule file, its key and the book that follows it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = Ed25519PrivateKey.generate()
        self.file = folder / "rules.json"
        self.monotonic = 0.0

    def write(
        self, version: int, *rules: dict[str, object], key: Ed25519PrivateKey | None = None
    ) -> None:
        payload = {"version": version, "rules": rules or (rule(443),)}
        draft = self.file.with_suffix(".new")
        draft.write_bytes(sign_rules(key or self.key, payload))
        draft.replace(self.file)

    def book(self, *, production: bool = False) -> RuleBook:
        return RuleBook(
            self.file,
            self.key.public_key(),
            self.folder,
            production=production,
            monotonic=lambda: self.monotonic,
        )


@pytest.fixture
def files(tmp_path: Path) -> Files:
    made = Files(tmp_path)
    made.write(3)
    return made


def real_rule(**changes: object) -> dict[str, object]:
    return rule(443, address=None, sandbox=False, **changes)


def decide(policy: Policy, **changes: object) -> Rule:
    fields: dict[str, object] = {
        "host": "api.provider.test", "port": 443, "method": "POST", "path": "/v1/messages",
        "now": NOW,
    }  # fmt: skip
    roles = changes.pop("roles", WORK)
    return policy.decide_request(roles, **(fields | changes))  # type: ignore[arg-type]


def policy_of(*rules: dict[str, object]) -> Policy:
    key = Ed25519PrivateKey.generate()
    raw = sign_rules(key, {"version": 1, "rules": rules})
    return Policy(read_rules(raw, key.public_key(), production=False))


def test_a_newer_file_is_taken_and_the_version_remembered(files: Files) -> None:
    book = files.book()
    files.write(4)

    assert book.reload_if_changed()
    assert not book.reload_if_changed()
    assert book.policy.version == 4
    assert json.loads((files.folder / VERSION_FILE).read_text())["version"] == 4


def test_the_same_file_is_good_after_a_restart(files: Files) -> None:
    assert files.book().policy.version == 3
    assert files.book().policy.version == 3


def test_terms_that_no_rule_uses_are_no_part_of_what_a_version_is_known_by(files: Files) -> None:
    """Else a relay that knows a newer term would refuse the file that an older one took."""
    files.book()
    known = json.loads((files.folder / VERSION_FILE).read_text())["digest"]
    payload = json.loads(json.loads(files.file.read_bytes())["payload"])

    given = read_rules(files.file.read_bytes(), files.key.public_key(), production=False)

    [spelt] = json.loads(msgspec.json.encode(given))["rules"]
    assert set(spelt) <= set(payload["rules"][0])
    assert "signer" not in spelt
    assert known == hashlib.sha256(msgspec.json.encode(given)).hexdigest()


def _rolled_back(files: Files) -> None:
    files.write(2)


def _same_version_other_rules(files: Files) -> None:
    files.write(3, rule(444))


def _forged(files: Files) -> None:
    files.write(9, key=Ed25519PrivateKey.generate())


def _one_changed_letter(files: Files) -> None:
    files.write(9)
    files.file.write_bytes(files.file.read_bytes().replace(b"api.provider", b"api.provider2"))


def _resigned_payload(files: Files) -> None:
    """A good signature of something else than the payload."""
    files.write(9)
    good = json.loads(files.file.read_bytes())
    files.write(10)
    other = json.loads(files.file.read_bytes())
    files.file.write_text(json.dumps({"payload": other["payload"], "signature": good["signature"]}))


def _empty(files: Files) -> None:
    files.file.write_bytes(b"")


def _gone(files: Files) -> None:
    files.file.unlink()


def _huge(files: Files) -> None:
    files.file.write_bytes(b" " * 5_000_000)


BAD: list[tuple[Callable[[Files], None], str]] = [
    (_rolled_back, "version_rolled_back"),
    (_same_version_other_rules, "version_used_twice"),
    (_forged, "signature_invalid"),
    (_one_changed_letter, "signature_invalid"),
    (_resigned_payload, "signature_invalid"),
    (_empty, "not_a_rule_file"),
    (_huge, "file_too_long"),
]


@pytest.mark.parametrize(("spoil", "fault"), BAD, ids=[spoil.__name__ for spoil, _ in BAD])
def test_a_bad_file_changes_nothing_and_stops_a_start(
    files: Files, spoil: Callable[[Files], None], fault: str
) -> None:
    book = files.book()
    spoil(files)

    assert not book.reload_if_changed()
    assert book.policy.version == 3
    with pytest.raises(RulesRefused) as refused:
        files.book()
    assert refused.value.faults == (fault,)
    files.write(11)
    assert book.reload_if_changed()


def test_a_file_that_is_gone_leaves_the_old_rules(files: Files) -> None:
    book = files.book()
    _gone(files)

    assert not book.reload_if_changed()
    assert book.policy.version == 3


def test_an_unreadable_record_of_versions_is_refused_not_forgotten(files: Files) -> None:
    files.book()
    (files.folder / VERSION_FILE).write_text("{}")

    with pytest.raises(RulesRefused, match="version_record_unreadable"):
        files.book()


def test_production_refuses_a_file_with_one_sandbox_rule(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.write(1, real_rule(), real_rule(id="second", host="b.test"))
    assert files.book(production=True).policy.version == 1

    files.write(2, real_rule(), rule(444, id="sandbox"))
    with pytest.raises(RulesRefused, match="sandbox rule in production"):
        files.book(production=True)
    assert files.book(production=False).policy.version == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "API.provider.test"},
        {"host": "api.provider.test."},
        {"host": "127.0.0.1"},
        {"host": "*.provider.test"},
        {"host": "[::1]"},
        {"port": 0},
        {"port": 65_536},
        {"purpose": " "},
        {"methods": ()},
        {"methods": ("CONNECT",)},
        {"answers_to": "vault"},
        {"methods": ("GET",), "answers_to": "vault", "deposit": "mandate"},
        {"fixed": {"body:/reference": "{{delivery:reference}}"}},
        {"fixed": {"body:/file": "{{delivery:file}}", "body:/copy": "{{delivery:file}}"}},
        {
            "fixed": {"body:/file": "{{delivery:file}}"},
            "signer": {"name": "opa", "key": "k", "secret": "s"},
        },
        {"fixed": {"body:/card": "{{instrument:token}}"}},
        {"fixed": {"body:/a": "{{instrument:token}}", "body:/b": "{{instrument:reference}}"}},
        {"fixed": {"body:/a": "{{instrument:reference}}"}},
        {"fixed": {"body:/a": "{{instrument:order}}", "body:/b": "{{instrument:order_pass}}"}},
        {"fixed": {"body:/a": "{{instrument:member}}", "body:/b": "{{instrument:amount}}"}},
        {"methods": ("post",)},
        {"path_prefixes": ()},
        {"path_prefixes": ("v1",)},
        {"path_prefixes": ("/v1/../admin",)},
        {"path_prefixes": ("/v1", "/v1/")},
        {"headers": ("X-Own",)},
        {"headers": ("host",)},
        {"headers": ("x-http-method-override",)},
        {"credentials": ("Not A Name",)},
        {"fixed": {"header:x-own": "1"}},
        {"fixed": {"body:to": "1"}},
        {"fixed": {"query:/to": "1"}},
        {"fixed": {"body:/to": "{{delivery:name}}"}},
        {"fixed": {"body:/to": "{{credential:other}}"}},
        {"answer_bytes_max": 0},
        {"answer_bytes_max": 1 << 30},
        {"timeout_s": float("nan")},
        {"timeout_s": 1000.0},
        {"bytes_up_per_hour": 0},
        {"concurrency_max": 0},
        {"address": None},
        {"address": "127.0.0.1", "sandbox": False},
        {"address": "localhost"},
        {"mode": "tunnel"},
        {"charset": "shift_jis"},
        {"not_before": "2026-11-22T00:00:00"},
        {"surprise": 1},
    ],
    ids=str,
)
def test_a_rule_that_breaks_its_own_terms_is_not_even_signed(changes: dict[str, object]) -> None:
    with pytest.raises(RulesRefused):
        sign_rules(Ed25519PrivateKey.generate(), {"version": 1, "rules": (rule(443) | changes,)})


def test_two_rules_never_decide_about_the_same_request() -> None:
    key = Ed25519PrivateKey.generate()
    with pytest.raises(RulesRefused, match="ruled twice"):
        sign_rules(key, {"version": 1, "rules": (rule(443), rule(443, id="other"))})
    others = (rule(443), rule(443, id="get", path_prefixes=("/v2",)), rule(443, id="x", role="web"))
    assert sign_rules(key, {"version": 1, "rules": others})


def test_signing_takes_structs_as_well_as_mappings() -> None:
    key = Ed25519PrivateKey.generate()
    rules = read_rules(
        sign_rules(key, {"version": 7, "rules": (rule(443),)}), key.public_key(), production=False
    )
    assert isinstance(rules, Rules)
    assert sign_rules(key, rules) == sign_rules(key, {"version": 7, "rules": (rule(443),)})


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"host": "b.provider.test"}, "host_not_listed"),
        ({"host": "xapi.provider.test"}, "host_not_listed"),
        ({"host": "provider.test"}, "host_not_listed"),
        ({"host": "x.api.provider.test"}, "host_not_listed"),
        ({"port": 444}, "host_not_listed"),
        ({"roles": frozenset({"web"})}, "host_not_listed"),
        ({"roles": frozenset[str]()}, "host_not_listed"),
        ({"method": "DELETE"}, "method_not_allowed"),
        ({"method": "post"}, "method_not_allowed"),
        ({"path": "/v2/messages"}, "path_not_allowed"),
        ({"path": "/v1"}, "path_not_allowed"),
        ({"path": "/"}, "path_not_allowed"),
        ({"path": "/v1x/"}, "path_not_allowed"),
        ({"path": ""}, "path_invalid"),
        ({"path": "v1/messages"}, "path_invalid"),
        ({"path": "//v1/messages"}, "path_invalid"),
        ({"path": "/v1//messages"}, "path_invalid"),
        ({"path": "/v1/../v2"}, "path_invalid"),
        ({"path": "/v1/..;/v2"}, "path_invalid"),
        ({"path": "/v1/.;a=b/v2"}, "path_invalid"),
        ({"path": "/v1/..%3Bx/v2"}, "path_invalid"),
        ({"path": "/v1/./x"}, "path_invalid"),
        ({"path": "/v1/.."}, "path_invalid"),
        ({"path": "/v1/%2e%2e/v2"}, "path_invalid"),
        ({"path": "/v1/%2E./v2"}, "path_invalid"),
        ({"path": "/v1/a%2fb"}, "path_invalid"),
        ({"path": "/v1/a%5cb"}, "path_invalid"),
        ({"path": "/v1/%252e"}, "path_invalid"),
        ({"path": "/v1/a\\b"}, "path_invalid"),
        ({"path": "/v1/a b"}, "path_invalid"),
        ({"path": "/v1/a\r\nX: y"}, "path_invalid"),
        ({"path": "/v1/%0d%0a"}, "path_invalid"),
        ({"path": "/v1/a#b"}, "path_invalid"),
        ({"path": "/v1/{{delivery:to}}"}, "path_invalid"),
        ({"path": "/v1/\u3042"}, "path_invalid"),
        ({"path": "/v1/%zz"}, "path_invalid"),
        ({"path": "/v1/" + "a" * 3_000}, "path_invalid"),
        ({"path": "/v1/x?a=b c"}, "path_invalid"),
        ({"path": "https://evil.test/v1/"}, "path_invalid"),
    ],
    ids=str,
)
def test_what_no_rule_covers_is_denied(changes: dict[str, object], code: str) -> None:
    policy = policy_of(rule(443, methods=("POST",)))
    assert decide(policy).id == "provider"

    with pytest.raises(Denied, match=code):
        decide(policy, **changes)


def test_a_prefix_ends_where_a_segment_ends() -> None:
    policy = policy_of(rule(443, path_prefixes=("/v1/pay",)))

    assert decide(policy, path="/v1/pay")
    assert decide(policy, path="/v1/pay/1?x=1")
    with pytest.raises(Denied, match="path_not_allowed"):
        decide(policy, path="/v1/payout")


def test_no_query_goes_round_a_body_that_a_rule_shapes() -> None:
    policy = policy_of(rule(443, fields=("to",)))

    assert decide(policy)
    with pytest.raises(Denied, match="path_not_allowed"):
        decide(policy, path="/v1/messages?to=1")


@pytest.mark.parametrize(
    ("changes", "is_in_force"),
    [
        ({}, True),
        ({"not_before": NOW, "expires_at": NOW + timedelta(seconds=1)}, True),
        ({"expires_at": NOW}, False),
        ({"not_before": NOW + timedelta(seconds=1)}, False),
    ],
)
def test_a_rule_counts_from_its_beginning_to_its_end(
    changes: dict[str, object], *, is_in_force: bool
) -> None:
    policy = policy_of(rule(443, **changes))

    if is_in_force:
        assert decide(policy)
    else:
        with pytest.raises(Denied, match="rule_expired"):
            decide(policy)


def test_a_tunnel_rule_lets_no_request_out_and_the_other_way_round() -> None:
    shape = {"methods": (), "path_prefixes": (), "credentials": ()}
    tunnel = policy_of(rule(443, mode="tunnel", **shape))

    def decide_tunnel(policy: Policy) -> Rule:
        return policy.decide_tunnel(WORK, host="api.provider.test", port=443, now=NOW)

    assert decide_tunnel(tunnel)
    with pytest.raises(Denied, match="host_not_listed"):
        decide(tunnel)
    with pytest.raises(Denied, match="host_not_listed"):
        decide_tunnel(policy_of(rule(443)))


def test_a_quota_slides_over_the_hour(files: Files) -> None:
    files.write(4, rule(443, bytes_up_per_hour=1_000))
    book = files.book()
    (listed,) = book.policy.rules

    book.quotas.spend(listed, 1_000)
    with pytest.raises(Denied, match="quota_spent"):
        book.quotas.spend(listed, 1)
    files.monotonic = 3_600 + 1_800
    assert book.quotas.left(listed) == 500
    book.quotas.spend(listed, 500)
    with pytest.raises(Denied, match="quota_spent"):
        book.quotas.spend(listed, 1)
    files.monotonic = 3 * 3_600
    assert book.quotas.left(listed) == 1_000
