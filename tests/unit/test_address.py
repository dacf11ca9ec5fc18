"""The frozen table of addresses that are not plainly public."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.address import NOT_PUBLIC_V4, NOT_PUBLIC_V6, is_public

# What Python's is_global or smokescreen's classifier let through, and the plain ones.
REFUSED = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.1 127.255.255.254
168.63.129.16 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.9
192.0.0.192 192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1 192.168.0.1 192.175.48.1 198.18.0.1
198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 233.252.0.1 239.255.255.255 240.0.0.1
255.255.255.255
:: ::1 ::7f00:1 ::a9fe:a9fe ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:7f00:1 64:ff9b::7f00:1
64:ff9b::808:808 64:ff9b:1::a9fe:a9fe 64:ff9b:1::a00:1 100::1 100:0:0:1::1 1fff:ffff::1 2001::1
2001:1::1 2001:2::1 2001:20::1 2001:30::1 2001:db8::1 2002:7f00:1::1 2002:808:808::1
2620:4f:8000::1 3fff::1 4000::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1
2606:4700::1%1
"""

ALLOWED = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0
168.63.129.15 168.63.129.17 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255
192.0.1.0 192.0.3.0 192.88.98.255 192.88.100.0 192.167.255.255 192.169.0.0 198.17.255.255
198.20.0.0 203.0.112.255 203.0.114.0 223.255.255.255
2001:200::1 2001:4860:4860::8888 2003::1 2606:4700:4700::1111 2620:4f:7fff::1 3ffe::1
"""


@pytest.mark.parametrize("text", REFUSED.split())
def test_an_address_that_is_not_plainly_public_is_refused(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", ALLOWED.split())
def test_a_public_address_beside_a_hole_passes(text: str) -> None:
    assert is_public(ip_address(text))


@given(st.ip_addresses(v=4))
def test_nothing_that_python_calls_private_is_public_here(address: IPv4Address) -> None:
    if not address.is_global or address.is_multicast:
        assert not is_public(address)


@given(st.ip_addresses(v=6))
def test_no_v6_address_that_python_calls_private_is_public_here(address: IPv6Address) -> None:
    if not address.is_global or address.is_multicast:
        # 2001::/23 is refused whole, even the few parts that the registry calls reachable.
        assert not is_public(address)


@given(st.ip_addresses(v=4))
def test_no_embedding_of_an_ipv4_address_passes(address: IPv4Address) -> None:
    value = int(address)
    for embedded in (
        value,
        0xFFFF << 32 | value,
        0xFFFF << 48 | value,
        0x64FF9B << 96 | value,
        0x2002 << 112 | value << 80,
        0x20010000 << 96 | value,
    ):
        assert not is_public(IPv6Address(embedded))


@pytest.mark.parametrize("network", [*NOT_PUBLIC_V4, *NOT_PUBLIC_V6], ids=str)
def test_first_and_last_address_of_each_hole_are_refused(
    network: IPv4Network | IPv6Network,
) -> None:
    assert not is_public(network[0])
    assert not is_public(network[-1])
