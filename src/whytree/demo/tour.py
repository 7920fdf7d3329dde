"""The five-minute tour: where to look, and what to try. The same stops stand in docs/demo.md."""

from pathlib import Path

from . import story


def tour(base_url: str, data: Path) -> list[str]:
    """The stops, one sentence or two each, with an address or a command."""
    page = f"{base_url}/p/{story.SLUG}"
    ask = f"whytree --data {data} why"
    return [
        f"Today says what waits for you: {page}/today",
        f"The tree, from the outcome down to flags and tests: {page}/tree",
        f"One in four left at the phone number; their words stand with the problem: {page}/OPP-2",
        f"A favourite that died before code, with sales' challenge and its answer: {page}/SOL-4",
        f"Try to edit the prediction: it is locked, and the attempt is logged: {page}/HYP-2",
        f"The review is due. Read it, then decide what becomes of the change: {page}/REV-2",
        f"From a line of code to the people who asked: cd {data}/sprout && {ask} app/signup/form.py:42",
        f"And a field that nobody asked for and no code reads: {ask} app/signup/form.py:43",
        "Invented data? Put Whytree on your own product: README.md, “On your own product”.",
    ]
