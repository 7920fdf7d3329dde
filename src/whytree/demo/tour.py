"""The five-minute tour: where to look, and what to try. The same stops stand in docs/demo.md."""

import shutil
import sys
from pathlib import Path

from . import story


def tour(base_url: str, data: Path) -> list[str]:
    """The stops, a sentence or two each, with an address or a command."""
    page, ask = f"{base_url}/p/{story.SLUG}", f"{command()} --data .."
    seconds = round(story.FIELD_SECONDS["company_size"][0])
    return [
        "The ticket says “Build sign-up form, collect user info.” Start it; it asks three questions:\n"
        f'     cd {data}/sprout && {ask} start "#57"',
        f"One in four left at the phone number. Fourteen said why, in their own words: {page}/OPP-2",
        f"The favourite died before code; sales' challenge is answered beside it: {page}/SOL-4",
        f"Edit the locked prediction: refused, and logged. Engineering's constraint stands below it: {page}/SOL-2",
        "“Explain why” is too early to tell (EXP-3); “defer” is measured (EXP-2).\n"
        "     Read it, see what each role had expected of it (REV-2), and decide what becomes of it:\n"
        f"     {page}/experiments/EXP-2",
        f"What that changed: {page}/today and {page}/tree",
        f"From a line to the people who asked: {ask} why app/signup/form.py:42\n"
        f"     A field that takes {seconds} seconds, that no code reads and nobody asked for: {ask} why app/signup/form.py:43",
        "Invented data? README.md, “Put it on your own product”.",
    ]


def command() -> str:
    """How to call us from this shell: a virtual environment need not be on the path."""
    beside = Path(sys.executable).with_name("whytree")
    if shutil.which("whytree"):
        return "whytree"
    return str(beside) if beside.is_file() else f"{sys.executable} -m whytree"
