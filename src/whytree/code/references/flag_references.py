"""What clones tell of flags: where each stands, and which commit took the last one away."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from whytree.errors import Invalid
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..cleaning import CHUNK, clean, commit_id, within_calendars
from ..models import FlagExtinction, FlagReference, FlagScan, Repository
from ..services import refuse_another

HOWS = frozenset(FlagReference.How.values)
MOST_LINE = 10_000_000


@dataclass(frozen=True)
class PushedReference:
    """A line of a clone that speaks of a flag."""

    key: str
    path: str
    line: int
    how: str
    says: str = ""
    alias: str = ""
    hunk: str | None = None


@dataclass(frozen=True)
class PushedExtinction:
    key: str
    sha: str
    at: datetime
    subject: str = ""


@dataclass(frozen=True)
class FlagReading:
    """Part of what one scan found. The first part replaces what an earlier scan told of these keys; later ones add."""

    rev: str
    keys: Sequence[str]
    references: Sequence[PushedReference] = ()
    extinctions: Sequence[PushedExtinction] = ()
    left_out: Sequence[str] = ()
    is_first: bool = True


def push_flag_references(actor: Actor, repository: Repository, root_sha: str, reading: FlagReading) -> FlagScan:
    """Store where these flags stand in a repository. Keys it does not name keep what was told of them."""
    require(actor, repository.product, Role.MEMBER)
    refuse_another(repository, root_sha)
    keys = sorted({clean(key)[:200] for key in reading.keys} - {""})
    references = [_reference(repository, one, keys) for one in reading.references]
    extinctions = [_extinction(repository, one, keys) for one in reading.extinctions]
    rev = commit_id(reading.rev)
    with transaction.atomic():
        scan = FlagScan.objects.filter(repository=repository).first() or FlagScan(repository=repository)
        if reading.is_first:
            _forget(repository, keys)
        FlagReference.objects.bulk_create(references, batch_size=CHUNK, ignore_conflicts=True)
        FlagExtinction.objects.bulk_create(extinctions, batch_size=CHUNK, ignore_conflicts=True)
        scan.rev, scan.at = rev, timezone.now()
        scan.keys = sorted({*scan.keys, *keys})
        scan.left_out = [clean(sentence)[:300] for sentence in reading.left_out][:20]
        scan.save()
        after = {"flags": len(keys), "references": len(references), "extinct": len(extinctions)}
        record(actor, repository.product, "push_flag_references", repository, after=after, undoable=False)
    return scan


def _forget(repository: Repository, keys: Sequence[str]) -> None:
    for start in range(0, len(keys), CHUNK):
        some = keys[start : start + CHUNK]
        repository.flag_references.filter(key__in=some).delete()
        repository.flag_extinctions.filter(key__in=some).delete()


def _reference(repository: Repository, one: PushedReference, keys: Sequence[str]) -> FlagReference:
    _refuse_unnamed(one.key, keys)
    if one.how not in HOWS:
        raise Invalid(f"{one.how[:40]!r} is no way to know a reference: say resolved or text.")
    if not 1 <= one.line <= MOST_LINE:
        raise Invalid(f"Line {one.line} is none: lines are counted from 1.")
    if not 0 < len(one.path) <= 1000:
        raise Invalid("A reference needs the path of its file, of at most 1,000 characters.")
    return FlagReference(
        repository=repository,
        key=clean(one.key)[:200],
        path=clean(one.path),
        line=one.line,
        how=one.how,
        says=clean(one.says)[:300],
        alias=clean(one.alias)[:200],
        hunk=clean(one.hunk)[:4000] if one.hunk is not None and repository.keeps_pieces else None,
    )


def _extinction(repository: Repository, one: PushedExtinction, keys: Sequence[str]) -> FlagExtinction:
    _refuse_unnamed(one.key, keys)
    return FlagExtinction(
        repository=repository,
        key=clean(one.key)[:200],
        sha=commit_id(one.sha),
        subject=clean(one.subject)[:500],
        at=within_calendars(one.at),
    )


def _refuse_unnamed(key: str, keys: Sequence[str]) -> None:
    if clean(key)[:200] not in keys:
        raise Invalid(f"{key[:80]!r} is not among the keys that were looked for. Name it in keys.")


# Asking -----------------------------------------------------------------------------------------------


@dataclass
class FlagInCode:
    """What the product's repositories say of one flag. `looked_in` are those in which somebody looked for it."""

    key: str
    references: list[FlagReference] = field(default_factory=list)
    extinctions: list[FlagExtinction] = field(default_factory=list)
    looked_in: list[Repository] = field(default_factory=list)

    @property
    def files(self) -> int:
        return len({(one.repository_id, one.path) for one in self.references})

    @property
    def resolved(self) -> int:
        return sum(one.how == FlagReference.How.RESOLVED for one in self.references)

    @property
    def is_extinct(self) -> bool:
        """It stood in code and does no longer, wherever somebody looked."""
        return not self.references and bool(self.extinctions)

    @property
    def last(self) -> FlagExtinction | None:
        """The newest commit that took a last reference away."""
        return max(self.extinctions, key=lambda one: one.at, default=None) if self.is_extinct else None


def flags_in_code(product: Product, keys: Iterable[str]) -> dict[str, FlagInCode]:
    """Each of these flags, also those that nobody looked for."""
    found = {key: FlagInCode(key) for key in keys}
    for scan in FlagScan.objects.filter(repository__product=product).select_related("repository"):
        for key in found.keys() & set(scan.keys):
            found[key].looked_in.append(scan.repository)
    wanted = sorted(found)
    for start in range(0, len(wanted), CHUNK):
        some = {"repository__product": product, "key__in": wanted[start : start + CHUNK]}
        for reference in FlagReference.objects.filter(**some).select_related("repository"):
            found[reference.key].references.append(reference)
        for extinction in FlagExtinction.objects.filter(**some).select_related("repository"):
            found[extinction.key].extinctions.append(extinction)
    return found


def flag_in_code(product: Product, key: str) -> FlagInCode:
    return flags_in_code(product, [key])[key]
