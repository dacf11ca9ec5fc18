from pathlib import Path

import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict

from portal.domain.errors import InvariantBroken
from portal.kit.settings import ZoneSettings, read_pairs, read_secret


class Settings(ZoneSettings):
    model_config = SettingsConfigDict(env_prefix="PORTAL_TEST_")

    socket: Path
    port: int = 80


def test_settings_are_read_from_their_own_variables_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_TEST_SOCKET", "/run/x")
    monkeypatch.setenv("PORTAL_OTHER_PORT", "1")
    monkeypatch.setenv("PORT", "2")

    assert Settings.read() == Settings.model_validate({"socket": "/run/x", "port": 80})


def test_all_faults_are_listed_at_once_without_their_values(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORTAL_TEST_PORT", "s3cr3t")

    with pytest.raises(SystemExit) as refused:
        Settings.read()

    said = capsys.readouterr().err
    assert refused.value.code == 2
    assert "PORTAL_TEST_SOCKET" in said
    assert "PORTAL_TEST_PORT" in said
    assert "s3cr3t" not in said


@pytest.mark.parametrize("variable", ["PORTAL_TEST_PRODUCTION", "PORTAL_OTHER_PRODUCTION"])
def test_in_production_no_zone_starts_with_a_crash_point(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str
) -> None:
    monkeypatch.setenv("PORTAL_TEST_SOCKET", "/run/x")
    monkeypatch.setenv("HARAI_CRASH_POINT", "vault.after_commit")
    assert Settings.read().port == 80

    monkeypatch.setenv(variable, "1")
    with pytest.raises(SystemExit) as refused:
        Settings.read()

    assert refused.value.code == 2
    assert "HARAI_CRASH_POINT is for drills alone" in capsys.readouterr().err


def test_settings_never_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_TEST_SOCKET", "/run/x")
    settings = Settings.read()

    with pytest.raises(ValidationError):
        settings.port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", {}),
        ("a=b", {"a": "b"}),
        (" a=b , c=d=e,", {"a": "b", "c": "d=e"}),
        ("a", None),
        ("=b", None),
        ("a=", None),
        ("a=b,a=c", None),
    ],
)
def test_pairs_are_read_or_refused(text: str, pairs: dict[str, str] | None) -> None:
    if pairs is None:
        with pytest.raises(ValueError, match="name=value"):
            read_pairs(text)
        return
    assert read_pairs(text) == pairs


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o604])
def test_a_secret_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    secret = tmp_path / "secret"
    secret.write_text("pass word\n", encoding="utf-8")
    secret.chmod(mode)

    if mode & 0o077:
        with pytest.raises(InvariantBroken, match="secret_exposed"):
            read_secret(secret)
        return
    assert read_secret(secret) == "pass word"
