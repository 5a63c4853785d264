"""The guard says whether an address belongs to the public Internet. Everything else is refused.

Our own list, because ``ipaddress.is_global`` changes between Python versions and lets through NAT64, ``::/96``,
site-local, 6to4 and multicast (security.md M4). Sources: IANA special-purpose registries for IPv4 and IPv6.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_CLOSED_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; one cloud's metadata is 100.100.100.200
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's control plane behind a public-looking address
        "169.254.0.0/16",  # link-local: metadata of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # IETF; metadata of one cloud is 192.0.0.192
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_PUBLIC_6 = IPv6Network("2000::/3")
"""All that was ever given out as global unicast; loopback, ULA, link-local, fec0 and multicast lie outside."""
_CLOSED_6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # IETF: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "3fff::/20",  # documentation
    )
)
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
# ISATAP (RFC 5214): an interface identifier of [02]00:5efe and then an IPv4 address, under any prefix.
_ISATAP = (0x00005EFE, 0x02005EFE)


def allowed(text: str) -> bool:
    """Whether a resolved address, as ``getaddrinfo`` spells it, may be connected to. Scoped ones (``%eth0``) never."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv4Address):
        return _public_4(address)
    return not address.scope_id and _public_6(address)


def _public_4(address: IPv4Address) -> bool:
    return not any(address in network for network in _CLOSED_4)


def _public_6(address: IPv6Address) -> bool:
    # An IPv6-only network reaches public IPv4 hosts through these two; what is inside decides.
    if address in _MAPPED or address in _NAT64:
        return _public_4(IPv4Address(int(address) & 0xFFFFFFFF))
    if address not in _PUBLIC_6 or any(address in network for network in _CLOSED_6):
        return False
    return (int(address) >> 32) & 0xFFFFFFFF not in _ISATAP
