"""Make this process ready to answer: Django set up, both stores at today's schema."""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from whytree import options
from whytree.workspace.background.collecting import without_collecting
from whytree.workspace.terminal.client import CommandError

if TYPE_CHECKING:
    from django.db.migrations.loader import MigrationLoader
    from django.db.models import Model

log = logging.getLogger("whytree")

MIGRATING = 0x7768_7974  # "whyt", PostgreSQL's lock of whoever brings the database up to date


def set_up() -> None:
    """Load Django with our settings; a setting that cannot be understood ends the command with its sentence."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "whytree.site.settings")
    import django

    try:
        django.setup()
    except options.OptionError as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(
            f"The data folder cannot be used: {error}. Set WHYTREE_DATA to one that can be written."
        ) from error


def prepare(*, to_import: bool = False) -> Any:
    """Set up, migrate, and return the WSGI application. `to_import`: a whole workspace is brought in next."""
    with without_collecting():
        set_up()
        migrate_database()
        if not to_import:
            refuse_half_imported()
        from .wsgi import application

    return application


def refuse_half_imported() -> None:
    """Half of somebody's events under nobody's account would be counted for whoever comes first."""
    from django.conf import settings

    from whytree.workspace.background.lifecycle import UNDER_WAY

    if not (settings.WHYTREE.data / UNDER_WAY).exists():
        return
    from whytree.workspace.archive import is_cut_off

    if is_cut_off():
        raise CommandError(
            f"A restore into {settings.WHYTREE.data} was cut off. Say it again, it begins anew: whytree restore FILE.tar.gz"
        )


def migrate_database() -> None:
    """Bring the relational database to this version. Two processes starting at once take turns."""
    from django.core.management import call_command
    from django.db import DatabaseError, OperationalError, connection
    from django.db.migrations.executor import MigrationExecutor

    from .middleware import is_damaged, is_disk_full

    try:
        with _one_at_a_time(connection):
            if not connection.introspection.table_names():
                make_tables(connection)
                return
            executor = MigrationExecutor(connection)
            _refuse_newer(executor.loader)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                call_command("migrate", interactive=False, verbosity=0)
    except OperationalError as error:
        if is_disk_full(error):
            raise CommandError(
                "The disk is full, so the database was left as it was. Free some space and try again."
            ) from error
        raise CommandError(
            f"The database does not answer: {str(error).strip().rstrip('.')}. Check WHYTREE_DATABASE_URL."
        ) from error
    except DatabaseError as error:
        if not is_damaged(error):
            raise
        raise CommandError(
            f"The database is damaged: {error}. Restore the last backup into a new data folder: "
            "WHYTREE_DATA=/some/new/folder whytree restore FILE.tar.gz"
        ) from error


def _refuse_newer(loader: "MigrationLoader") -> None:
    """What a newer version made may ask for columns that this one does not fill, or hold what it cannot read."""
    newer = sorted(
        f"{app} {name}"
        for app, name in loader.applied_migrations
        if app in loader.migrated_apps and (app, name) not in loader.disk_migrations
    )
    if newer:
        raise CommandError(
            f"The database was brought up to date by a newer Whytree ({newer[-1]}). Update this one: pipx upgrade whytree. "
            "Or restore the backup from before into a new data folder: WHYTREE_DATA=/some/new/folder whytree restore FILE.tar.gz"
        )


def make_tables(connection: Any) -> None:
    """Give an empty database today's tables at once, and call every migration applied; all of it, or nothing.

    To walk through all migrations comes to the same tables (a test compares them) in ten times the time.
    """
    from django.apps import apps
    from django.core.management.sql import emit_post_migrate_signal
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.recorder import MigrationRecorder

    recorder = MigrationRecorder(connection)
    with connection.schema_editor() as editor:
        models: list[type[Model]] = [recorder.Migration, *apps.get_models()]
        for model in models:
            if model._meta.can_migrate(connection):
                editor.create_model(model)
        for app, name in sorted(MigrationLoader(None).disk_migrations):
            recorder.record_applied(app, name)
        emit_post_migrate_signal(verbosity=0, interactive=False, db=connection.alias)


@contextmanager
def _one_at_a_time(connection: Any) -> Iterator[None]:
    """Among the processes on this data folder; on PostgreSQL among those of all hosts."""
    from django.conf import settings

    with open(settings.WHYTREE.data / "migrate.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if connection.vendor != "postgresql":
            yield
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATING])
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATING])
