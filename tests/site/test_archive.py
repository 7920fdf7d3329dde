"""What is taken out comes back the same, byte for byte, and a damaged copy is refused whole."""

import errno
import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps

from whytree import options
from whytree.errors import Conflict, Forbidden, Invalid
from whytree.site.boot import refuse_half_imported
from whytree.stores import events as stores_events
from whytree.stores.writing import transfer
from whytree.tree.services import create_opportunity
from whytree.workspace import archive, services
from whytree.workspace.background.lifecycle import UNDER_WAY
from whytree.workspace.entry.keys import actor_for, find_key
from whytree.workspace.models import User
from whytree.workspace.terminal.client import CommandError

pytestmark = [pytest.mark.django_db, pytest.mark.relational]


def _empty_database() -> None:
    for model in reversed(archive.tables()):
        model._default_manager.all().delete()


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def filled(actor: Any, product: Any, bob: Any, store: Any) -> Any:
    services.edit_product(actor, product, vision='Ünïcode 🌱, quotes " and\nnewlines')
    store.insert(
        "events",
        [
            {
                "product": product.pk,
                "person": 2**64 - index - 1,
                "timestamp": "2026-01-02 03:04:05.678",
                "event": "opened 🌱",
                "event_id": 2**63 + index,
                "distinct_id": f"p{index}",
                "received_at": "2026-01-02 03:04:06.000",
                "properties": {"z": "1", "a": 'tab\tquote"', "m": "√"},
                "flags": {"b": "on", "a": "off"},
            }
            for index in range(500)
        ],
    )
    return product


def test_export_import_export_is_byte_equal(filled: Any, actor: Any, tmp_path: Path) -> None:
    joined = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)  # less than a millisecond after the second
    User.objects.filter(email="bob@example.org").update(created_at=joined)
    create_opportunity(
        actor, filled, title="The phone number puts people off"
    )  # changed at a time that Django sets itself
    archive.export_workspace(tmp_path / "one")
    _empty_database()
    with stores_events.temporary_database():
        archive.import_workspace(tmp_path / "one")
        archive.export_workspace(tmp_path / "two")
    assert _contents(tmp_path / "one") == _contents(tmp_path / "two")
    assert User.objects.get(email="bob@example.org").created_at == joined


def test_a_backup_comes_back(filled: Any, tmp_path: Path) -> None:
    archive.pack(tmp_path / "copy.tar.gz")
    _empty_database()
    with stores_events.temporary_database() as fresh:
        archive.unpack(tmp_path / "copy.tar.gz")
        assert fresh.value("SELECT count() FROM events") == 500
    made = services.create_product(archive_actor(), name="After")
    assert made.pk > filled.pk, "numbers go on where they were"


def archive_actor() -> Any:
    from whytree.workspace.entry.keys import actor_of_user

    return actor_of_user(User.objects.get(email="alice@example.org"))


@pytest.mark.parametrize("file", ["database/workspace.User.jsonl", "secrets.json"])
def test_a_changed_file_is_refused_and_nothing_is_imported(file: str, filled: Any, tmp_path: Path) -> None:
    archive.export_workspace(tmp_path / "one")
    changed = tmp_path / "one" / file
    changed.write_bytes(changed.read_bytes()[:-2])
    _empty_database()
    with stores_events.temporary_database(), pytest.raises(Invalid, match="changed since"):
        archive.import_workspace(tmp_path / "one")
    assert not User.objects.exists()


def test_it_refuses_a_workspace_that_is_not_empty(filled: Any, tmp_path: Path) -> None:
    archive.export_workspace(tmp_path / "one")
    with pytest.raises(Conflict, match="not empty"):
        archive.import_workspace(tmp_path / "one")


@pytest.mark.parametrize(
    ("there", "here", "version", "told"),
    [
        ("0900_then", "", "9.9.9", "made by Whytree 9.9.9, .* Update, and say it again"),
        ("0900_then", "", "", "made by a newer Whytree, .* Update, and say it again"),
        (
            "",
            "0900_since",
            "0.0.1",
            r"made by Whytree 0.0.1, .* \(pipx install --force whytree==0.0.1\), then: pipx upgrade",
        ),
        ("", "0900_since", "", "made by an older Whytree, .* Bring it in with the version that made it"),
    ],
)
def test_another_versions_export_is_refused_with_the_version_to_take(
    there: str, here: str, version: str, told: str, filled: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.export_workspace(tmp_path / "one")
    manifest = tmp_path / "one" / "manifest.json"
    changed = json.loads(manifest.read_text())
    changed["version"] = version
    if there:
        changed["migrations"]["workspace"].append(there)
    manifest.write_text(json.dumps(changed))
    _empty_database()
    if here:
        known = archive._migrations()
        monkeypatch.setattr(archive, "_migrations", lambda: {**known, "workspace": [*known["workspace"], here]})
    with pytest.raises(Invalid, match=told):
        archive.import_workspace(tmp_path / "one")


def test_one_that_finds_no_room_half_way_can_be_brought_in_again(
    filled: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.export_workspace(tmp_path / "one")
    _empty_database()

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with stores_events.temporary_database() as fresh:
        with monkeypatch.context() as patched:
            patched.setattr(archive, "_insert", full)
            with pytest.raises(OSError, match="No space left"):
                archive.import_workspace(tmp_path / "one")
        archive.import_workspace(tmp_path / "one")
        assert fresh.value("SELECT count() FROM events") == 500


def test_one_that_was_killed_is_begun_anew_and_nothing_else_begins_before(
    filled: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """A kill lets nobody clear up: no handler runs, as here."""
    settings.WHYTREE = replace(settings.WHYTREE, data=tmp_path)
    archive.pack(tmp_path / "copy.tar.gz")
    _empty_database()

    with stores_events.temporary_database() as fresh:
        with monkeypatch.context() as patched:
            patched.setattr(archive, "_bring_in", lambda folder, *_: transfer.load("events", rows(folder)))
            patched.setattr(archive, "run_after_import", lambda: None)
            archive.unpack(tmp_path / "copy.tar.gz")
        options.write_private(tmp_path / UNDER_WAY, "")
        (tmp_path / "copies" / "left").mkdir()
        (tmp_path / "copies" / "left" / ".held").touch()
        assert fresh.value("SELECT count() FROM events") == 3
        with pytest.raises(CommandError, match="Say it again"):
            refuse_half_imported()
        archive.unpack(tmp_path / "copy.tar.gz")
        assert fresh.value("SELECT count() FROM events") == 500
    assert sorted(one.name for one in (tmp_path / "copies").iterdir()) == []
    options.write_private(tmp_path / UNDER_WAY, "")  # killed when all was in
    refuse_half_imported()
    assert not (tmp_path / UNDER_WAY).exists()


def rows(folder: Path) -> list[bytes]:
    return (folder / "events" / "events.jsonl").read_bytes().splitlines()[:3]


@pytest.mark.parametrize("content", [b"", b"not a tar", b"\x1f\x8b\x08 half"])
def test_it_refuses_what_is_no_backup(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_bytes(content)
    with pytest.raises(Invalid, match="cannot be read as a backup"):
        archive.unpack(tmp_path / "x.tar.gz")


def test_it_overwrites_nothing(filled: Any, tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_bytes(b"precious")
    with pytest.raises(Conflict, match="exists"):
        archive.pack(tmp_path / "x.tar.gz")
    assert (tmp_path / "x.tar.gz").read_bytes() == b"precious"


def test_every_table_of_ours_is_in_it() -> None:
    ours = {model for model in apps.get_models() if model.__module__.startswith("whytree.")}
    again = {model for model in ours if getattr(model, "made_again", False)}
    assert {model._meta.label for model in again} == {"voice.MeaningSpace", "voice.MeaningShard", "voice.MeaningTalk"}
    assert set(archive.tables()) | set(archive.LEFT_OUT) | again == ours


def test_every_table_of_the_event_store_is_in_it(store: Any) -> None:
    there = {row["name"] for row in store.query("SELECT name FROM system.tables WHERE database = currentDatabase()")}
    assert there - {"migrations", "person_overrides_now"} == set(transfer.TABLES)


def test_only_somebody_who_owns_all_takes_a_backup(api: Any, api_bob: Any, other_product: Any) -> None:
    assert api_bob.get("/workspace/backup").status == 403
    assert api.get("/workspace/backup").status == 403, "Charlie's product is in it too"


def test_the_servers_own_machine_takes_one_whosever_products_there_are(
    api: Any, other_product: Any, settings: Any, tmp_path: Path
) -> None:
    """Else somebody who makes a product of their own would end the backup that runs every night."""
    settings.WHYTREE = replace(settings.WHYTREE, data=tmp_path)
    facts = find_key(api.token)
    assert facts is not None
    options.write_private(tmp_path / "owner.token", api.token)
    archive.require_whole_workspace(actor_for(facts))
    options.write_private(tmp_path / "owner.token", "wtp_of_somebody_else")
    with pytest.raises(Forbidden, match="owns them all"):
        archive.require_whole_workspace(actor_for(facts))


def test_what_a_killed_backup_left_is_thrown_away_and_one_under_way_is_not(settings: Any, tmp_path: Path) -> None:
    settings.WHYTREE = replace(settings.WHYTREE, data=tmp_path)
    left, of_old, begun = (tmp_path / "copies" / name for name in ("left", "of an older version", "begun"))
    for folder in (left, of_old, begun):
        folder.mkdir(parents=True)
        (folder / "workspace.User.jsonl").write_text("{}")
    (left / ".held").touch()
    os.utime(of_old, (0, 0))
    with archive._room() as under_way:  # the next one makes room for itself
        archive.throw_away_left({})
        assert {one.name for one in (tmp_path / "copies").iterdir()} == {"begun", under_way.name}
