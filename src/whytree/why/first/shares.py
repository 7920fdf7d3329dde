"""How much of a repository can say whom it is for."""

from collections import Counter
from dataclasses import dataclass, field

from whytree.code.models import Repository
from whytree.errors import NotFound
from whytree.workspace.models import Product

from ..answering.linking import links_of


@dataclass(frozen=True)
class Share:
    """Surviving lines whose commits lead to a node of the tree, by the rule that linked them."""

    repository: str
    commits: int
    linked_commits: int
    lines: int
    explained_lines: int
    by_rule: dict[str, int] = field(default_factory=dict)


def explained_share(product: Product, name: str) -> Share:
    """Counted over the lines of the last reading. Commits that no key of theirs can link are not even looked at."""
    repository = Repository.objects.filter(product=product, name=name).first()
    if repository is None:
        raise NotFound(f"No repository is called {name[:100]} in {product.name}. See: whytree repository list")
    links = links_of(repository)
    lines = dict(repository.commits.filter(lines__gt=0).values_list("pk", "lines"))
    by_rule: Counter[str] = Counter()
    for pk, found in links.items():
        by_rule[found.rule] += lines.get(pk, 0)
    return Share(
        repository=repository.name,
        commits=repository.commits.count(),
        linked_commits=len(links),
        lines=sum(lines.values()),
        explained_lines=by_rule.total(),
        by_rule={rule: lines for rule, lines in by_rule.most_common() if lines},
    )
