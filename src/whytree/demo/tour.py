"""The five-minute tour: where to look, and what to try. The same stops stand in docs/demo.md."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from . import story


@dataclass(frozen=True)
class Stop:
    """A sentence or two, and what to open or type: each on a line of its own, so that it can be taken whole."""

    words: str
    then: tuple[str, ...] = ()


def tour(base_url: str, data: Path) -> list[Stop]:
    """Eight stops, in their order."""
    page, ask = f"{base_url}/p/{story.SLUG}", f"{command()} --data .."
    seconds = round(story.FIELD_SECONDS["company_size"][0])
    return [
        Stop(
            "The ticket says “Build sign-up form, collect user info.” Start it; it asks three questions.",
            (f"cd {data}/sprout", f'{ask} start "#57"'),
        ),
        Stop(
            "Where do people leave? One in four at the phone number. Press “left here” and read what they said; "
            "fourteen said why (OPP-2).",
            (f"{page}/ASK-1", f"{page}/OPP-2"),
        ),
        Stop("The favourite died before code; sales' challenge is answered beside it.", (f"{page}/SOL-4",)),
        Stop(
            "Edit the locked prediction: refused, and logged. Engineering's constraint stands below it.",
            (f"{page}/SOL-2",),
        ),
        Stop(
            "“Defer” is measured: what it did, whether to trust it, what each role had expected, on one page. Decide. "
            "“Explain why” (EXP-3) is too early to tell.",
            (f"{page}/REV-2",),
        ),
        Stop(
            "What that changed: a corner to mend, and those who asked. One of them says that it did not help.",
            (f"{page}/today", f"{page}/SOL-2/requesters"),
        ),
        Stop(
            f"From a line to the people who asked; and a field that takes {seconds} seconds, that no code reads and "
            "nobody asked for.",
            (f"{ask} why app/signup/form.py:42", f"{ask} why app/signup/form.py:43"),
        ),
        Stop("Invented data? Your own clone, or your own product: README.md.", (f"cd your-clone && {command()} init",)),
    ]


def command() -> str:
    """How to call us from this shell: a virtual environment need not be on the path."""
    beside = Path(sys.executable).with_name("whytree")
    if shutil.which("whytree"):
        return "whytree"
    return str(beside) if beside.is_file() else f"{sys.executable} -m whytree"
