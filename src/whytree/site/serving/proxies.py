"""Who asks, when a proxy stands in front: believed only from the proxy named by `WHYTREE_TRUSTED_PROXY`.

Anybody can send `X-Forwarded-For`. Taken from everybody, it would let a guesser of passwords be a new address with each
guess; taken from nobody, all people behind the proxy would share its address, and one guesser would lock them all out.
"""

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

Address = IPv4Address | IPv6Address


class BehindProxy:
    """A WSGI application that sees the asker's own address and scheme; the proxy's headers go no further."""

    def __init__(self, application: Callable[..., Any], trusted: Iterable[str]) -> None:
        self._application = application
        self._trusted = [ip_network(each) for each in trusted]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        hops = environ.pop("HTTP_X_FORWARDED_FOR", "")
        scheme = environ.pop("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip().lower()
        peer = _address(environ.get("REMOTE_ADDR", ""))
        if peer is not None and self._is_trusted(peer):
            environ["REMOTE_ADDR"] = str(self._asker(peer, hops))
            if scheme in {"http", "https"}:
                environ["wsgi.url_scheme"] = scheme
        return self._application(environ, start_response)

    def _asker(self, peer: Address, hops: str) -> Address:
        """Each proxy appends whom it heard from, so the last one that is no proxy of ours is as far as we can know."""
        asker = peer
        for hop in reversed(hops.split(",")):
            said = _address(hop.strip())
            if said is None:
                break
            asker = said
            if not self._is_trusted(said):
                break
        return asker

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def _address(text: str) -> Address | None:
    """192.0.2.1, 192.0.2.1:4711, 2001:db8::1 or [2001:db8::1]:4711, as proxies write them; None for anything else."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found  # a server on :: sees IPv4 as ::ffff:192.0.2.1
