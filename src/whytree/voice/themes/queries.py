"""What may be asked of themes: the list with its numbers, one theme, and how the last look went."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from whytree.errors import NotFound
from whytree.tree.models import Provenance, SourceKind
from whytree.tree.queries import evidence_from
from whytree.voice.models import Consent, FeedbackItem
from whytree.voice.services.erasing import TOMBSTONE
from whytree.workspace.models import Product

from .counting import Facts, facts_of, members_of, root_of
from .models import Theme, ThemeRun, ThemeState
from .services import RULE

QUOTES = 3
PAGE = 30


@dataclass(frozen=True)
class ThemeShown:
    """A theme with what is counted of it, and voices that speak for it."""

    theme: Theme
    facts: Facts
    quotes: list[FeedbackItem] = field(default_factory=list)

    @property
    def is_adopted(self) -> bool:
        return self.theme.state == ThemeState.ADOPTED


@dataclass(frozen=True)
class Overview:
    """All themes of a product, the largest first; those dismissed apart. `run` is the last look that ended."""

    themes: list[ThemeShown]
    dismissed: list[ThemeShown]
    run: ThemeRun | None
    waiting: ThemeRun | None
    alone: int
    """Voices in no theme, among those that were read."""

    @property
    def voices(self) -> int:
        return sum(shown.facts.size for shown in self.themes)


@dataclass(frozen=True)
class Member:
    """A voice of a theme, and whether it speaks for the theme's opportunity: "stated", "inferred" or ""."""

    item: FeedbackItem
    near: float
    provenance: str


def overview(product: Product) -> Overview:
    themes = list(Theme.objects.filter(product=product).select_related("opportunity", "product"))
    facts = facts_of(product)
    roots = root_of(themes)
    whole = [ThemeShown(theme, facts.get(theme.pk, Facts())) for theme in themes if roots[theme.pk] == theme.pk]
    whole = [shown for shown in whole if shown.facts.size or shown.theme.is_a_persons]
    whole.sort(key=lambda shown: (-shown.facts.size, shown.theme.number))
    quoted = _quotes([shown.theme for shown in whole])
    whole = [ThemeShown(shown.theme, shown.facts, quoted[shown.theme.pk]) for shown in whole]
    run = last_run(product)
    read = run.items if run else 0
    return Overview(
        [shown for shown in whole if shown.theme.state != ThemeState.DISMISSED],
        [shown for shown in whole if shown.theme.state == ThemeState.DISMISSED],
        run,
        ThemeRun.objects.filter(product=product, state=ThemeRun.State.WAITING).first(),
        max(read - sum(shown.facts.size for shown in whole), 0),
    )


def last_run(product: Product) -> ThemeRun | None:
    return ThemeRun.objects.filter(product=product).exclude(state=ThemeRun.State.WAITING).first()


def _quotes(themes: Sequence[Theme]) -> dict[int, list[FeedbackItem]]:
    """Typical voices that may be quoted."""
    wanted = {int(pk) for theme in themes for pk in theme.quotes}
    allowed = FeedbackItem.objects.filter(product__in={theme.product_id for theme in themes})
    items = allowed.exclude(consent=Consent.NONE).exclude(text=TOMBSTONE).in_bulk(wanted)
    return {theme.pk: [items[pk] for pk in theme.quotes if pk in items][:QUOTES] for theme in themes}


def find_theme(product: Product, number: int) -> Theme:
    found = Theme.objects.select_related("product", "opportunity", "joined_to").filter(product=product, number=number)
    theme = found.first()
    if theme is None:
        raise NotFound(f"There is no THM-{number} in {product.name}. It may have gone with the voices it was made of.")
    return theme


def find_theme_by_ref(product: Product, ref: str) -> Theme:
    """THM-3, thm-3 or 3."""
    number = ref.strip().upper().removeprefix("THM-")
    if not (number.isascii() and number.isdigit()) or len(number) > 9:
        raise NotFound(f"There is no theme {ref.strip()[:40]} in {product.name}. Themes are called as THM-3.")
    return find_theme(product, int(number))


def show(theme: Theme) -> ThemeShown:
    """One theme with its numbers."""
    return ThemeShown(theme, facts_of(theme.product).get(theme.pk, Facts()), _quotes([theme])[theme.pk])


def parts_of(theme: Theme) -> list[ThemeShown]:
    """Themes that were joined to it."""
    return [ThemeShown(part, Facts()) for part in theme.parts.select_related("product").order_by("number")]


def voices_of(theme: Theme, *, place: int = 0, size: int = PAGE) -> tuple[list[Member], bool]:
    """Some of its voices, the most typical first, and whether there are more."""
    rows = list(members_of(theme).select_related("item", "item__product")[place : place + size + 1])
    known = _provenance(theme, [row.item for row in rows])
    return [Member(row.item, row.near, known.get(row.item.ref, "")) for row in rows[:size]], len(rows) > size


def _provenance(theme: Theme, items: Sequence[FeedbackItem]) -> dict[str, str]:
    if theme.opportunity is None:
        return {}
    links = evidence_from(SourceKind.FEEDBACK, theme.opportunity).filter(source_id__in=[item.ref for item in items])
    return dict(links.values_list("source_id", "provenance"))


def waiting_for_a_yes(theme: Theme) -> int:
    """Voices that the theme linked and nobody has confirmed."""
    if theme.opportunity is None:
        return 0
    links = evidence_from(SourceKind.FEEDBACK, theme.opportunity)
    # a voice that a person merged needs no yes
    return links.filter(provenance=Provenance.INFERRED, rule=RULE.format(ref=theme.ref)).count()


def theme_of(item: FeedbackItem) -> Theme | None:
    """The theme a voice is in, once joined ones are counted together."""
    membership = getattr(item, "theme_membership", None)
    if membership is None:
        return None
    place = membership.moved_to_id or membership.theme_id or 0
    roots = root_of(Theme.objects.filter(product=item.product_id))
    return Theme.objects.select_related("product").filter(pk=roots.get(place, 0)).first()
