"""What one can ask about, said with what this product has: each example answers when it is clicked."""

from dataclasses import dataclass

from whytree.code.models import FileBlame, Repository, Ticket
from whytree.errors import NotFound
from whytree.flags.models import Flag
from whytree.tree.models import Opportunity, Solution, State
from whytree.voice.models import FeedbackItem
from whytree.workspace.models import Product

from .first.first_look import example, find_repository, is_written
from .first.heard import once_a_change
from .refs import path_of

#: Files that are looked at for a line where none leads anywhere.
MOST_FILES = 50


@dataclass(frozen=True)
class Example:
    """`typed` is there, and `words` say what it is; where there is none yet, one that is made up, with `exists` false."""

    typed: str
    words: str
    exists: bool = True


def why_examples(product: Product) -> list[Example]:
    """One of each kind; of lines the one with the best answer, and of commits the one that wrote it."""
    path, line, sha = _line(product)
    return [
        _example(
            f"{path}:{line}" if path else "",
            "app/form.py:42",
            "a line; :40-48 are several, no number is the whole file",
        ),
        Example("app/form.py::SignUp.clean", "a function, a class, a constant", exists=False),
        _example(_folder(path), "app/", "a folder: what its lines are for, by share"),
        _example(sha[:7], "4f2c9d1", "a commit"),
        _flag(product),
        _example(_ticket(product), "#412", "a ticket: #412, ABC-12 or its address"),
        _example(_solution(product), "SOL-3", "anything with an id"),
    ]


def start_examples(product: Product) -> list[Example]:
    """A ticket that nobody has placed, the problem in focus, the idea that waits longest; else as they are written."""
    ticket = Ticket.objects.filter(product=product, node_links=None).exclude(state=Ticket.State.CLOSED)
    problem = Opportunity.objects.filter(product=product, closed_at=None).order_by("-in_focus", "-updated_at").first()
    idea = Solution.objects.filter(product=product, state=State.IDEA).order_by("updated_at").first()
    return [
        _named(ticket.exclude(title="").order_by("-pk").first() or ticket.order_by("-pk").first(), "#412", "a ticket"),
        _named(problem, "OPP-2", "a problem people have"),
        _named(idea, "SOL-3", "an idea that waits"),
        Example("Ask for the phone number later", "a few words, where there is no ticket", exists=False),
    ]


def improve_examples(product: Product) -> list[Example]:
    """A folder, a page somebody wrote from, a flag, a ticket, a problem."""
    told = FeedbackItem.objects.filter(product=product).exclude(url="").order_by("-said_at").first()
    problem = Opportunity.objects.filter(product=product, closed_at=None).order_by("-in_focus", "-updated_at").first()
    return [
        _example(_folder(_line(product)[0]), "app/signup/", "a folder or a file; :40-48 are some of its lines"),
        _example(path_of(told.url) if told else "", "/signup", "a page of your product"),
        _flag(product),
        _example(_ticket(product), "#412", "a ticket"),
        _named(problem, "OPP-2", "a problem people have"),
    ]


def _named(found: Ticket | Opportunity | Solution | None, made_up: str, words: str) -> Example:
    """By its id, and by what it is called where it has a name."""
    if found is None:
        return Example(made_up, words, exists=False)
    return Example(found.key if isinstance(found, Ticket) else found.ref, found.title or words)


def _folder(path: str) -> str:
    folder = path.rpartition("/")[0]
    return f"{folder}/" if folder else ""


def _flag(product: Product) -> Example:
    key = Flag.objects.filter(product=product).order_by("-pk").values_list("key", flat=True).first()
    return _example(f"flag:{key}" if key else "", "flag:new_form", "a flag")


def _ticket(product: Product) -> str:
    return Ticket.objects.filter(product=product).order_by("-pk").values_list("key", flat=True).first() or ""


def _solution(product: Product) -> str:
    found = Solution.objects.filter(product=product).order_by("-updated_at").first()
    return found.ref if found else ""


def _example(real: str, made_up: str, words: str) -> Example:
    return Example(real or made_up, words, exists=bool(real))


def _line(product: Product) -> tuple[str, int, str]:
    """Path, line and commit; the path is empty where no clone was read."""
    try:
        repository = find_repository(product)
    except NotFound:
        return "", 0, ""
    (best,) = once_a_change("example", repository, lambda one: (example(one),))
    files = FileBlame.objects.filter(repository=repository)
    if best is not None:
        spans = files.values_list("spans", flat=True).get(path=best.path)
        return best.path, best.first, next(sha for first, last, sha in spans if first <= best.first <= last)
    return _any_line(repository)


def _any_line(repository: Repository) -> tuple[str, int, str]:
    files = FileBlame.objects.filter(repository=repository).exclude(spans=[]).values_list("path", "spans")
    for path, spans in files[:MOST_FILES]:
        if is_written(path):
            first, _, sha = spans[0]
            return path, first, sha
    return "", 0, ""
