"""How often one address may knock at a door that anybody may use. Counted in this process."""

from ipaddress import IPv6Address, ip_address, ip_network

from django.core.cache import caches

from whytree.errors import TooMany

counts = caches["counts"]
ONE_HOLDER = 64  # leading bits of an IPv6 address: who has one has all that begin like it


def keep_pace(door: str, address: str, *, most: int, seconds: int) -> None:
    """Count one knock. Raises `TooMany` beyond `most` within `seconds`."""
    if count_within(f"pace:{door}:{holder_of(address)}", seconds) > most:
        raise TooMany("That is more than one place may send. Wait a while and send it again.", retry_after=seconds)


def count_within(key: str, seconds: int) -> int:
    """How many times this was counted since the first time, which is forgotten after so many seconds."""
    counts.add(key, 0, seconds)
    try:
        return counts.incr(key)
    except ValueError:  # it ran out, or was thrown out, in between
        counts.set(key, 1, seconds)
        return 1


def holder_of(address: str) -> str:
    """The network of an IPv6 address, for whom it is one customer's; else the address, or whatever stands for one."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ip_network((int(parsed), ONE_HOLDER), strict=False))
