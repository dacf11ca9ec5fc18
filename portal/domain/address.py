"""Which IP addresses the relay may dial: a frozen copy of IANA's special-purpose registries.

Python's ``is_global`` changes with the interpreter and calls 17 of 39 odd addresses public on ours
(Azure's wire server, NAT64 of loopback, 6to4, site-local…), so the table is our own and everything
that is not plainly public is refused. Nothing embedded is unwrapped: an IPv4 address inside an
IPv6 one (mapped, compatible, SIIT, NAT64, 6to4, Teredo) is refused whatever it holds.

Source: IANA IPv4 Special-Purpose Address Registry and IPv6 Special-Purpose Address Registry, the
IPv4 and IPv6 multicast registries and the IPv6 address space (2000::/3 is all that is unicast and
global), as of 2026-11; the clouds' metadata addresses that lie in public space are added.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

NOT_PUBLIC_V4: Final = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network, RFC 791
        "10.0.0.0/8",  # private use, RFC 1918
        "100.64.0.0/10",  # shared address space (CGNAT), RFC 6598
        "127.0.0.0/8",  # loopback, RFC 1122
        "168.63.129.16/32",  # Azure's wire server and DNS: public space, private meaning
        "169.254.0.0/16",  # link-local, RFC 3927; cloud metadata
        "172.16.0.0/12",  # private use, RFC 1918
        "192.0.0.0/24",  # IETF protocol assignments, RFC 6890; Oracle's metadata is .192
        "192.0.2.0/24",  # documentation, RFC 5737
        "192.31.196.0/24",  # AS112, RFC 7535: an anycast sink, never a provider
        "192.52.193.0/24",  # AMT, RFC 7450
        "192.88.99.0/24",  # 6to4 relay anycast, deprecated by RFC 7526
        "192.168.0.0/16",  # private use, RFC 1918
        "192.175.48.0/24",  # direct delegation AS112, RFC 7534
        "198.18.0.0/15",  # benchmarking, RFC 2544
        "198.51.100.0/24",  # documentation, RFC 5737
        "203.0.113.0/24",  # documentation, RFC 5737
        "224.0.0.0/4",  # multicast, RFC 5771
        "240.0.0.0/4",  # reserved, RFC 1112; limited broadcast, RFC 919
    )
)

PUBLIC_V6: Final = IPv6Network("2000::/3")
"""IANA has assigned global unicast addresses from here only."""

NOT_PUBLIC_V6: Final = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # IETF protocol assignments, RFC 2928: Teredo, ORCHID, benchmarking, drone ids
        "2001:db8::/32",  # documentation, RFC 3849
        "2002::/16",  # 6to4, RFC 3056: embeds any IPv4 address
        "2620:4f:8000::/48",  # direct delegation AS112, RFC 7534
        "3fff::/20",  # documentation, RFC 9637
    )
)
"""The holes inside 2000::/3; what lies outside it is refused without being listed."""


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether ``address`` is plainly a public unicast address that a provider may have.

    An IPv6 address with a scope id never is.
    """
    if isinstance(address, IPv4Address):
        return not any(address in network for network in NOT_PUBLIC_V4)
    if address.scope_id is not None:
        return False
    return address in PUBLIC_V6 and not any(address in network for network in NOT_PUBLIC_V6)
