"""What one can ask about, said with what this product has: each example answers when it is clicked."""

from dataclasses import dataclass

from whytree.code.models import FileBlame, Repository, Ticket
from whytree.errors import NotFound
from whytree.flags.models import Flag
from whytree.tree.models import Solution
from whytree.workspace.models import Product

from .first.first_look import example, find_repository, is_written
from .first.heard import once_a_change

#: Files that are looked at for a line where none leads anywhere.
MOST_FILES = 50


@dataclass(frozen=True)
class Example:
    """`typed` is there, and `words` say what it is; where there is none yet, one that is made up, with `exists` false."""

    typed: str
    words: str
    exists: bool = True


def examples(product: Product) -> list[Example]:
    """One of each kind; of lines the one with the best answer, and of commits the one that wrote it."""
    path, line, sha = _line(product)
    folder = path.rpartition("/")[0]
    flag = Flag.objects.filter(product=product).order_by("-pk").values_list("key", flat=True).first()
    ticket = Ticket.objects.filter(product=product).order_by("-pk").values_list("key", flat=True).first()
    solution = Solution.objects.filter(product=product).order_by("-updated_at").first()
    return [
        _example(
            f"{path}:{line}" if path else "",
            "app/form.py:42",
            "a line; :40-48 are several, no number is the whole file",
        ),
        Example("app/form.py::SignUp.clean", "a function, a class, a constant", exists=False),
        _example(f"{folder}/" if folder else "", "app/", "a folder: what its lines are for, by share"),
        _example(sha[:7], "4f2c9d1", "a commit"),
        _example(f"flag:{flag}" if flag else "", "flag:new_form", "a flag"),
        _example(ticket or "", "#412", "a ticket: #412, ABC-12 or its address"),
        _example(solution.ref if solution else "", "SOL-3", "anything with an id"),
    ]


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
