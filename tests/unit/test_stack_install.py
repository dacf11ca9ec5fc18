"""A state folder of an older release gets what a newer one needs, and keeps what it has."""

import hashlib
import json
from pathlib import Path

import pytest
from cryptography import x509

from portal.egress.policy import credentials_missing
from portal.kit.clock import SystemClock
from portal.stack import install
from portal.stack.certificates import SANDBOX_HOSTS, Authority
from portal.stack.layout import Layout
from portal.stack.push_services import PUSH_KEYS, public_half
from portal.stack.sandbox_rules import sandbox_rules
from portal.stack.users import Account

NOBODY = Account("nobody")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path, uid_base=61000)
    for zone in ("egress", "sandbox"):
        made.zone(zone).mkdir(parents=True)
    return made


def test_a_credential_that_is_new_is_added_and_the_old_ones_stay(layout: Layout) -> None:
    file = layout.zone("egress") / "credentials.json"
    file.write_text(json.dumps({"sandbox_sms": "kept-since-then", "of_mine": "kept-as-well"}))

    install._give_credentials(file, NOBODY)

    known = json.loads(file.read_text())
    assert (known["sandbox_sms"], known["of_mine"]) == ("kept-since-then", "kept-as-well")
    assert set(known) == {*install.CREDENTIALS, *PUSH_KEYS, "of_mine"}
    assert credentials_missing(sandbox_rules(8082), known) == []
    install._give_credentials(file, NOBODY)
    assert json.loads(file.read_text()) == known


def test_a_company_has_hashes_of_keys_and_only_of_what_signs_the_secret(layout: Layout) -> None:
    file = layout.zone("egress") / "credentials.json"
    install._give_credentials(file, NOBODY)
    given = json.loads(file.read_text())

    install._tell_companies(layout)

    told = json.loads((layout.zone("sandbox") / "keys.json").read_text())
    assert told.pop("sandbox_wallet.secret") == given["sandbox_wallet.secret"]
    assert all(told.pop(name) == public_half(given[name]) for name in PUSH_KEYS)
    assert told == {name: hashlib.sha256(given[name].encode()).hexdigest() for name in told}
    assert set(told) == {
        "sandbox_sms",
        "sandbox_card",
        "sandbox_wallet.key",
        "sandbox_counter",
        "sandbox_bank",
        "sandbox_mail",
        "sandbox_sms2",
        "sandbox_tel",
    }


def test_a_company_that_is_new_is_in_the_certificate_of_the_next_start(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "companies", SystemClock())

    def issued(*hosts: str) -> x509.Certificate:
        authority.issue([x509.DNSName(host) for host in hosts], tmp_path, NOBODY)
        return x509.load_pem_x509_certificate((tmp_path / "cert.pem").read_bytes())

    old = issued(*SANDBOX_HOSTS[:2])
    assert issued(*SANDBOX_HOSTS[:2]) == old

    new = issued(*SANDBOX_HOSTS)
    names = new.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == list(SANDBOX_HOSTS)
    assert issued(*SANDBOX_HOSTS) == new


def test_no_rule_lets_a_caller_name_what_signs() -> None:
    rules = sandbox_rules(8082)
    signing = {name for rule in rules if rule.signer for name in rule.secret_names}

    assert signing == {"sandbox_wallet.key", "sandbox_wallet.secret"}
    assert not signing & {name for rule in rules for name in rule.credentials}
