"""What the tree's forms are made of: two widths of text, and fields that fold away."""

from collections.abc import Mapping
from typing import Any

from django import forms

from whytree.errors import Invalid


def lines(rows: int, **attrs: Any) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, "dir": "auto", **attrs})


def one_line(**attrs: Any) -> forms.TextInput:
    return forms.TextInput(attrs={"dir": "auto", "autocomplete": "off", **attrs})


class Form(forms.Form):
    """`wide` fields take the whole width; `more` fields stand folded away under "More".

    `only_with` fields belong to some values of another field of theirs, and are shown with these.
    """

    wide: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    only_with: Mapping[str, str] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        # Several forms stand on one page: an element's id begins with the form's name.
        kwargs.setdefault("auto_id", f"{type(self).__name__}-%s")
        super().__init__(*args, **kwargs)

    def refuse(self, error: Invalid) -> None:
        """Show a service's refusal: beside its fields where it names them, else above the form."""
        problems = (error.details or {}).get("fields", [])
        named = [problem for problem in problems if problem["field"] in self.fields]
        for problem in named:
            self.add_error(problem["field"], problem["problem"])
        if not named:
            self.add_error(None, error.message)

    @property
    def first_fields(self) -> list[forms.BoundField]:
        return [field for field in self.visible_fields() if field.name not in self.more]

    @property
    def more_fields(self) -> list[forms.BoundField]:
        return [field for field in self.visible_fields() if field.name in self.more]

    @property
    def more_open(self) -> bool:
        """Folded fields that are filled in or refused must not be overlooked."""
        return any(field.errors or field.value() not in (None, "", field.field.initial) for field in self.more_fields)
