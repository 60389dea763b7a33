"""Which addresses of replicas are believed: pure.

Whoever has a sidecar's Redis login may write what he likes into a provider's group. So a replica is
a bare IP address and a port, and never this machine itself or a cloud's metadata service; but where
the provider's own address is this machine's, as in local mode, its replicas may be there too.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address

from yarl import URL

Address = IPv4Address | IPv6Address


def usable(address: str, base_url: str) -> bool:
    """Whether requests for the provider at `base_url` may go to this replica."""
    try:
        url = URL(address)
        found = ip_address(url.host or "")
        bare = url.explicit_port is not None and url == url.origin()
    except ValueError:
        return False
    if url.scheme != URL(base_url).scheme or not bare:
        return False
    if found.is_loopback:
        return _is_local(base_url)
    return not (found.is_link_local or found.is_multicast or found.is_unspecified)


def _is_local(base_url: str) -> bool:
    host = URL(base_url).host or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
