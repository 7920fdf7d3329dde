"""Accounts, products, members, keys and activity over REST."""

from datetime import datetime
from typing import Any

from django.http import StreamingHttpResponse
from ninja import Router, Schema, Status
from pydantic import Field

from . import archive, services
from .entry import environments, keys
from .entry.doors import ApiRequest, api_product, find_product
from .entry.environments import PRODUCTION, environments_of, find_environment
from .models import Activity, Invitation, Key, Membership, Product
from .queries import open_invitations
from .records.activity import undo
from .rest import Body
from .rights.roles import Role

router = Router(tags=["Workspace"])


class ProductOut(Schema):
    slug: str
    name: str
    vision: str
    timezone: str
    created_at: datetime


class ProductIn(Body):
    name: str
    slug: str = ""
    vision: str = ""
    timezone: str = "UTC"


class ProductEdit(Body):
    name: str | None = None
    vision: str | None = None
    timezone: str | None = None


class MemberOut(Schema):
    user_id: int
    email: str
    name: str
    role: str
    discipline: str

    @staticmethod
    def of(membership: Membership) -> "MemberOut":
        user = membership.user
        return MemberOut(
            user_id=user.pk, email=user.email, name=user.name, role=membership.role, discipline=membership.discipline
        )


class MemberEdit(Body):
    role: str | None = None
    discipline: str | None = None


class InvitationIn(Body):
    role: str = Role.MEMBER.value
    email: str = ""


class InvitationOut(Schema):
    id: int
    email: str
    role: str
    created_at: datetime
    expires_at: datetime


class KeyOut(Schema):
    id: int
    kind: str
    name: str
    prefix: str
    scopes: list[str]
    environment: str
    made_by: int | None = Field(description="The user's number, in the members' list.")
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None

    @staticmethod
    def resolve_made_by(key: Any) -> int | None:
        found: int | None = key["made_by"] if isinstance(key, dict) else key.user_id
        return found

    @staticmethod
    def resolve_environment(key: Any) -> str:
        """Of a stored key, and of one that was read already."""
        found = key["environment"] if isinstance(key, dict) else key.environment
        return found if isinstance(found, str) else found.key if found else PRODUCTION


class NewKeyOut(KeyOut):
    secret: str


class KeyIn(Body):
    kind: str
    name: str = ""
    secret: str = Field("", description="A capture key that your clients have already, of the tool they send to today.")
    environment: str = Field("", description="Where its flags are answered; empty for production.")
    scopes: list[str] = Field(
        [],
        description="What a server key may do: `events` (send, evaluate flags), `read`, `write`; empty for everything.",
    )


class EnvironmentOut(Schema):
    key: str


class EnvironmentIn(Body):
    key: str = Field(description="As staging or development.")


class TokenIn(Body):
    name: str = ""
    scopes: list[str] = []


class ActivityOut(Schema):
    id: int
    at: datetime
    actor: str
    via: str
    verb: str
    subject_type: str
    subject_id: int
    subject_label: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    undoable: bool


class Me(Schema):
    user_id: int | None
    name: str
    products: list[str]


@router.get("/me", response=Me, operation_id="who_am_i")
def who_am_i(request: ApiRequest) -> Me:
    """Who the token belongs to, and the products it reaches."""
    return Me(
        user_id=request.actor.user_id,
        name=request.actor.label,
        products=[product.slug for product in _my_products(request)],
    )


def _my_products(request: ApiRequest) -> list[Product]:
    actor = request.actor
    if actor.product_id is not None:
        return list(Product.objects.filter(pk=actor.product_id))
    return list(Product.objects.filter(memberships__user_id=actor.user_id or 0).order_by("slug"))


@router.get("/products", response=list[ProductOut], operation_id="list_products")
def list_products(request: ApiRequest) -> list[Product]:
    """The products you belong to."""
    return _my_products(request)


@router.post("/products", response={201: ProductOut}, operation_id="create_product")
def create_product(request: ApiRequest, body: ProductIn) -> Status[Product]:
    """A new product; you own it."""
    product = services.create_product(
        request.actor,
        name=body.name,
        slug=body.slug,
        vision=body.vision,
        timezone_name=body.timezone,
    )
    return Status(201, product)


@router.get("/products/{product}", response=ProductOut, operation_id="get_product")
def get_product(request: ApiRequest, product: str) -> Product:
    return api_product(request, product, Role.VIEWER)


@router.patch("/products/{product}", response=ProductOut, operation_id="edit_product")
def edit_product(request: ApiRequest, product: str, body: ProductEdit) -> Product:
    """Change the name, the vision or the time zone."""
    return services.edit_product(
        request.actor,
        find_product(product),
        name=body.name,
        vision=body.vision,
        timezone_name=body.timezone,
    )


@router.get("/products/{product}/members", response=list[MemberOut], operation_id="list_members")
def list_members(request: ApiRequest, product: str) -> list[MemberOut]:
    found = api_product(request, product, Role.VIEWER)
    return [MemberOut.of(membership) for membership in found.memberships.select_related("user").order_by("user__email")]


@router.patch("/products/{product}/members/{user_id}", response=MemberOut, operation_id="set_member")
def set_member(request: ApiRequest, product: str, user_id: int, body: MemberEdit) -> MemberOut:
    """Change a member's role or discipline."""
    membership = services.set_member(
        request.actor,
        find_product(product),
        user_id,
        role=body.role,
        discipline=body.discipline,
    )
    return MemberOut.of(membership)


@router.delete("/products/{product}/members/{user_id}", response={204: None}, operation_id="remove_member")
def remove_member(request: ApiRequest, product: str, user_id: int, revoke_keys: bool = False) -> Status[None]:
    """Keys that they made stay the product's, unless `revoke_keys`; `made_by` of a key says whose those are."""
    services.remove_member(request.actor, find_product(product), user_id, revoke_keys=revoke_keys)
    return Status(204, None)


@router.post("/products/{product}/invitations", response={201: dict[str, str]}, operation_id="invite_member")
def invite_member(request: ApiRequest, product: str, body: InvitationIn) -> Status[dict[str, str]]:
    """A link that makes its bearer a member, once, within 14 days; shown only now."""
    invitation, token = services.invite_member(
        request.actor,
        find_product(product),
        role=body.role,
        email=body.email,
    )
    return Status(
        201,
        {
            "link": request.build_absolute_uri(f"/invite/{token}"),
            "role": invitation.role,
            "expires_at": invitation.expires_at.isoformat(),
        },
    )


@router.get("/products/{product}/invitations", response=list[InvitationOut], operation_id="list_invitations")
def list_invitations(request: ApiRequest, product: str) -> list[Invitation]:
    """Invitations whose link still works."""
    return list(open_invitations(api_product(request, product, Role.OWNER)))


@router.delete(
    "/products/{product}/invitations/{invitation_id}", response={204: None}, operation_id="revoke_invitation"
)
def revoke_invitation(request: ApiRequest, product: str, invitation_id: int) -> Status[None]:
    """Make an invitation's link useless."""
    services.revoke_invitation(request.actor, find_product(product), invitation_id)
    return Status(204, None)


@router.get("/products/{product}/keys", response=list[KeyOut], operation_id="list_keys")
def list_keys(request: ApiRequest, product: str) -> list[Key]:
    found = api_product(request, product, Role.MAINTAINER)
    return list(Key.objects.filter(product=found).select_related("environment").order_by("pk"))


@router.post("/products/{product}/keys", response={201: NewKeyOut}, operation_id="create_key")
def create_key(request: ApiRequest, product: str, body: KeyIn) -> Status[NewKeyOut]:
    """A capture key (public, can only send) or a server key; its secret is shown only now."""
    found = api_product(request, product, Role.MAINTAINER)
    key, secret = keys.create_key(
        request.actor,
        found,
        kind=body.kind,
        name=body.name,
        secret=body.secret,
        environment=find_environment(found, body.environment),
        scopes=body.scopes,
    )
    return Status(201, _with_secret(key, secret))


@router.delete("/products/{product}/keys/{key_id}", response=KeyOut, operation_id="revoke_key")
def revoke_key(request: ApiRequest, product: str, key_id: int) -> Key:
    """Close a key for good."""
    return keys.revoke_key(request.actor, key_id, find_product(product))


@router.get("/products/{product}/environments", response=list[EnvironmentOut], operation_id="list_environments")
def list_environments(request: ApiRequest, product: str) -> list[EnvironmentOut]:
    """Production and those beside it, in which flags have states of their own."""
    found = api_product(request, product, Role.VIEWER)
    return [EnvironmentOut(key=key) for key in (PRODUCTION, *(one.key for one in environments_of(found)))]


@router.post("/products/{product}/environments", response={201: EnvironmentOut}, operation_id="add_environment")
def add_environment(request: ApiRequest, product: str, body: EnvironmentIn) -> Status[EnvironmentOut]:
    """One more. Every flag answers there as in production until it is changed there."""
    found = api_product(request, product, Role.MAINTAINER)
    return Status(201, EnvironmentOut(key=environments.add_environment(request.actor, found, body.key).key))


@router.delete("/products/{product}/environments/{key}", response={204: None}, operation_id="remove_environment")
def remove_environment(request: ApiRequest, product: str, key: str) -> Status[None]:
    """Take one away, with what flags answered there. Its keys must be revoked first."""
    environments.remove_environment(request.actor, api_product(request, product, Role.MAINTAINER), key)
    return Status(204, None)


@router.get("/tokens", response=list[KeyOut], operation_id="list_tokens")
def list_tokens(request: ApiRequest) -> list[Key]:
    """Your personal tokens."""
    user_id = request.actor.user_id
    return list(Key.objects.filter(kind=Key.Kind.PERSONAL, user_id=user_id).order_by("pk")) if user_id else []


@router.post("/tokens", response={201: NewKeyOut}, operation_id="create_token")
def create_token(request: ApiRequest, body: TokenIn) -> Status[NewKeyOut]:
    """A personal token; its secret is shown only now."""
    key, secret = keys.create_token(request.actor, name=body.name, scopes=body.scopes)
    return Status(201, _with_secret(key, secret))


@router.delete("/tokens/{key_id}", response=KeyOut, operation_id="revoke_token")
def revoke_token(request: ApiRequest, key_id: int) -> Key:
    return keys.revoke_key(request.actor, key_id)


def _with_secret(key: Key, secret: str) -> NewKeyOut:
    return NewKeyOut(secret=secret, **KeyOut.from_orm(key).dict())


@router.get("/products/{product}/activity", response=list[ActivityOut], operation_id="list_activity")
def list_activity(request: ApiRequest, product: str, limit: int = 50, before: int | None = None) -> list[Activity]:
    """Who did what, newest first; page on with `before` = the last id seen."""
    found = api_product(request, product, Role.VIEWER)
    rows = Activity.objects.filter(product=found).order_by("-pk")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return list(rows[: max(1, min(limit, 500))])


@router.post("/products/{product}/activity/{activity_id}/undo", response=ActivityOut, operation_id="undo")
def undo_activity(request: ApiRequest, product: str, activity_id: int) -> Activity:
    """Take back your own last act."""
    return undo(request.actor, find_product(product), activity_id)


@router.get("/workspace/backup", operation_id="backup")
def backup(request: ApiRequest) -> StreamingHttpResponse:
    """Everything in one `.tar.gz`: all products, accounts, events and the secrets they depend on."""
    archive.require_whole_workspace(request.actor)
    chunks, size = archive.packed_stream()
    response = StreamingHttpResponse(chunks, content_type="application/gzip")
    response["Content-Length"] = str(size)
    response["Content-Disposition"] = 'attachment; filename="whytree-backup.tar.gz"'
    return response
