"""Personal data at the door: what a product wants taken out, and how it comes back while an import is open."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.utils import timezone

from whytree.engines.texts.personal import KINDS, Redacted, restored
from whytree.errors import Conflict, Invalid
from whytree.voice.arriving.origins import checked_origins
from whytree.voice.meaning.forgetting import forget_places
from whytree.voice.models import FeedbackItem, ImportRun, Redaction, VoiceSettings
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

CHUNK = 500
MOST_OF_TEAM = 200
MOST_TRAIT = 100
_OF_TEAM = re.compile(r"@?[^\s@,;<>]{1,100}(?:@[^\s@,;<>]{1,100})?")


def set_voice_settings(
    actor: Actor,
    product: Product,
    *,
    redact: Sequence[str] | None = None,
    team: Iterable[str] | None = None,
    revenue_trait: str | None = None,
    from_pages: bool | None = None,
    page_origins: Iterable[str] | None = None,
) -> VoiceSettings:
    """What is taken out of what comes in from now on, whose words are the team's own, which trait of people says what they
    pay, and whether pages may hand in feedback."""
    require(actor, product, Role.MAINTAINER)
    settings = VoiceSettings.of(product)
    before = settings.as_json()
    if redact is not None:
        settings.redact = _kinds(redact)
    if team is not None:
        settings.team = _team(team)
    if revenue_trait is not None:
        settings.revenue_trait = _trait(revenue_trait)
    if from_pages is not None:
        settings.from_pages = from_pages
    if page_origins is not None:
        settings.page_origins = checked_origins(page_origins)
    if settings.as_json() == before:
        return settings
    with transaction.atomic():
        settings.save()
        record(actor, product, "set_voice_settings", settings, before=before, after=settings.as_json(), undoable=False)
    return settings


def _trait(name: str) -> str:
    name = name.replace("\0", " ").strip()
    if not name or len(name) > MOST_TRAIT:
        raise Invalid(f"Name the trait that says what people pay, in 1 to {MOST_TRAIT} characters, as mrr.")
    return name


def _kinds(named: Sequence[str]) -> list[str]:
    unknown = [kind for kind in named if kind not in KINDS]
    if unknown:
        raise Invalid(
            f"“{unknown[0][:40]}” is no kind of personal data that is looked for; there are {', '.join(KINDS)}."
        )
    return [kind for kind in KINDS if kind in named]


def _team(named: Iterable[str]) -> list[str]:
    ours = list(dict.fromkeys(one.strip().lower().lstrip("@") for one in named if one.strip()))
    wrong = next((one for one in ours if not _OF_TEAM.fullmatch(one)), None)
    if wrong is not None:
        raise Invalid(f"“{wrong[:60]}” is no domain, address or name. Give them one by one, as example.org.")
    if len(ours) > MOST_OF_TEAM:
        raise Invalid(f"That are {len(ours)} names; {MOST_OF_TEAM} is the most. A domain stands for all its addresses.")
    return ours


@transaction.atomic
def put_back_personal(actor: Actor, run: ImportRun, *, kinds: Sequence[str] = tuple(KINDS)) -> int:
    """Put what was taken out of this import back into its items; how many pieces. Not after the import was closed."""
    require(actor, run.product, Role.MAINTAINER)
    run = _locked(run)
    if not run.is_open:
        raise Conflict("This import is closed: what was taken out of it is gone for good.")
    wanted = _kinds(kinds)
    taken: dict[int, list[Redaction]] = defaultdict(list)
    left: dict[int, list[Redaction]] = defaultdict(list)
    for one in Redaction.objects.filter(item__import_run=run):
        (taken if one.kind in wanted else left)[one.item_id].append(one)
    pks = sorted(taken)
    for at in range(0, len(pks), CHUNK):
        items = list(FeedbackItem.objects.filter(pk__in=pks[at : at + CHUNK]))
        for item in items:
            _restore(item, taken[item.pk], left[item.pk])
        FeedbackItem.objects.bulk_update(items, ["text", "metadata"], batch_size=100)
        forget_places(run.product, [item.pk for item in items], gone=False)
        moved = [one for item in items for one in left[item.pk]]
        Redaction.objects.bulk_update(moved, ["start", "end"], batch_size=100)
    pieces = sum(map(len, taken.values()))
    Redaction.objects.filter(item__import_run=run, kind__in=wanted).delete()
    still = Redaction.objects.filter(item__import_run=run).values("item")
    FeedbackItem.objects.filter(import_run=run, redacted=True).exclude(pk__in=still).update(redacted=False)
    if pieces:
        record(actor, run.product, "put_back_personal", run, after={"pieces": pieces}, undoable=False)
    return pieces


def _restore(item: FeedbackItem, taken: Sequence[Redaction], left: Sequence[Redaction]) -> None:
    places: dict[str, list[Redacted]] = defaultdict(list)
    for one in taken:
        places[one.place].append(Redacted(one.kind, one.start, one.end, one.original))
    _move(left, taken)
    item.text = restored(item.text, places.pop("", []))
    for place, some in places.items():
        if isinstance(item.metadata.get(place), str):
            item.metadata[place] = restored(item.metadata[place], some)


def _move(left: Sequence[Redaction], taken: Sequence[Redaction]) -> None:
    """What stands behind words that come back stands elsewhere then."""
    for one in left:
        grown = sum(
            len(other.original) - (other.end - other.start)
            for other in taken
            if other.place == one.place and other.start < one.start
        )
        one.start, one.end = one.start + grown, one.end + grown


@transaction.atomic
def close_import(actor: Actor, run: ImportRun) -> ImportRun:
    """Nothing is to be put back: what was taken out is thrown away."""
    require(actor, run.product, Role.MAINTAINER)
    run = _locked(run)
    if not run.is_open:
        return run
    Redaction.objects.filter(item__import_run=run).delete()
    run.closed_at = timezone.now()
    run.save(update_fields=["closed_at"])
    record(actor, run.product, "close_import", run, after={"closed": True}, undoable=False)
    return run


def _locked(run: ImportRun) -> ImportRun:
    return ImportRun.objects.select_for_update().select_related("product").get(pk=run.pk)
