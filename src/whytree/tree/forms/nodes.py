"""The six kinds of node as forms. `said()` gives the fields as the services take them."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.urls import reverse

from whytree.tree.measures import VERSION as MEASURE_VERSION
from whytree.tree.models import (
    TITLE_LENGTH,
    Assumption,
    AssumptionTest,
    AssumptionType,
    ForecastUnit,
    Hypothesis,
    Method,
    Node,
    Opportunity,
    OpportunityKind,
    Outcome,
    OutcomeType,
    Solution,
)
from whytree.workspace.models import Product, User

from .parts import Form, lines, one_line

SIGNAL_VERSION = 1


def as_typed(value: Any) -> Any:
    """4 in place of 4.0, as somebody would write it."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class NodeForm(Form):
    """What every kind has. `said()` gives the fields as the services take them."""

    wide: tuple[str, ...] = ("title", "description")
    more: tuple[str, ...] = ("owner",)

    title = forms.CharField(max_length=TITLE_LENGTH, widget=lines(2))
    description = forms.CharField(required=False, label="What else there is to say", widget=lines(3))
    owner = forms.ModelChoiceField(
        queryset=User.objects.none(), required=False, label="Who looks after it", empty_label="nobody in particular"
    )

    def __init__(self, *args: Any, product: Product, node: Node | None = None, **kwargs: Any) -> None:
        initial = {**(self.of(node) if node is not None else {}), **kwargs.pop("initial", {})}
        initial = {name: as_typed(value) for name, value in initial.items()}
        super().__init__(*args, initial=initial, **kwargs)
        if "owner" in self.fields:
            owner = cast("forms.ModelChoiceField[User]", self.fields["owner"])
            owner.queryset = User.objects.filter(memberships__product=product, is_active=True).order_by("name", "email")
        if "metric_key" in self.fields:
            self.fields["metric_key"].widget.attrs |= {
                "hx-get": reverse("metric_keys", args=[product.slug]),
                "hx-trigger": "focus once, input changed delay:150ms",
                "hx-target": "#metric-keys",
                "hx-swap": "innerHTML",
            }

    @classmethod
    def of(cls, node: Node) -> dict[str, Any]:
        """A node's fields as the form shows them."""
        return {name: getattr(node, name) for name in cls.base_fields if hasattr(node, name)}

    def said(self) -> dict[str, Any]:
        return dict(self.cleaned_data)


class OutcomeForm(NodeForm):
    wide = ("title", "description")
    more = ("outcome_type", "counter_metric_keys", "description", "owner")

    title = forms.CharField(
        max_length=TITLE_LENGTH,
        label="What should change for people?",
        widget=lines(2),
        help_text='A change in what they do, not in what we ship: "New people get their first harvest within a week".',
    )
    metric_key = forms.CharField(
        required=False,
        label="Metric that shows it",
        widget=one_line(list="metric-keys", spellcheck="false"),
        help_text="Its key. It may be defined later, under Numbers.",
    )
    due = forms.DateField(
        required=False, label="By when", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    baseline = forms.FloatField(required=False, label="Where it stands today")
    target = forms.FloatField(required=False, label="Where it should be")
    outcome_type = forms.ChoiceField(choices=OutcomeType.choices, initial=OutcomeType.PRODUCT, label="Kind of outcome")
    counter_metric_keys = forms.CharField(
        required=False,
        label="Metrics that must not suffer",
        widget=one_line(spellcheck="false"),
        help_text="Their keys, separated by commas.",
    )

    field_order = ("title", "metric_key", "due", "baseline", "target")

    @classmethod
    def of(cls, node: Node) -> dict[str, Any]:
        return super().of(node) | {"counter_metric_keys": ", ".join(cast(Outcome, node).counter_metric_keys)}

    def clean_counter_metric_keys(self) -> list[str]:
        return [key.strip() for key in self.cleaned_data["counter_metric_keys"].split(",") if key.strip()]


class OpportunityForm(NodeForm):
    wide = ("title", "description")
    more = ("signal_event", "description", "owner")

    title = forms.CharField(
        max_length=TITLE_LENGTH,
        label="The problem, as the person who has it would say it",
        widget=lines(2),
        help_text='From a moment in a story: "I don\'t know why you need my phone number."',
    )
    kind = forms.ChoiceField(choices=OpportunityKind.choices, label="It is a", initial=OpportunityKind.PAIN_POINT)
    segment = forms.CharField(
        required=False, max_length=200, label="Whose it is", widget=one_line(), help_text="Left empty: everybody's."
    )
    in_focus = forms.BooleanField(required=False, label="In focus: we work on this one now")
    signal_event = forms.CharField(
        required=False,
        max_length=200,
        label="Event that shows somebody has it",
        widget=one_line(spellcheck="false"),
        help_text="Counts those who have the problem and never write.",
    )

    field_order = ("title", "kind", "segment", "in_focus")

    @classmethod
    def of(cls, node: Node) -> dict[str, Any]:
        signal = cast(Opportunity, node).struggle_signal or {}
        return super().of(node) | {"signal_event": signal.get("event", "")}

    def said(self) -> dict[str, Any]:
        fields = dict(self.cleaned_data)
        event = fields.pop("signal_event").strip()
        # A signal that is more than one event was defined elsewhere; this form leaves it as it is.
        if "signal_event" in self.changed_data:
            fields["struggle_signal"] = {"version": SIGNAL_VERSION, "kind": "unique", "event": event} if event else None
        return fields


class SolutionForm(NodeForm):
    more = ("owner",)

    title = forms.CharField(
        max_length=TITLE_LENGTH,
        label="What could be done about it?",
        widget=lines(2),
        help_text="One way of several; write down the others too, then compare.",
    )
    is_removal = forms.BooleanField(required=False, label="It takes something away")


class HypothesisForm(NodeForm):
    wide = ("change", "who", "behaviour", "metric_key", "guardrails")
    more = ("guardrails", "title", "description", "owner")

    title = forms.CharField(
        required=False,
        max_length=TITLE_LENGTH,
        label="Short title",
        widget=one_line(),
        help_text="Left empty: the change.",
    )
    change = forms.CharField(
        label="We believe that", widget=lines(2), help_text="The change, as “asking for the phone number later”."
    )
    who = forms.CharField(required=False, label="for", widget=one_line(), help_text="Whose life gets better.")
    behaviour = forms.CharField(
        required=False, label="causes", widget=one_line(), help_text="What they will do differently."
    )
    metric_key = forms.CharField(
        max_length=100,
        label="shown by the metric",
        widget=one_line(list="metric-keys", spellcheck="false"),
        help_text="Its key, as under Numbers.",
    )
    forecast_low = forms.FloatField(label="moving by at least", help_text="One time in ten it will be less.")
    forecast_likely = forms.FloatField(label="most likely by")
    forecast_high = forms.FloatField(label="at most by", help_text="One time in ten it will be more.")
    forecast_unit = forms.ChoiceField(
        choices=ForecastUnit.choices, required=False, label="in", initial=ForecastUnit.POINTS
    )
    horizon_days = forms.IntegerField(min_value=1, max_value=3650, initial=28, label="within days of people seeing it")
    guardrails = forms.CharField(
        required=False,
        label="and without harm to",
        widget=lines(2, spellcheck="false"),
        help_text="One metric a line: its key, the direction that harms, how much of that is bearable. As: support_contacts up 0.5",
    )

    field_order = ("change", "who", "behaviour", "metric_key", "forecast_low", "forecast_likely", "forecast_high")

    @classmethod
    def of(cls, node: Node) -> dict[str, Any]:
        hypothesis = cast(Hypothesis, node)
        guards = [f"{guard['metric_key']} {guard['direction']} {guard['margin']:g}" for guard in hypothesis.guardrails]
        title = "" if hypothesis.title == hypothesis.change[:TITLE_LENGTH] else hypothesis.title
        return super().of(node) | {"guardrails": "\n".join(guards), "title": title}

    def clean_guardrails(self) -> list[dict[str, Any]]:
        return [_guardrail(line) for line in self.cleaned_data["guardrails"].splitlines() if line.strip()]

    def said(self) -> dict[str, Any]:
        fields = dict(self.cleaned_data)
        return fields | {"title": fields["title"] or fields["change"][:TITLE_LENGTH]}


def _guardrail(line: str) -> dict[str, Any]:
    words = (
        line.replace(":", " ").replace("=", " ").split()
    )  # as the command line writes it, crashes:up=0.5, is fine too
    try:
        key, direction, margin = words
        parsed = {"metric_key": key, "direction": direction, "margin": float(margin)}
    except ValueError:
        parsed = {}
    if parsed.get("direction") not in ("up", "down"):
        raise forms.ValidationError(f"“{line.strip()}”: write it as: support_contacts up 0.5")
    return parsed


class AssumptionForm(NodeForm):
    more = ("description", "owner")

    title = forms.CharField(
        max_length=TITLE_LENGTH,
        label="What must be true for this to work?",
        widget=lines(2),
        help_text="The belief that would hurt most if it were wrong.",
    )
    assumption_type = forms.ChoiceField(choices=AssumptionType.choices, label="It is about")
    importance = forms.IntegerField(
        min_value=1, max_value=5, initial=3, label="If it is wrong (1 a scratch, 5 it all falls)"
    )


#: How a test fills itself, as the form asks for it; what each needs is checked by `measures`.
COUNTS = (
    ("", "nothing: I write down what happened"),
    ("people", "people, one by one"),
    ("fake_door", "who presses a fake door"),
    ("data", "a metric we have"),
    ("survey", "what people answer in a survey"),
)
#: Each kind's fields, as the measure calls them and as the form does.
MEASURED_BY = {
    "people": {"needed": "needed", "of": "out_of"},
    "fake_door": {"seen": "seen", "pressed": "pressed", "needed": "needed", "of": "out_of", "flag": "flag"},
    "data": {"metric_key": "metric_key", "way": "way", "threshold": "threshold", "days": "metric_days"},
    "survey": {"survey": "survey", "question": "question", "yes": "yes", "needed": "needed", "of": "out_of"},
}
MAY_BE_EMPTY = ("flag",)


class TestForm(NodeForm):
    more = ("description", "owner")
    #: A field of one kind of measure, with the kinds that it belongs to: shown while one of them is chosen.
    only_with = {
        field: " ".join(kind for kind, fields in MEASURED_BY.items() if field in fields.values())
        for fields in MEASURED_BY.values()
        for field in fields.values()
    }

    title = forms.CharField(
        max_length=TITLE_LENGTH,
        label="What could show cheaply that it is wrong?",
        widget=lines(2),
        help_text="Five people, half a day, no code.",
    )
    method = forms.ChoiceField(choices=Method.choices)
    cost_days = forms.FloatField(
        required=False, min_value=0, label="What it costs", help_text="In days of one person: 0.5 is half a day."
    )
    due = forms.DateField(
        required=False, label="By when", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    success_criterion = forms.CharField(
        required=False,
        label="What would count as a yes",
        widget=lines(2),
        help_text="Who, how many of how many, do what. Fixed once the test starts. Left empty, what it counts says it.",
    )
    counts = forms.ChoiceField(required=False, choices=COUNTS, label="What it counts by itself")
    needed = forms.IntegerField(required=False, min_value=1, label="How many are a yes")
    out_of = forms.IntegerField(required=False, min_value=1, label="Of how many people")
    seen = forms.CharField(required=False, label="Event: the door was seen", widget=one_line(spellcheck="false"))
    pressed = forms.CharField(required=False, label="Event: it was pressed", widget=one_line(spellcheck="false"))
    flag = forms.CharField(
        required=False,
        label="Flag of the door, if it has one",
        widget=one_line(spellcheck="false"),
        help_text="Turned off when enough people have seen it.",
    )
    metric_key = forms.CharField(
        required=False, label="Metric", widget=one_line(list="metric-keys", spellcheck="false")
    )
    way = forms.ChoiceField(
        required=False, label="It is a yes if it is", choices=(("at_least", "at least"), ("at_most", "at most"))
    )
    threshold = forms.FloatField(required=False, label="This much")
    metric_days = forms.IntegerField(required=False, min_value=1, label="Over the last days", initial=28)
    survey = forms.CharField(required=False, label="Survey", widget=one_line(placeholder="SUR-3", spellcheck="false"))
    question = forms.CharField(
        required=False, label="Its question", widget=one_line(placeholder="q1", spellcheck="false")
    )
    yes = forms.CharField(
        required=False,
        label="Answers that are a yes",
        widget=one_line(placeholder="This week; This month"),
        help_text="Options, or points on a scale, parted by semicolons.",
    )
    wide = ("title", "success_criterion", "description", "counts", "flag", "yes")

    field_order = (
        *("title", "method", "cost_days", "due", "counts", "survey", "question", "yes", "seen", "pressed"),
        *("metric_key", "metric_days", "way", "threshold", "needed", "out_of", "flag", "success_criterion"),
    )

    @classmethod
    def of(cls, node: Node) -> dict[str, Any]:
        shown = super().of(node)
        measure = node.measure if isinstance(node, AssumptionTest) else None
        if measure is None:
            return shown
        renamed = {"kind": "counts", "of": "out_of", "days": "metric_days"}
        shown |= {renamed.get(name, name): value for name, value in measure.items() if name != "version"}
        return shown | {"yes": "; ".join(map(str, measure.get("yes", ())))}

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        for name in MEASURED_BY.get(said.get("counts", ""), {}).values():
            if said.get(name) in (None, "") and name not in (*MAY_BE_EMPTY, *self.errors):
                self.add_error(name, "Say this too.")
        return said

    def said(self) -> dict[str, Any]:
        said = super().said()
        asked = {name: said.pop(name) for name in ("counts", *self.only_with)}
        asked["yes"] = [int(one) if one.isdecimal() else one for one in map(str.strip, asked["yes"].split(";")) if one]
        return said | {"measure": _measure(asked)}


def _measure(said: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the chosen kind takes of the form."""
    names = MEASURED_BY.get(said["counts"])
    if names is None:
        return None
    known = {name: said[field] for name, field in names.items() if said[field] not in (None, "", [])}
    return {"version": MEASURE_VERSION, "kind": said["counts"], **known}


FORMS: dict[str, type[NodeForm]] = {
    Outcome.prefix: OutcomeForm,
    Opportunity.prefix: OpportunityForm,
    Solution.prefix: SolutionForm,
    Hypothesis.prefix: HypothesisForm,
    Assumption.prefix: AssumptionForm,
    AssumptionTest.prefix: TestForm,
}


def form_for(prefix: str, product: Product, data: Mapping[str, Any] | None = None, **kwargs: Any) -> NodeForm:
    """The form of a kind, filled with what was typed."""
    return FORMS[prefix](data, product=product, **kwargs)
