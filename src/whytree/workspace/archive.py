"""The whole workspace as files: one JSON-lines file per table and a manifest. Take it out, bring it in, nothing differs.

    folder/
      manifest.json                  what is inside: format, migrations, rows and SHA-256 per file
      secrets.json                   keys the data depends on; treat the folder like a password
      database/workspace.User.jsonl  one row a line, columns by name, ordered by primary key
      events/events.jsonl            the event store's tables, likewise

Export, import, export gives the same bytes, whichever databases are behind. A backup is this folder in one `.tar.gz`.
"""

import errno
import fcntl
import hashlib
import io
import json
import os
import shutil
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.migrations.recorder import MigrationRecorder

from whytree import __version__, options
from whytree.errors import Conflict, Forbidden, Invalid, WhytreeError
from whytree.stores.writing import transfer

from .background.jobs import handler
from .background.lifecycle import UNDER_WAY, run_after_import
from .entry.keys import find_key
from .models import Job, Product, SignInLink, User
from .records.exact import ExactEncoder
from .rights.actors import Actor
from .rights.roles import Role
from .terminal.client import owner_token

FORMAT = 1
BATCH = 500
_SECRETS = "secrets.json"
_HELD = ".held"
BEGINS_WITHIN = 3600  # seconds, between a folder and its lock
# Nothing anybody would miss: work in hand and links that run out within minutes.
LEFT_OUT: tuple[type[models.Model], ...] = (Job, SignInLink)
Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Part:
    """One file of an archive."""

    file: str
    rows: int
    sha256: str


def require_whole_workspace(actor: Actor) -> None:
    """Raise unless the actor owns every product here, for a backup holds them all, or stands at this very machine.

    Whoever holds the command line's own token has the data folder anyway; and a backup that runs every night must not end
    because somebody made a product of their own.
    """
    if actor.is_system or (actor.key_id is not None and actor.key_id == _key_of_this_machine()):
        return
    mine = Product.objects.filter(memberships__user_id=actor.user_id or 0, memberships__role=Role.OWNER)
    if actor.user_id is None or actor.scopes or Product.objects.exclude(pk__in=mine).exists():
        raise Forbidden(
            "A backup holds every product, so only somebody who owns them all may take one, with an unscoped token, "
            "or whoever runs the command on the server's own machine."
        )


def _key_of_this_machine() -> int | None:
    found = find_key(owner_token(settings.WHYTREE.data))
    return found.id if found else None


def tables() -> list[type[models.Model]]:
    """Our models, each after those its rows point to."""
    ours = [model for model in apps.get_models() if model.__module__.startswith("whytree.") and not _left_out(model)]
    ordered: list[type[models.Model]] = []

    def visit(model: type[models.Model]) -> None:
        if model in ordered:
            return
        for field in model._meta.concrete_fields:
            target = field.related_model if field.is_relation else None
            if isinstance(target, type) and target is not model and target in ours:
                visit(target)
        ordered.append(model)

    for model in sorted(ours, key=lambda model: model._meta.label):
        visit(model)
    return ordered


def _left_out(model: type[models.Model]) -> bool:
    """What a job makes again from the rest says so itself."""
    return model in LEFT_OUT or getattr(model, "made_again", False)


def export_workspace(folder: Path, progress: Progress = lambda name, rows: None) -> dict[str, Any]:
    """Write everything into `folder`, which must be new or empty; returns the manifest."""
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(f"{folder} is not empty. Name a new folder.")
    for name in ("database", "events"):
        (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    parts = []
    with _one_moment():
        for model in tables():
            parts.append(_write(folder, f"database/{model._meta.label}.jsonl", _rows(model)))
            progress(model._meta.label, parts[-1].rows)
    for table in transfer.TABLES:
        parts.append(_write(folder, f"events/{table}.jsonl", transfer.dump(table)))
        progress(table, parts[-1].rows)
    options.write_private(folder / _SECRETS, json.dumps(_secrets(), indent=1, sort_keys=True) + "\n")
    manifest = {
        "format": FORMAT,
        "version": __version__,
        "migrations": _migrations(),
        "parts": [asdict(part) for part in parts],
        "secrets_sha256": _digest(folder / _SECRETS),
    }
    options.write_private(folder / "manifest.json", json.dumps(manifest, indent=1, sort_keys=True) + "\n")
    return manifest


@contextmanager
def _one_moment() -> Iterator[None]:
    """A transaction that sees one state throughout. On SQLite writers wait for it; the event store is not part of it."""
    with transaction.atomic():
        if connection.vendor == "postgresql" and not connection.savepoint_ids:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def _rows(model: type[models.Model]) -> Iterator[bytes]:
    names = [field.attname for field in model._meta.concrete_fields]
    for row in model._default_manager.order_by("pk").values(*names).iterator(chunk_size=2000):
        yield json.dumps(row, cls=ExactEncoder, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _write(folder: Path, name: str, lines: Iterable[bytes]) -> Part:
    digest, rows = hashlib.sha256(), 0
    descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for line in lines:
            file.write(line + b"\n")
            digest.update(line + b"\n")
            rows += 1
        file.flush()
        os.fsync(file.fileno())
    return Part(name, rows, digest.hexdigest())


def _migrations() -> dict[str, list[str]]:
    ours = {model._meta.app_label for model in tables()}
    applied: dict[str, list[str]] = {label: [] for label in sorted(ours)}
    for app, name in sorted(MigrationRecorder(connection).applied_migrations()):
        if app in ours:
            applied[app].append(name)
    return applied


def _secrets() -> dict[str, str]:
    """Secrets the stored data cannot be understood without, by their file in the data folder."""
    folder = settings.WHYTREE.data
    return {path.name: path.read_text("ascii") for path in sorted(folder.glob("*.key")) if path.name != "secret.key"}


def import_workspace(folder: Path, progress: Progress = lambda name, rows: None) -> dict[str, Any]:
    """Bring an export into this empty workspace, all of it or nothing; the event store is filled first.

    One that was killed meanwhile is begun anew: what came of it goes first.
    """
    folder = Path(folder)
    manifest = _checked_manifest(folder)
    if is_cut_off():
        transfer.clear()
    if User.objects.exists() or not transfer.is_empty():
        raise Conflict("This workspace is not empty. Import into a new data folder: WHYTREE_DATA=/some/new/folder")
    options.write_private(_under_way(), "")
    for name, text in json.loads((folder / _SECRETS).read_text("utf-8")).items():
        options.write_private(settings.WHYTREE.data / Path(name).name, text)
    try:
        _bring_in(folder, manifest, progress)
    except BaseException:
        with suppress(WhytreeError):  # where even that has no room, the next attempt does
            transfer.clear()
            _under_way().unlink()
        raise
    _under_way().unlink()
    run_after_import()
    return manifest


def is_cut_off() -> bool:
    """Whether an import into this data folder was killed: it holds events, and nobody's account."""
    if not _under_way().exists():
        return False
    if User.objects.exists():  # killed when all was in
        _under_way().unlink()
        return False
    return True


def _under_way() -> Path:
    """A file that is there while an import is."""
    folder: Path = settings.WHYTREE.data
    return folder / UNDER_WAY


def _bring_in(folder: Path, manifest: dict[str, Any], progress: Progress) -> None:
    for table in transfer.TABLES:
        transfer.load(table, _lines(folder / f"events/{table}.jsonl"))
        progress(table, _count(manifest, f"events/{table}.jsonl"))
    with transaction.atomic():
        for model in tables():
            with _times_as_they_were(model):
                _insert(model, _lines(folder / f"database/{model._meta.label}.jsonl"))
            progress(model._meta.label, _count(manifest, f"database/{model._meta.label}.jsonl"))
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), tables()):
                cursor.execute(statement)


def _checked_manifest(folder: Path) -> dict[str, Any]:
    """The manifest, once every file is there and unchanged and made by the version that runs here."""
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text("utf-8"))
        parts = [Part(**part) for part in manifest["parts"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Invalid(f"{folder} holds no export of Whytree: {error}. Name a folder with a manifest.json.") from error
    if manifest.get("format") != FORMAT:
        raise Invalid(
            f"This export has format {manifest.get('format')}; this version reads {FORMAT}. Use the version that wrote it."
        )
    if manifest.get("migrations") != _migrations():
        raise Invalid(_of_another_version(manifest))
    for file, sha256 in [(_SECRETS, manifest.get("secrets_sha256")), *((part.file, part.sha256) for part in parts)]:
        if _digest(folder / file) != sha256:
            raise Invalid(f"{file} is missing or was changed since the export. Nothing was imported; use another copy.")
    expected = {f"database/{model._meta.label}.jsonl" for model in tables()} | {
        f"events/{table}.jsonl" for table in transfer.TABLES
    }
    if {part.file for part in parts} != expected:
        raise Invalid("This export does not hold the tables of this version. Import it with the version that wrote it.")
    return manifest


def _of_another_version(manifest: dict[str, Any]) -> str:
    """Which version to bring it in with. One that knows steps unknown here is newer."""
    said, known = manifest.get("migrations"), _migrations()
    told = said.items() if isinstance(said, dict) else ()
    is_newer = any(set(names) - set(known.get(app, ())) for app, names in told)
    version = str(manifest.get("version", ""))
    made = (
        f"Whytree {version}"
        if version and version != __version__
        else f"{'a newer' if is_newer else 'an older'} Whytree"
    )
    if is_newer:
        return f"This was made by {made}, this is {__version__}. Update, and say it again: pipx upgrade whytree"
    return (
        f"This was made by {made}, this is {__version__}. Bring it in with the version that made it "
        f"(pipx install --force whytree=={version or 'VERSION'}), then: pipx upgrade whytree"
    )


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _count(manifest: dict[str, Any], file: str) -> int:
    rows: int = next(part["rows"] for part in manifest["parts"] if part["file"] == file)
    return rows


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from (line.rstrip(b"\n") for line in file)


@contextmanager
def _times_as_they_were(model: type[models.Model]) -> Iterator[None]:
    """Django puts today into every `auto_now` column of what it inserts, whatever stands there. Nobody else is in this process."""
    fields = [field for field in model._meta.concrete_fields if isinstance(field, models.DateField)]
    kept = [(field, field.auto_now, field.auto_now_add) for field in fields]
    for field in fields:
        field.auto_now = field.auto_now_add = False
    try:
        yield
    finally:
        for field, auto_now, auto_now_add in kept:
            field.auto_now, field.auto_now_add = auto_now, auto_now_add


def _insert(model: type[models.Model], lines: Iterator[bytes]) -> None:
    fields = {field.attname: field for field in model._meta.concrete_fields}
    batch: list[models.Model] = []
    for line in lines:
        row = json.loads(line.decode("utf-8", "surrogatepass"))
        batch.append(model(**{name: _value(fields[name], value) for name, value in row.items()}))
        if len(batch) >= BATCH:
            model._default_manager.bulk_create(batch)
            batch = []
    model._default_manager.bulk_create(batch)


def _value(field: "models.Field[Any, Any]", value: Any) -> Any:
    return value if isinstance(field, models.JSONField) else field.to_python(value)


def pack(target: Path, progress: Progress = lambda name, rows: None) -> dict[str, Any]:
    """Everything in one `.tar.gz`; appears under its name only when complete."""
    target = Path(target)
    if target.exists():
        raise Conflict(f"{target} exists. Choose another name; a backup overwrites nothing.")
    with _room() as room:
        folder = room / "whytree"
        manifest = export_workspace(folder, progress)
        partial = target.with_name(target.name + ".partial")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz", compresslevel=5) as tar:
                tar.add(folder, arcname="whytree")
            partial.rename(target)
        except OSError:
            partial.unlink(missing_ok=True)
            raise
    return manifest


def unpack(source: Path, progress: Progress = lambda name, rows: None) -> dict[str, Any]:
    """Restore a backup made by `pack` into this empty workspace."""
    with _room() as room:
        try:
            with tarfile.open(source, mode="r:gz") as tar:
                tar.extractall(room, filter="data")
        except (OSError, EOFError, tarfile.TarError) as error:
            if getattr(error, "errno", None) in {errno.ENOSPC, errno.EDQUOT}:
                raise
            raise Invalid(f"{source} cannot be read as a backup: {error}. Nothing was restored.") from error
        return import_workspace(room / "whytree", progress)


def _workroom() -> Path:
    """Where copies lie while they are made or brought in."""
    folder: Path = settings.WHYTREE.data / "copies"
    folder.mkdir(exist_ok=True, mode=0o700)
    return folder


@contextmanager
def _room() -> Iterator[Path]:
    """A folder for one copy, locked as long as this process is at it. What killed ones left makes room for it first."""
    throw_away_left({})
    with tempfile.TemporaryDirectory(dir=_workroom()) as folder, (Path(folder) / _HELD).open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield Path(folder)


@handler("workspace.throw_away_copies", every=timedelta(hours=6))
def throw_away_left(payload: dict[str, Any]) -> None:
    """Copies that a killed process left half made: they hold everything, and whoever was forgotten since."""
    for folder in _workroom().iterdir():
        if _is_left(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_left(folder: Path) -> bool:
    try:
        with (folder / _HELD).open("rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except FileNotFoundError:  # it begins this moment, or ended in its first one
        return folder.exists() and folder.stat().st_mtime < time.time() - BEGINS_WITHIN
    except OSError:
        return False


def packed_stream(chunk: int = 1 << 20) -> tuple[Iterator[bytes], int]:
    """A backup as bytes to send, and its size; the file behind it goes when the last byte is read."""
    with _room() as room:
        pack(room / "backup.tar.gz")
        file: io.BufferedReader = (room / "backup.tar.gz").open("rb")
    size = os.fstat(
        file.fileno()
    ).st_size  # the open file stays readable; nothing is left behind if the reader goes away

    def read() -> Iterator[bytes]:
        with file:
            while data := file.read(chunk):
                yield data

    return read(), size
