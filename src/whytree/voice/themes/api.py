"""Themes over REST. An operation is named after the service or query that it calls."""

from ninja import Router, Status

from whytree.errors import Invalid
from whytree.tree.models import EvidenceLink, Opportunity, Outcome
from whytree.tree.queries import find_node
from whytree.voice.queries import find_by_ref
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rights.roles import Role

from . import queries, schemas, services
from .models import Theme

router = Router(tags=["Voices"])

MOST_LISTED = 200


@router.get("/products/{product}/themes", response=schemas.ThemesOut, operation_id="list_themes")
def list_themes(request: ApiRequest, product: str) -> schemas.ThemesOut:
    """What the voices are about, the largest theme first, with the last look's figures."""
    found = queries.overview(api_product(request, product, Role.VIEWER))
    return schemas.ThemesOut(
        themes=[schemas.ThemeOut.of(shown) for shown in found.themes],
        dismissed=[schemas.ThemeOut.of(shown) for shown in found.dismissed],
        alone=found.alone,
        run=schemas.RunOut.of(found.run) if found.run else None,
    )


@router.post("/products/{product}/themes", response={202: schemas.RunOut}, operation_id="ask_for_themes")
def ask_for_themes(request: ApiRequest, product: str) -> Status[schemas.RunOut]:
    """Look for themes among all voices, soon. While a look is waiting, asking again changes nothing."""
    run = services.ask_for_themes(request.actor, api_product(request, product, Role.MEMBER))
    return Status(202, schemas.RunOut.of(run))


@router.get("/products/{product}/themes/{ref}", response=schemas.ThemePage, operation_id="get_theme")
def get_theme(
    request: ApiRequest, product: str, ref: str, start: int = 0, limit: int = queries.PAGE
) -> schemas.ThemePage:
    """One theme and its voices, the most typical first."""
    if not 1 <= limit <= MOST_LISTED or start < 0:
        raise Invalid(f"limit is a number from 1 to {MOST_LISTED}, start one from 0.")
    theme = queries.find_theme_by_ref(api_product(request, product, Role.VIEWER), ref)
    members, more = queries.voices_of(theme, place=start, size=limit)
    shown = schemas.ThemeOut.of(queries.show(theme))
    voices = [schemas.MemberOut.of(member) for member in members]
    return schemas.ThemePage(**shown.model_dump(), voices=voices, next=start + limit if more else None)


def _theme(request: ApiRequest, product: str, ref: str) -> Theme:
    return queries.find_theme_by_ref(api_product(request, product, Role.MEMBER), ref)


def _out(theme: Theme) -> schemas.ThemeOut:
    return schemas.ThemeOut.of(queries.show(theme))


@router.post("/products/{product}/themes/{ref}/rename", response=schemas.ThemeOut, operation_id="rename_theme")
def rename_theme(request: ApiRequest, product: str, ref: str, said: schemas.RenameIn) -> schemas.ThemeOut:
    """Give it a name that stays; an empty one gives it its own label back."""
    return _out(services.rename_theme(request.actor, _theme(request, product, ref), said.name))


@router.post("/products/{product}/themes/{ref}/dismiss", response=schemas.ThemeOut, operation_id="dismiss_theme")
def dismiss_theme(request: ApiRequest, product: str, ref: str) -> schemas.ThemeOut:
    """Hide it, also when it is found again."""
    return _out(services.dismiss_theme(request.actor, _theme(request, product, ref)))


@router.post("/products/{product}/themes/{ref}/bring-back", response=schemas.ThemeOut, operation_id="bring_back_theme")
def bring_back_theme(request: ApiRequest, product: str, ref: str) -> schemas.ThemeOut:
    """Show a dismissed theme again."""
    return _out(services.bring_back_theme(request.actor, _theme(request, product, ref)))


@router.post("/products/{product}/themes/{ref}/join", response=schemas.ThemeOut, operation_id="join_themes")
def join_themes(request: ApiRequest, product: str, ref: str, said: schemas.JoinIn) -> schemas.ThemeOut:
    """Both are one: its voices, now and later, count for the other."""
    theme = _theme(request, product, ref)
    services.join_themes(request.actor, theme, into := _theme(request, product, said.into))
    return _out(into)


@router.post("/products/{product}/themes/{ref}/part", response=schemas.ThemeOut, operation_id="part_theme")
def part_theme(request: ApiRequest, product: str, ref: str) -> schemas.ThemeOut:
    """Take it out of the theme it was joined to."""
    return _out(services.part_theme(request.actor, _theme(request, product, ref)))


@router.post("/products/{product}/themes/{ref}/split", response={201: schemas.ThemeOut}, operation_id="split_theme")
def split_theme(request: ApiRequest, product: str, ref: str, said: schemas.SplitIn) -> Status[schemas.ThemeOut]:
    """A theme of their own for some of its voices."""
    theme = _theme(request, product, ref)
    items = [find_by_ref(theme.product, one) for one in said.items[: services.MOST_SPLIT + 1]]
    return Status(201, _out(services.split_theme(request.actor, theme, items, said.name)))


@router.post("/products/{product}/themes/{ref}/adopt", response=schemas.AdoptedOut, operation_id="adopt_theme")
def adopt_theme(request: ApiRequest, product: str, ref: str, said: schemas.AdoptIn) -> schemas.AdoptedOut:
    """Make an opportunity of it; its voices are linked as inferred. Of an adopted theme, link what came since."""
    theme = _theme(request, product, ref)
    above = find_node(theme.product, said.parent) if said.parent else None
    made = services.adopt_theme(
        request.actor,
        theme,
        title=said.title,
        kind=said.kind,
        outcome=above if isinstance(above, Outcome) else None,
        parent=above if isinstance(above, Opportunity) else None,
    )
    linked = EvidenceLink.objects.filter(product=theme.product, node_kind=made.prefix, node_id=made.pk).count()
    return schemas.AdoptedOut(opportunity=made.ref, linked=linked)


@router.post("/products/{product}/themes/{ref}/release", response=schemas.ThemeOut, operation_id="release_theme")
def release_theme(request: ApiRequest, product: str, ref: str) -> schemas.ThemeOut:
    """Take adopting back: the opportunity stays with the links that were confirmed."""
    return _out(services.release_theme(request.actor, _theme(request, product, ref)))
