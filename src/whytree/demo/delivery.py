"""What went out: the server after each commit of the story, the app's releases as people name them, and the one that crashed."""

from datetime import datetime, timedelta
from pathlib import Path

from whytree.code.clone.git import open_clone

from . import story
from .stage import Stage

#: Commits that are older went out before anybody told of it.
TOLD_FROM = -250
FIRST = 38
SOON = timedelta(hours=3)
RELEASES = (("4.1", 8), ("4.2", story.RELEASE_CRASHED), ("4.2.1", story.RELEASE_MENDED))


def tell(path: Path, stage: Stage) -> None:
    """As the last step of each deployment would have told it; of the app only its stores' names for it are known."""
    desk, calendar = stage.of(story.ANA.key), stage.calendar
    told = [line.split(" ") for line in open_clone(path).read("log", "--reverse", "--format=%H %aI").splitlines()]
    moments = [(sha, datetime.fromisoformat(at)) for sha, at in told]
    for number, (sha, at) in enumerate((one for one in moments if one[1] > calendar.at(TOLD_FROM)), FIRST):
        name = f"server {number}"
        desk.post("deployments", id=name, commit=sha, version=name, finished_at=(at + SOON).isoformat())
    for version, day in RELEASES:
        finished_at = calendar.at(day, 10).isoformat()
        desk.post("deployments", id=f"app {version}", version=version, repository="app", finished_at=finished_at)
    desk.post(
        "incidents",
        key="INC-12",
        title="The app crashes when the map of classes opens",
        began_at=calendar.at(story.RELEASE_CRASHED, 14).isoformat(),
        resolved_at=calendar.at(story.RELEASE_MENDED, 10).isoformat(),
        caused_by="4.2",
    )
