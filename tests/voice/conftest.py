"""Voices and an opportunity to link them to."""

from typing import Any

import pytest


@pytest.fixture
def opportunity(actor: Any, product: Any) -> Any:
    from whytree.tree.services import create_opportunity

    return create_opportunity(actor, product, title="I don't know why you need my phone number")


@pytest.fixture
def say(actor: Any, product: Any) -> Any:
    """Take in one voice: `say("It asked for my number", person="mira")`."""
    from whytree.voice.drafts import Source
    from whytree.voice.services import add_feedback

    def add(text: str, source: str = "in-app", **fields: Any) -> Any:
        return add_feedback(actor, product, source=Source("test", source, source), text=text, **fields)

    return add
