"""Who is who depends on what was said, never on the order it arrived in."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from whytree.people.merging import MOST_IDS, Edge, EdgeKind, Resolution, resolve

START = datetime(2026, 1, 1, tzinfo=UTC)


def _number(name: str) -> int:
    return sum(ord(letter) * 257**place for place, letter in enumerate(name))


def edge(
    kind: EdgeKind, one: str, other: str, hour: int = 0, *, trusted: bool = False, said: int | None = None
) -> Edge:
    """`hour` is the time it speaks of, `said` when it was recorded."""
    (first, first_id), (second, second_id) = sorted(((_number(one), one), (_number(other), other)))
    at = START + timedelta(hours=hour)
    recorded_at = START + timedelta(hours=hour if said is None else said)
    return Edge(kind, first, second, first_id, second_id, trusted, at, recorded_at, recorded_at)


def link(one: str, other: str, hour: int = 0, *, trusted: bool = False, said: int | None = None) -> Edge:
    return edge(EdgeKind.LINK, one, other, hour, trusted=trusted, said=said)


def known(name: str, hour: int = 0) -> Edge:
    return edge(EdgeKind.KNOWN, name, name, hour)


def groups(resolution: Resolution) -> dict[str, str]:
    """Id -> main id, as text."""
    return {resolution.names[one]: resolution.names[main] for one, main in resolution.canonical.items()}


def test_a_device_joins_the_person_who_signed_in_on_it() -> None:
    assert groups(resolve([known("alice"), link("phone", "alice")])) == {"alice": "alice", "phone": "alice"}


def test_devices_chain_to_one_person() -> None:
    found = groups(resolve([known("alice"), link("phone", "alice", 1), link("laptop", "alice", 2)]))
    assert set(found.values()) == {"alice"}


def test_a_person_goes_by_the_known_id_seen_first() -> None:
    edges = [known("new", 5), known("old", 1), link("old", "new", 6, trusted=True)]
    assert set(groups(resolve(edges)).values()) == {"old"}


def test_without_a_known_id_the_first_seen_counts() -> None:
    assert set(groups(resolve([link("phone", "laptop", 1), link("laptop", "tablet", 2)])).values()) == {"laptop"}


def test_two_known_people_are_not_joined_by_a_public_key() -> None:
    found = resolve([known("alice"), known("bob"), link("alice", "bob", 3)])
    assert groups(found) == {"alice": "alice", "bob": "bob"}
    assert [refused.pair for refused in found.refused] == [link("alice", "bob").pair]


def test_two_known_people_are_joined_by_a_server_key() -> None:
    found = resolve([known("alice", 1), known("bob", 2), link("alice", "bob", 3, trusted=True)])
    assert set(groups(found).values()) == {"alice"}
    assert found.refused == ()


def test_a_shared_device_belongs_to_who_used_it_first() -> None:
    edges = [known("alice"), known("bob"), link("kiosk", "bob", 9), link("kiosk", "alice", 2)]
    assert groups(resolve(edges)) == {"alice": "alice", "bob": "bob", "kiosk": "alice"}


def test_a_link_dated_back_takes_no_device_from_whom_we_knew_to_use_it() -> None:
    honest, forged = link("phone", "alice", 5), link("phone", "mallory", hour=-9_999, said=6)
    assert groups(resolve([known("alice"), known("mallory"), forged, honest]))["phone"] == "alice"


def test_a_link_said_again_and_again_keeps_its_place() -> None:
    again = replace(link("phone", "alice", 1), recorded_at=START + timedelta(hours=99))
    assert groups(resolve([known("alice"), known("bob"), link("phone", "bob", 50), again]))["phone"] == "alice"


def test_public_keys_tie_a_thousand_ids_to_a_person_and_not_one_more() -> None:
    edges = [known("alice"), *(link("alice", f"device {number}", number) for number in range(MOST_IDS + 50))]
    found = resolve(edges)
    assert sum(main == "alice" for main in groups(found).values()) == MOST_IDS
    assert groups(found)["device 0"] == "alice"
    assert groups(found)[f"device {MOST_IDS - 2}"] == "alice"
    assert len(found.crowded) == 51
    assert found.refused == ()


def test_a_chain_of_made_up_ids_falls_into_pieces() -> None:
    found = resolve([link(f"id {number}", f"id {number + 1}", number) for number in range(5 * MOST_IDS)])
    assert max(Counter(found.canonical.values()).values()) == MOST_IDS


def test_a_server_key_and_a_human_may_join_more() -> None:
    edges = [known("alice"), *(link("alice", f"device {number}", number) for number in range(MOST_IDS + 50))]
    sure = [link("alice", "laptop", 9_999, trusted=True), edge(EdgeKind.JOIN, "alice", "tablet", 9_999)]
    found = groups(resolve([*edges, *sure]))
    assert found["laptop"] == found["tablet"] == "alice"


def test_a_device_between_two_known_people_never_joins_them() -> None:
    edges = [known("alice"), known("bob"), link("phone", "alice", 1), link("phone", "bob", 2)]
    found = groups(resolve(edges))
    assert found["alice"] != found["bob"]


def test_a_parted_pair_stays_parted_whatever_arrives_later() -> None:
    parted = edge(EdgeKind.PART, "phone", "alice", 5, said=5)
    found = groups(resolve([known("alice"), link("phone", "alice", 1), parted, link("phone", "alice", 9)]))
    assert found["phone"] == "phone"


def test_the_later_word_of_a_human_counts() -> None:
    parted = edge(EdgeKind.PART, "alice", "bob", 5, said=5)
    joined = edge(EdgeKind.JOIN, "alice", "bob", 6, said=6)
    both_known = [known("alice", 1), known("bob", 2)]
    assert len(set(groups(resolve([*both_known, parted, joined])).values())) == 1
    again = edge(EdgeKind.PART, "alice", "bob", 7, said=7)
    assert len(set(groups(resolve([*both_known, parted, joined, again])).values())) == 2


IDS = st.sampled_from(["a", "b", "c", "d", "e"])
EDGES = st.lists(
    st.one_of(
        st.builds(known, IDS, st.integers(0, 9)),
        st.tuples(IDS, IDS, st.integers(0, 9), st.booleans())
        .filter(lambda parts: parts[0] != parts[1])
        .map(lambda parts: link(parts[0], parts[1], parts[2], trusted=parts[3])),
        st.tuples(st.sampled_from([EdgeKind.PART, EdgeKind.JOIN]), IDS, IDS, st.integers(0, 9))
        .filter(lambda parts: parts[1] != parts[2])
        .map(lambda parts: edge(*parts)),
    ),
    max_size=12,
)


@settings(max_examples=300, deadline=None)
@given(edges=EDGES, data=st.data())
def test_the_order_of_arrival_does_not_matter(edges: list[Edge], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(edges))
    assert groups(resolve(edges)) == groups(resolve(shuffled))


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_when_honest_links_are_heard_does_not_matter(data: st.DataObject) -> None:
    """Every device has one owner: offline phones, retries and slow batches come to the same."""
    owners = data.draw(st.dictionaries(st.sampled_from(["phone", "laptop", "tablet", "tv"]), st.sampled_from("ab")))
    hours = st.integers(0, 9)
    links = [link(device, owner, data.draw(hours), said=data.draw(hours)) for device, owner in owners.items()]
    edges = data.draw(st.permutations([known("a"), known("b"), *links]))
    assert groups(resolve(edges)) == {"a": "a", "b": "b", **owners}


@settings(max_examples=300, deadline=None)
@given(edges=EDGES)
def test_known_people_are_only_ever_joined_by_someone_who_may(edges: list[Edge]) -> None:
    public = [one for one in edges if not one.trusted and one.kind is not EdgeKind.JOIN]
    found = resolve(public)
    known_ids = {one.one for one in public if one.kind is EdgeKind.KNOWN}
    mains = [found.canonical[person] for person in known_ids]
    assert len(mains) == len(set(mains))


@settings(max_examples=200, deadline=None)
@given(edges=EDGES)
def test_every_main_id_counts_as_itself(edges: list[Edge]) -> None:
    canonical = resolve(edges).canonical
    assert all(canonical[main] == main for main in canonical.values())
