"""The same question asked again: answered from memory for a while, and the answer says from when it is."""

import hashlib
import json

from whytree.workspace.background.fresh import at_most
from whytree.workspace.models import Product

from ..questions import Question, as_json
from . import Answer, answer

FRESH_SECONDS = 60


def fresh_answer(product: Product, question: Question, seconds: int = FRESH_SECONDS) -> Answer:
    """At most so many seconds old, by its own `as_of`."""
    facts = json.dumps([product.pk, product.timezone, as_json(question)], sort_keys=True)
    key = "answer:" + hashlib.sha256(facts.encode()).hexdigest()
    return at_most(key, seconds, lambda: answer(product, question))
