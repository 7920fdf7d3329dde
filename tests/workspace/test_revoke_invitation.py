"""An invitation can be taken back while nobody has used it."""

from typing import Any

import pytest
from django.test import Client

from whytree.workspace import services

pytestmark = pytest.mark.django_db


def test_a_withdrawn_link_opens_nothing(as_alice: Client, actor: Any, product: Any) -> None:
    invitation, token = services.invite_member(actor, product, role="member")
    assert Client().get(f"/invite/{token}").status_code == 200
    assert "Withdraw" in as_alice.get("/p/sprout/settings/members").content.decode()
    assert as_alice.post(f"/p/sprout/settings/invitations/{invitation.pk}/revoke").status_code == 302
    assert Client().get(f"/invite/{token}").status_code == 404


def test_only_owners_withdraw(as_bob: Client, api_bob: Any, api_charlie: Any, actor: Any, product: Any) -> None:
    invitation, token = services.invite_member(actor, product, role="member")
    assert as_bob.post(f"/p/sprout/settings/invitations/{invitation.pk}/revoke").status_code == 403
    assert api_bob.delete(f"/products/sprout/invitations/{invitation.pk}").status == 403
    assert api_charlie.delete(f"/products/sprout/invitations/{invitation.pk}").status == 404
    assert Client().get(f"/invite/{token}").status_code == 200


def test_the_api_lists_and_withdraws(api: Any, actor: Any, product: Any) -> None:
    services.invite_member(actor, product, role="viewer", email="new@example.org")
    (row,) = api.get("/products/sprout/invitations").ok
    assert (row["email"], row["role"]) == ("new@example.org", "viewer")
    assert api.delete(f"/products/sprout/invitations/{row['id']}").status == 204
    assert api.get("/products/sprout/invitations").ok == []
    assert api.delete(f"/products/sprout/invitations/{row['id'] + 1}").status == 404
