"""What one can ask about, said with what this product has: each example answers when it is clicked."""

from dataclasses import dataclass

from whytree.code.models import Commit, CommitKey, FileBlame, Ticket
from whytree.flags.models import Flag
from whytree.tree.models import Solution
from whytree.workspace.models import Product

#: Files of one commit that are looked at for a line of it.
MOST_FILES = 20


@dataclass(frozen=True)
class Example:
    """`typed` is there, and `words` say what it is; where there is none yet, one that is made up, with `exists` false."""

    typed: str
    words: str
    exists: bool = True


def examples(product: Product) -> list[Example]:
    """One of each kind, the newest first of all: a commit that says what it is for, and a line that it left."""
    commit = _commit(product)
    line = _line(commit) if commit else ""
    path = line.rpartition(":")[0]
    folder = path.rpartition("/")[0]
    flag = Flag.objects.filter(product=product).order_by("-pk").values_list("key", flat=True).first()
    ticket = Ticket.objects.filter(product=product).order_by("-pk").values_list("key", flat=True).first()
    solution = Solution.objects.filter(product=product).order_by("-updated_at").first()
    return [
        _example(line, "app/form.py:42", "a line; :40-48 are several, no number is the whole file"),
        Example("app/form.py::SignUp.clean", "a function, a class, a constant", exists=False),
        _example(f"{folder}/" if folder else "", "app/", "a folder: what its lines are for, by share"),
        _example(commit.short if commit else "", "4f2c9d1", "a commit"),
        _example(f"flag:{flag}" if flag else "", "flag:new_form", "a flag"),
        _example(ticket or "", "#412", "a ticket: #412, ABC-12 or its address"),
        _example(solution.ref if solution else "", "SOL-3", "anything with an id"),
    ]


def _example(real: str, made_up: str, words: str) -> Example:
    return Example(real or made_up, words, exists=bool(real))


def _commit(product: Product) -> Commit | None:
    commits = Commit.objects.filter(repository__product=product).order_by("-authored_at")
    return commits.filter(keys__kind=CommitKey.Kind.NODE).first() or commits.exclude(files=[]).first()


def _line(commit: Commit) -> str:
    """The first line that is left of what the commit wrote; empty where none is."""
    files = FileBlame.objects.filter(repository=commit.repository_id, path__in=commit.files[:MOST_FILES])
    for path, spans in files.values_list("path", "spans"):
        for first, _, sha in spans:
            if sha == commit.sha:
                return f"{path}:{first}"
    return ""
