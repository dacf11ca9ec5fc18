"""The canonicaliser of host names and authorities."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.errors import InvalidInput
from portal.domain.host import canonical_host, read_authority, read_port


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("api.example.com", "api.example.com"),
        ("API.Example.COM", "api.example.com"),
        ("api.example.com.", "api.example.com"),
        ("localhost", "localhost"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("1.example", "1.example"),
        ("0x7f.example", "0x7f.example"),
        ("a" * 63 + ".example", "a" * 63 + ".example"),
        (".".join(["a" * 49] * 5) + ".abc", ".".join(["a" * 49] * 5) + ".abc"),
    ],
)
def test_a_host_name_is_folded_to_one_spelling(text: str, name: str) -> None:
    assert canonical_host(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "host..",
        ".host",
        "a..b",
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0X7F000001",
        "0x",
        "0177.0.0.1",
        "a.0x7f",
        "a.1",
        "::1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[example.com]",
        "[[example.com]]",
        "evil@example.com",
        "example.com@evil",
        "%6cocalhost",
        "_dmarc.example.com",
        "a_b.example",
        "-a.example",
        "a-.example",
        "ab--cd.example",
        "exam ple.com",
        "example.com\t",
        "example.com\n",
        "\nexample.com",
        "example.com\x00",
        "example.com/",
        "example.com:443",
        "example.com,evil",
        "*.example.com",
        "\uff45xample.com",
        "example\u3002com",
        "exa\u00admple.com",
        "faß.de",
        "bücher.example",
        "\u212a.example",
        "a" * 64 + ".example",
        ".".join(["a" * 49] * 5) + ".abcd",
    ],
)
def test_whatever_is_no_strict_host_name_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        canonical_host(text)
    assert refused.value.code == "host_invalid"


@pytest.mark.parametrize(("text", "port"), [("1", 1), ("443", 443), ("65535", 65535)])
def test_a_port_is_plain_digits(text: str, port: int) -> None:
    assert read_port(text) == port


@pytest.mark.parametrize(
    "text",
    [
        *("", "0", "00", "0443", "+443", "-1", " 443", "443 ", "4 43", "65536", "74636", "443.0"),
        *("https", "0x1bb", "\uff14\uff14\uff13", "1e3", "4_43", "443\n"),
    ],
)
def test_any_other_spelling_of_a_port_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_port(text)
    assert refused.value.code == "port_invalid"


def test_an_authority_is_a_host_and_a_port() -> None:
    assert read_authority("API.Example.:8443") == ("api.example", 8443)


@pytest.mark.parametrize(
    "text",
    [
        "example.com",
        "example.com:",
        ":443",
        ":",
        "example.com:443:443",
        "evil@example.com:443",
        "example.com:443@evil:443",
        "[::1]:443",
        "[example.com]:443",
        "127.0.0.1:443",
        "example.com :443",
        "example.com: 443",
        "https://example.com:443",
    ],
)
def test_an_authority_with_anything_else_in_it_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_authority(text)


@given(st.text(max_size=300))
def test_a_canonical_name_is_a_fixed_point(text: str) -> None:
    try:
        name = canonical_host(text)
    except InvalidInput:
        return
    assert canonical_host(name) == name
    assert canonical_host(name.upper() + ".") == name


_LABELS = st.from_regex(r"[a-z]([a-z0-9]{0,10}[a-z0-9])?", fullmatch=True)


@given(st.lists(_LABELS, min_size=1, max_size=5), st.integers(1, 65535))
def test_every_good_authority_comes_back_as_it_went_in(labels: list[str], port: int) -> None:
    host = ".".join(labels)
    assert read_authority(f"{host}:{port}") == (host, port)
