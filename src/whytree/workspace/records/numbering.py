"""Numbers people say aloud: SOL-12 is the twelfth solution of its product."""

from django.db import transaction
from django.db.models import F

from ..models import Product, Sequence


def next_number(product: Product, prefix: str) -> int:
    """The next free number for `prefix`; never given twice, not even after a deletion."""
    return next_numbers(product, prefix, 1)[0]


def next_numbers(product: Product, prefix: str, how_many: int) -> range:
    """The next `how_many` free numbers in one step, for imports."""
    with transaction.atomic():
        Sequence.objects.get_or_create(product=product, prefix=prefix)
        Sequence.objects.filter(product=product, prefix=prefix).update(last=F("last") + how_many)
        last = Sequence.objects.get(product=product, prefix=prefix).last
    return range(last - how_many + 1, last + 1)


def reserve_number(product: Product, prefix: str, number: int) -> None:
    """Make sure `number`, taken from an import, is not given out again."""
    with transaction.atomic():
        Sequence.objects.get_or_create(product=product, prefix=prefix)
        Sequence.objects.filter(product=product, prefix=prefix, last__lt=number).update(last=number)
