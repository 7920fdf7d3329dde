"""Weighed opportunities over REST."""

from typing import Literal

from ninja import Router, Schema

from whytree.analytics.saved.queries import STRUGGLE_DAYS
from whytree.voice.services import set_voice_settings
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from .queries import Weighed, Weight, weigh

router = Router(tags=["Voices"])


class PrevalenceOut(Schema):
    """`hit` of `active` people in the last 28 days; the interval is Wilson's, 95 %."""

    share: float
    low: float
    high: float
    hit: int
    active: int


class WeightOut(Schema):
    """null is no answer. `places` by ranking; a ranking that cannot tell has none."""

    opportunity: str
    title: str
    votes: int
    people: int
    companies: int
    revenue: float | None
    payers: int
    prevalence: PrevalenceOut | None
    places: dict[str, int]

    @staticmethod
    def of(weight: Weight, weighed: Weighed) -> "WeightOut":
        ref, share = weight.opportunity.ref, weight.prevalence
        return WeightOut(
            opportunity=ref,
            title=weight.opportunity.title,
            votes=weight.votes,
            people=weight.people,
            companies=weight.companies,
            revenue=weight.revenue,
            payers=weight.payers,
            prevalence=PrevalenceOut(
                share=share.value, low=share.low, high=share.high, hit=weight.hit or 0, active=share.n
            )
            if share
            else None,
            places={name: places[ref] for name, places in weighed.places.items() if ref in places},
        )


class ToldOut(Schema):
    opportunity: str
    sentence: str
    high: str
    low: str


class WeighedOut(Schema):
    """`disagreements` in words, the furthest apart first."""

    opportunities: list[WeightOut]
    disagreements: list[ToldOut]
    active: int | None
    days: int
    revenue_trait: str


class RevenueTraitIn(Body):
    trait: str


@router.get("/products/{product}/weighed", response=WeighedOut, operation_id="weigh_opportunities")
def weigh_opportunities(
    request: ApiRequest, product: str, by: Literal["votes", "people", "revenue", "prevalence"] = "people"
) -> WeighedOut:
    """Open opportunities by votes, people, revenue and measured prevalence side by side, and where these disagree."""
    found = weigh(api_product(request, product, Role.VIEWER), by)
    return WeighedOut(
        opportunities=[WeightOut.of(weight, found) for weight in found.weights],
        disagreements=[
            ToldOut(opportunity=one.opportunity.ref, sentence=one.sentence, high=one.found.high, low=one.found.low)
            for one in found.told
        ],
        active=found.active,
        days=STRUGGLE_DAYS,
        revenue_trait=found.revenue_trait,
    )


@router.put("/products/{product}/weighed/revenue-trait", response=RevenueTraitIn, operation_id="set_revenue_trait")
def set_revenue_trait(request: ApiRequest, product: str, said: RevenueTraitIn) -> RevenueTraitIn:
    """Which trait of people says what they, or their company, pay."""
    found = api_product(request, product, Role.MAINTAINER)
    return RevenueTraitIn(trait=set_voice_settings(request.actor, found, revenue_trait=said.trait).revenue_trait)
