"""Products, members, keys, tokens and activity from the command line."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from .terminal.client import connect
from .terminal.printing import show as show  # the other apps' commands take it from here

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(root: typer.Typer, group: Callable[[str], typer.Typer]) -> None:
    group("product").command("add")(add_product)
    group("product").command("list")(list_products)
    group("product").command("vision")(set_vision)
    group("member").command("list")(list_members)
    group("member").command("remove")(remove_member)
    group("member").command("invite")(invite_member)
    group("member").command("invitations")(list_invitations)
    group("member").command("withdraw")(revoke_invitation)
    group("environment").command("add")(add_environment)
    group("environment").command("list")(list_environments)
    group("environment").command("remove")(remove_environment)
    group("key").command("add")(add_key)
    group("key").command("list")(list_keys)
    group("key").command("revoke")(revoke_key)
    group("token").command("add")(add_token)
    group("token").command("list")(list_tokens)
    group("token").command("revoke")(revoke_token)
    root.command("activity")(activity)
    root.command("undo")(undo)


def add_product(
    name: Annotated[str, typer.Argument(help="What people call it.")],
    slug: Annotated[str, typer.Option(help="Short name for addresses.")] = "",
    vision: Annotated[str, typer.Option(help="One sentence, shown wherever work starts.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a product; you own it."""
    made = connect().post("/products", {"name": name, "slug": slug, "vision": vision})
    show(made, as_json, f"{made['name']} is there. Its short name is {made['slug']}.")


def list_products(as_json: AsJson = False) -> None:
    """The products you belong to."""
    products = connect().get("/products")
    show(products, as_json, *(f"{product['slug']:20} {product['name']}" for product in products))


def set_vision(
    sentence: Annotated[str, typer.Argument(help="Whose life gets better, and how.")],
    as_json: AsJson = False,
) -> None:
    """Say the product's vision in one sentence."""
    client = connect()
    product = client.patch(f"/products/{client.product}", {"vision": sentence})
    show(product, as_json, f"{product['name']}: {product['vision']}")


def list_members(as_json: AsJson = False) -> None:
    """Who belongs to the product."""
    client = connect()
    members = client.get(f"/products/{client.product}/members")
    show(members, as_json, *(f"{member['email']:32} {member['role']:12} {member['discipline']}" for member in members))


def remove_member(
    email: Annotated[str, typer.Argument(help="Whose membership ends; what they wrote stays.")],
    revoke_keys: Annotated[bool, typer.Option("--revoke-keys", help="Close the keys that they made, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let somebody see the product no more. Says which open keys they made: those stay the product's."""
    client = connect()
    here = f"/products/{client.product}"
    member = next((one for one in client.get(f"{here}/members") if one["email"] == email.strip().lower()), None)
    if member is None:
        raise typer.BadParameter(f"{email} is no member. `whytree member list` shows who is.")
    keys = [key for key in client.get(f"{here}/keys") if key["made_by"] == member["user_id"] and not key["revoked_at"]]
    client.delete(f"{here}/members/{member['user_id']}" + ("?revoke_keys=true" if revoke_keys else ""))
    state = "is closed." if revoke_keys else "is still open: whytree key revoke {id}"
    told = (f"{key['prefix']}… ({key['name']}), which they made, {state.format(id=key['id'])}" for key in keys)
    show(
        {"removed": email, "keys": keys, "keys_revoked": revoke_keys}, as_json, f"{email} can no longer see it.", *told
    )


def invite_member(
    role: Annotated[str, typer.Argument(help="viewer, member, maintainer or owner")] = "member",
    email: Annotated[
        str, typer.Option(help="Who it is meant for; by a verified one the OpenID provider lets in.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Make a link that lets somebody join, once, within 14 days."""
    client = connect()
    made = client.post(f"/products/{client.product}/invitations", {"role": role, "email": email})
    show(made, as_json, made["link"])


def list_invitations(as_json: AsJson = False) -> None:
    """Invitations whose link still works."""
    client = connect()
    rows = client.get(f"/products/{client.product}/invitations")
    lines = (f"{row['id']:>4}  {row['role']:12} until {row['expires_at'][:10]}  {row['email']}" for row in rows)
    show(rows, as_json, *lines)


def revoke_invitation(
    invitation_id: Annotated[int, typer.Argument(help="Its number in `whytree member invitations`.")],
    as_json: AsJson = False,
) -> None:
    """Make an invitation's link useless."""
    client = connect()
    client.delete(f"/products/{client.product}/invitations/{invitation_id}")
    show({"id": invitation_id}, as_json, "That link opens nothing any more.")


def add_environment(
    key: Annotated[str, typer.Argument(help="As staging or development.")], as_json: AsJson = False
) -> None:
    """One more environment beside production. Every flag answers there as in production until you change it there."""
    client = connect()
    made = client.post(f"/products/{client.product}/environments", {"key": key})
    show(made, as_json, f"{made['key']} is there. Its first key: whytree key add server --environment {made['key']}")


def list_environments(as_json: AsJson = False) -> None:
    """Production and those beside it."""
    client = connect()
    found = client.get(f"/products/{client.product}/environments")
    show(found, as_json, *(one["key"] for one in found))


def remove_environment(
    key: Annotated[str, typer.Argument(help="As staging or development.")], as_json: AsJson = False
) -> None:
    """Take an environment away, with what flags answered there. Its keys must be revoked first."""
    client = connect()
    client.delete(f"/products/{client.product}/environments/{key}")
    show({"removed": key}, as_json, f"{key} is gone.")


def add_key(
    kind: Annotated[str, typer.Argument(help="capture (public, can only send) or server")],
    name: Annotated[str, typer.Option(help="To recognise it by.")] = "",
    secret: Annotated[
        str, typer.Option(metavar="KEY", help="Take this capture key, which your clients have already, as phc_...")
    ] = "",
    environment: Annotated[str, typer.Option(help="Where its flags are answered, as staging.")] = "production",
    scope: Annotated[
        list[str] | None, typer.Option(help="What a server key may do: events, read, write; left out: everything.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key; it is shown only now."""
    client = connect()
    body = {"kind": kind, "name": name, "secret": secret, "environment": environment, "scopes": scope or []}
    made = client.post(f"/products/{client.product}/keys", body)
    show(made, as_json, made["secret"])


def list_keys(as_json: AsJson = False) -> None:
    """Keys of the product, by their first characters."""
    client = connect()
    _show_keys(client.get(f"/products/{client.product}/keys"), as_json)


def _show_keys(keys: list[dict[str, Any]], as_json: bool) -> None:
    states = {True: "revoked", False: "open"}
    show(
        keys,
        as_json,
        *(
            f"{key['id']:>4}  {key['prefix']}…  {key['kind']:9} {states[bool(key['revoked_at'])]:8} {key['name']}"
            for key in keys
        ),
    )


def revoke_key(
    key_id: Annotated[int, typer.Argument(help="Its number in `whytree key list`.")], as_json: AsJson = False
) -> None:
    """Close a key for good."""
    client = connect()
    key = client.delete(f"/products/{client.product}/keys/{key_id}")
    show(key, as_json, f"{key['prefix']}… is closed.")


def add_token(
    name: Annotated[str, typer.Option(help="To recognise it by.")] = "",
    scope: Annotated[list[str] | None, typer.Option(help="read, write; left out: everything you may do.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a personal token that acts as you; it is shown only now."""
    made = connect().post("/tokens", {"name": name, "scopes": scope or []})
    show(made, as_json, made["secret"])


def list_tokens(as_json: AsJson = False) -> None:
    """Your personal tokens, by their first characters."""
    _show_keys(connect().get("/tokens"), as_json)


def revoke_token(
    key_id: Annotated[int, typer.Argument(help="Its number in `whytree token list`.")], as_json: AsJson = False
) -> None:
    """Close one of your tokens for good."""
    key = connect().delete(f"/tokens/{key_id}")
    show(key, as_json, f"{key['prefix']}… is closed.")


def activity(
    limit: Annotated[int, typer.Option(help="How many, newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Who did what."""
    client = connect()
    rows = client.get(f"/products/{client.product}/activity", limit=limit)
    show(
        rows,
        as_json,
        *(
            f"{row['at'][:16].replace('T', ' ')}  {row['id']:>6}  {row['actor']} {row['verb'].replace('_', ' ')} {row['subject_label']}"
            for row in rows
        ),
    )


def undo(
    activity_id: Annotated[int, typer.Argument(help="Its number in `whytree activity`; left out: the latest.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Take back your own last act."""
    client = connect()
    if not activity_id:
        me = client.get("/me")["name"]
        names = {me, f"{me} (agent)"}
        own = [row for row in client.get(f"/products/{client.product}/activity") if row["actor"] in names]
        if not own:
            raise typer.BadParameter("There is nothing of yours to take back.")
        activity_id = own[0]["id"]
    row = client.post(f"/products/{client.product}/activity/{activity_id}/undo")
    show(row, as_json, f"Taken back: {row['subject_label']}.")
