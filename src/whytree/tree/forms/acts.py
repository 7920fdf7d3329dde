"""What is done to a node that stands: closed, moved, noted on, given evidence, tied to a ticket, seen otherwise."""

from datetime import UTC, datetime, time
from typing import Any, cast

from django import forms

from whytree.tree.models import (
    KINDS,
    PARENTS,
    EvidenceType,
    Importance,
    Node,
    NoteKind,
    Stance,
    Strength,
)
from whytree.tree.queries import nodes_of

from .parts import Form, lines, one_line


class CloseForm(Form):
    reason = forms.CharField(
        label="Why?",
        widget=lines(2),
        help_text="One sentence that somebody understands in a year. It stays on the node.",
    )
    with_children = forms.BooleanField(required=False, label="Also close what is open below it")
    wide = ("reason", "with_children")


class MoveForm(Form):
    parent = forms.ChoiceField(required=False, label="Hang it under")
    wide = ("parent",)

    def __init__(self, *args: Any, node: Node, may_stand_alone: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        above = node.parent_node
        self.initial.setdefault("parent", above.ref if above else "")
        self.fields["parent"].required = not may_stand_alone
        places = [("", "nothing: it stands alone")] if may_stand_alone else []
        for prefix in PARENTS[node.prefix]:
            found = nodes_of(node.product, KINDS[prefix]).filter(closed_at=None)
            places += [(place.ref, f"{place.ref} {place.title[:90]}") for place in found if place != node]
        cast(forms.ChoiceField, self.fields["parent"]).choices = places


class NoteForm(Form):
    kind = forms.ChoiceField(choices=NoteKind.choices, label="It is a")
    text = forms.CharField(label="What you want to say", widget=lines(3))
    cost = forms.CharField(required=False, label="What it costs, in plain words", widget=lines(1))
    alternative = forms.CharField(required=False, label="What could be done instead", widget=lines(1))
    wide = ("text", "cost", "alternative")

    field_order = ("text", "kind", "cost", "alternative")


class EvidenceForm(Form):
    """Evidence that somebody brings along; voices and results come in through their own doors."""

    wide = ("quote", "statement", "url")
    more = ("url", "person_key", "said_at", "importance")

    quote = forms.CharField(required=False, label="In their own words", widget=lines(2))
    statement = forms.CharField(required=False, label="What it says, in ours", widget=lines(2))
    evidence_type = forms.ChoiceField(
        choices=EvidenceType.choices, initial=EvidenceType.ANECDOTAL, label="What it rests on"
    )
    stance = forms.ChoiceField(choices=Stance.choices, label="It")
    url = forms.CharField(
        required=False, max_length=1000, label="Where it can be read", widget=one_line(inputmode="url")
    )
    person_key = forms.CharField(
        required=False, max_length=512, label="Who said it", widget=one_line(), help_text="Each person counts once."
    )
    said_at = forms.DateField(
        required=False, label="When", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    importance = forms.TypedChoiceField(
        choices=Importance.choices, coerce=int, initial=Importance.NICE_TO_HAVE, label="How much it matters to them"
    )

    @property
    def more_open(self) -> bool:
        return any(field.errors for field in self.more_fields)

    def said(self) -> dict[str, Any]:
        fields = dict(self.cleaned_data)
        url, day = fields.pop("url"), fields.pop("said_at")
        source = {"source_kind": "url", "source_id": url} if url else {"source_kind": "note"}
        return fields | source | {"said_at": datetime.combine(day, time(), UTC) if day else None}


class TicketForm(Form):
    ticket = forms.CharField(
        label="Ticket", max_length=1000, widget=one_line(placeholder="#412, ABC-12 or its address")
    )


class OverrideForm(Form):
    strength = forms.ChoiceField(
        required=False, choices=[("", "what the evidence gives"), *Strength.choices], label="Show the evidence as"
    )
    reason = forms.CharField(required=False, label="Why you see it differently", widget=lines(2))


class VisionForm(Form):
    vision = forms.CharField(
        max_length=300,
        label="Vision",
        widget=lines(2),
        help_text="One sentence: whose life gets better, and how. It is shown wherever work starts.",
    )
