"""Anonymous and known ids become one person, through the doors that clients use."""

from typing import Any

import pytest
from django.utils import timezone

from tests.events.conftest import Sender, track
from whytree.errors import NotFound
from whytree.people import services
from whytree.people.identity import person_hash
from whytree.people.merging import MOST_IDS
from whytree.people.models import Person
from whytree.people.queries import find_person
from whytree.stores.events import EventStore
from whytree.stores.pieces.sql import PERSON

pytestmark = pytest.mark.django_db


def identify(user: str, anonymous: str | None = None, **traits: Any) -> dict[str, Any]:
    message = {"type": "identify", "userId": user, "traits": traits, "messageId": f"{user}-{anonymous}-{traits}"}
    return message | ({"anonymousId": anonymous} if anonymous else {})


def alias(previous: str, user: str) -> dict[str, Any]:
    return {"type": "alias", "previousId": previous, "userId": user, "messageId": f"{previous}-{user}"}


def visit(anonymous: str, **fields: Any) -> dict[str, Any]:
    return track("visited", None, anonymousId=anonymous, **fields)


def _people(store: EventStore) -> int:
    """How many people queries see behind all events that are not about identity."""
    return int(store.value(f"SELECT uniqExact({PERSON}) AS n FROM events WHERE event NOT LIKE '$%'"))


def test_what_somebody_did_before_signing_in_becomes_theirs(web: Sender, store: EventStore, product: Any) -> None:
    web.batch(visit("anon-1"), visit("anon-1"))
    web.batch(identify("alice", "anon-1", email="alice@example.org"))
    web.batch(track("bought", "alice"))
    assert _people(store) == 1
    person = find_person(product, "anon-1")
    assert person.key == "alice"
    assert person.label == "alice@example.org"
    assert set(person.ids) == {"alice", "anon-1"}
    assert person.seen is not None
    assert person.seen.events == 3


def test_the_order_in_which_calls_arrive_does_not_matter(web: Sender, store: EventStore, product: Any) -> None:
    web.batch(track("bought", "alice"))
    web.batch(identify("alice", "anon-1"))
    web.batch(visit("anon-1", timestamp="2026-01-01T00:00:00Z"))
    assert _people(store) == 1


def test_any_call_with_both_ids_joins_them(web: Sender, store: EventStore) -> None:
    web.batch(visit("anon-1"))
    web.batch(track("bought", "alice", anonymousId="anon-1"))
    assert _people(store) == 1


def test_two_devices_of_one_person_are_one(web: Sender, store: EventStore) -> None:
    web.batch(visit("phone"), visit("laptop"), identify("alice", "phone"), identify("alice", "laptop"))
    assert _people(store) == 1


def test_an_alias_joins_a_device(web: Sender, store: EventStore) -> None:
    web.batch(visit("anon-1"), alias("anon-1", "alice"), track("bought", "alice"))
    assert _people(store) == 1


def test_two_known_people_are_not_joined_with_a_public_key(web: Sender, store: EventStore, product: Any) -> None:
    web.batch(identify("alice"), identify("bob"), track("a", "alice"), track("b", "bob"))
    for _ in range(2):
        assert web.batch(alias("bob", "alice")).status == 200
    assert _people(store) == 2
    refused = store.query("SELECT kind, reason FROM quarantine")
    assert len(refused) == 1
    assert refused[0]["kind"] == "merge"
    assert "two known people" in refused[0]["reason"]


def test_a_link_dated_back_with_a_public_key_takes_no_device(web: Sender, store: EventStore, product: Any) -> None:
    web.batch(identify("alice", "phone"), identify("mallory"))
    web.batch({**identify("mallory", "phone"), "timestamp": "2020-01-01T00:00:00Z"})
    web.batch(identify("alice", "phone", plan="pro"))  # said again, later: what was said first still counts
    assert find_person(product, "phone").key == "alice"


def test_a_crowd_of_made_up_ids_stays_apart_and_is_shown_once(web: Sender, store: EventStore, product: Any) -> None:
    for start in range(0, MOST_IDS + 200, 400):
        web.batch(*(identify("mallory", f"made-up-{number}") for number in range(start, start + 400)))
    assert len(find_person(product, "mallory").ids) == MOST_IDS
    refused = store.query("SELECT kind, reason FROM quarantine")
    assert len(refused) == 1
    assert "more than 1,000 ids" in refused[0]["reason"]


def test_a_crowd_does_not_hide_that_somebody_is_known(
    web: Sender, store: EventStore, product: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is looked at last, because a stranger tied them to a crowd, is still who they are."""
    monkeypatch.setattr("whytree.stores.identity.people.MOST_LINKS", 5)
    web.batch(identify("victim", "victims-phone"))
    web.batch(alias("victim", "made-up"), *(alias(f"made-up-{number}", "made-up") for number in range(20)))
    web.batch(visit("made-up"), alias("made-up-99", "made-up"))
    assert find_person(product, "victims-phone").key == "victim"
    assert find_person(product, "victim").key == "victim"


def test_two_known_people_are_joined_with_a_server_key(
    web: Sender, backend: Sender, store: EventStore, product: Any
) -> None:
    web.batch(identify("alice", email="a@example.org"), identify("bob", plan="pro"))
    web.batch(track("a", "alice"), track("b", "bob"))
    backend.batch(alias("bob", "alice"))
    assert _people(store) == 1
    person = find_person(product, "bob")
    assert person.profile is not None
    assert (person.profile.email, person.profile.plan) == ("a@example.org", "pro")


def test_an_anonymous_visitor_who_alias_somebody_elses_account_gains_nothing(
    web: Sender, store: EventStore, product: Any
) -> None:
    web.batch(track("secret", "victim"))
    web.batch(identify("attacker", "anon-9"), alias("victim", "attacker"), alias("victim", "anon-9"))
    assert find_person(product, "victim").key == "victim"


@pytest.mark.parametrize("nobody", ["undefined", "null", "anonymous", "0", "[object Object]"])
def test_ids_that_mean_nobody_join_nobody(web: Sender, store: EventStore, nobody: str) -> None:
    web.batch(track("a", nobody, anonymousId="anon-1"), track("b", nobody, anonymousId="anon-2"))
    web.batch(alias(nobody, "alice"), track("c", "alice"))
    assert _people(store) == 3


def test_the_same_ids_in_two_products_are_different_people() -> None:
    assert person_hash(1, "alice") != person_hash(2, "alice")
    assert person_hash(1, "alice") == person_hash(1, "alice")


def test_a_merge_can_be_taken_back_and_made_again(web: Sender, store: EventStore, product: Any, actor: Any) -> None:
    web.batch(visit("anon-1"), identify("alice", "anon-1", email="a@example.org"), track("bought", "alice"))
    services.separate(actor, product, "alice", "anon-1")
    assert _people(store) == 2
    web.batch(identify("alice", "anon-1", plan="pro"))
    assert _people(store) == 2, "the same link again must not undo what a human decided"
    services.join(actor, product, "alice", "anon-1")
    assert _people(store) == 1
    assert set(find_person(product, "anon-1").ids) == {"alice", "anon-1"}


def test_parting_two_accounts_gives_each_its_profile_back(
    web: Sender, backend: Sender, store: EventStore, product: Any, actor: Any
) -> None:
    web.batch(identify("alice", email="a@example.org"), identify("bob", email="b@example.org"))
    backend.batch(alias("bob", "alice"))
    services.separate(actor, product, "alice", "bob")
    labels = {find_person(product, key).label for key in ("alice", "bob")}
    assert labels == {"a@example.org", "b@example.org"}


def test_only_an_id_of_the_person_can_be_parted_from_them(
    web: Sender, store: EventStore, product: Any, actor: Any
) -> None:
    web.batch(identify("alice", "anon-1"), identify("bob"))
    with pytest.raises(NotFound):
        services.separate(actor, product, "alice", "bob")


def test_traits_arriving_out_of_order_leave_the_newest(web: Sender, store: EventStore, product: Any) -> None:
    web.batch({**identify("alice", plan="pro", name="Alice B"), "timestamp": "2026-03-01T00:00:00Z"})
    web.batch({**identify("alice", plan="free", email="a@example.org"), "timestamp": "2026-02-01T00:00:00Z"})
    person = Person.objects.get(product=product, key="alice")
    assert (person.plan, person.name, person.email) == ("pro", "Alice B", "a@example.org")


def test_traits_dated_ahead_are_not_the_last_that_is_heard_of_somebody(web: Sender, product: Any) -> None:
    """Anybody may say anything of anybody with a public key, but what is said later still counts."""
    web.batch(identify("alice", plan="made up") | {"timestamp": f"{timezone.now().year + 8}-01-01T00:00:00Z"})
    web.batch(identify("alice", plan="pro"))
    alice = Person.objects.get(product=product, key="alice")
    assert alice.plan == "pro"
    assert alice.last_seen_at <= timezone.now()


def test_group_calls_say_the_company(web: Sender, store: EventStore, product: Any) -> None:
    web.batch(
        identify("alice", firstName="Alice", lastName="Berg"),
        {"type": "group", "userId": "alice", "groupId": "g1", "traits": {"name": "Acme"}, "messageId": "g"},
    )
    person = Person.objects.get(product=product, key="alice")
    assert (person.name, person.company) == ("Alice Berg", "Acme")


def test_feedback_makes_a_person_who_is_the_same_when_they_sign_up(
    web: Sender, store: EventStore, product: Any
) -> None:
    services.ensure_person(product, "anon-1", email="a@example.org")
    web.batch(visit("anon-1"), identify("alice", "anon-1"))
    person = find_person(product, "anon-1")
    assert person.key == "alice"
    assert person.label == "a@example.org"
    assert services.ensure_person(product, "anon-1") == person.profile


def test_what_a_crash_left_unfollowed_is_followed_at_the_next_start(
    web: Sender, store: EventStore, product: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from whytree.events.durable import follow

    web.batch(track("first", "zoe"))
    with monkeypatch.context() as crash:
        crash.setattr(follow.Follower, "note", lambda *_: None)
        web.batch(visit("anon-1"), identify("alice", "anon-1", email="a@example.org"), track("bought", "alice"))
    assert _people(store) == 3
    follow.stop_following()
    web.batch(track("later", "zoe"))
    assert _people(store) == 2
    assert Person.objects.get(product=product, key="alice").email == "a@example.org"
