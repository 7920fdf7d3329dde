"""A part that cannot be read is not left out in silence."""

from pathlib import Path

from whytree.stores.engine.connection import Embedded
from whytree.stores.engine.damage import damage
from whytree.stores.events import EventStore, _cannot_open


def test_a_part_that_the_engine_set_aside_is_told_with_what_to_do(store: EventStore) -> None:
    store.insert("events", [{"product": 1, "person": 1, "timestamp": 1_760_000_000.0, "event": "opened"}])
    store.execute("ALTER TABLE events DETACH PARTITION ID 'all'")
    assert damage() == "", "somebody set it aside: that is no damage"
    for row in store.query("SELECT path FROM system.detached_parts WHERE database = currentDatabase()"):
        aside = Path(row["path"])
        aside.rename(aside.with_name(f"broken-on-start_{aside.name}"))  # as the engine does when it opens
    told = damage()
    assert told.startswith("1 part of the event store could not be read, and what stood there (events) is missing")
    assert "whytree restore" in told
    assert "broken-on-start_" in told


def test_a_folder_that_was_copied_without_its_links_is_told_apart_from_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / "whytree").symlink_to(tmp_path)
    engine, error = Embedded(tmp_path, 256), ValueError("Error initializing EmbeddedServer: .")
    assert "the disk is not full" in _cannot_open(engine, error).message
    (tmp_path / "metadata" / "whytree").unlink()
    (tmp_path / "metadata" / "whytree").mkdir()
    assert "cp -a" in _cannot_open(engine, error).message
