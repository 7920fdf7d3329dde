"""Work for the makers of a product, told from work for those who use it: by its title and by the files it touched.

    is_chore("Bump django to 5.2")                          # True: says so by its kind
    is_inner("Migrate the list pages to React", [...])      # True: nobody who uses the product would know of it

Words are weak evidence. `is_chore` believes those that hardly ever mean anything else, so that a person's wish is not
thrown away; `is_inner` is for choosing a few out of many titles, where a doubtful one costs more than a missing one. Pure.
"""

import re
from collections.abc import Collection

# Conventional commit types and their like, and what bots write.
_CHORE = re.compile(
    r"^\W*(?:(?:chore|ci|build|docs?|tests?|style|refactor(?:ing)?|perf|deps|dependencies|revert|release|lint|typo|tooling|infra|internal"
    r"|(?:i18n|l10n)\b(?!\W*add)|codebase improvement)\b(?:\([^)]*\))?\]?!?:?"
    r"|bump\b|update (?:dependenc|requirements|readme|changelog|copyright|licen[cs]e|version|translations)|upgrade (?:dependenc|to )"
    r"|fix (?:typo|lint|tests?|ci|build|formatting)|(?:prepare |cut )?releas(?:e|ing)\b|version \d|v?\d+\.\d+|merge\b|initial commit|wip\b"
    r"|clean(?:ed)? ?up|reformat|black(?:$| (?:format\w*|the|all|code)\b)|(?:run|apply) (?:black|ruff|prettier)|import order"
    r"|remove unused|moderni[sz]e code|document\b|use \w+ (?:manager|instead))"
    # ... and anywhere in a title:
    r"|\b(?:flaky|tests?|test suite|docs|documentation|docstrings?|changelog|typos?|linting|type hints?|github actions|pre-commit)\b",
    re.IGNORECASE,
)
# How something is built. The verb says it at the beginning of a title, also behind "Change:" or "[Feature]"; "move" and
# "replace" do not: what moved may be a button.
_INNER_VERB = re.compile(
    r"^\W*(?:(?:\[[^\]]{1,40}\]|[\w ]{1,20}(?:\([^)]*\))?!?:)\s*)?(?:"
    r"(?:upgrad|migrat|convert|port|rewrit|refactor|extract|encapsulat|restructur|rationali[sz]|separat|squash|format|prettier|lint"
    r"|generat|re-?run|pin|bump|install)(?:e|es|ed|ing|ting|s)?"
    r"|use|using|apply|appl(?:ied|ying)|consolidat(?:e|ed)|simplif(?:y|ied)|tidy|prepare for|move to|switch(?:ed)? to"
    r"|updat(?:e|ed|es) (?:.{0,40}\b(?:stack|bundle|packages?|lock ?files?|trust|certificates?|schema|snapshots?|config\w*|libs?"
    r"|metadata)\b"
    r"|(?:to )?\S+ (?:to )?v?\d))\b",
    re.IGNORECASE,
)
_INNER = re.compile(
    r"\b(?:refactor\w*|reformat\w*|codebase|boilerplate|monorepo|ci/cd|deprecat\w+|lazy propert\w+|mixins?|inheritance|subclass\w*"
    r"|(?:helper|base) (?:class|function|method)\w*|lint(?:er)? (?:updat\w+|fix\w*|rules?|config\w*)"
    r"|(?:internal|private|our) fork|back ?port\w*|end.to.end|e2e|migrat\w+ to|dead code"
    r"|code ?paths?|code (?:style|quality|format\w*)|squashed|makemessages|transifex|crowdin|weblate|dockerfile|makefile|lock ?file"
    r"|mypy|pylint|flake8|eslint|tslint|webpack|babel|jquery|typescript|sqlalchemy|celery|storybook|cypress|playwright|puppeteer|sphinx|golangci\S*"
    r"|rubocop|pprof|nightly|release (?:process|workflow|pipeline)s?|(?:fix|remove|silence|address)\w* (?:\w+ )?warnings"
    r"|split .{1,60} (?:into|out|up)"
    r"|(?:update|pull|fetch|sync|import|generate|auto-translate)\w*\b.{0,30}\btranslat\w+|translations? (?:updates?|sync)"
    r"|\S+\.(?:md|rst|toml|ya?ml|pem|lock)|(?:to|in|into|with) react|react (?:[\w ]{0,20}migration|version)|configuration files?"
    r"|(?:to|support) python ?\d)\b"
    # These are words of every day, too, but for their capitals or what stands beside them.
    r"|\b(?:by|with|using|run|apply|applied) black\b|\bblack (?:support|format)|\bprettier (?:all|the|code|format|config)",
    re.IGNORECASE,
)
# Titles of nothing but such words name no change at all: "Some fixes", "v2", a request that is called after its branch.
_NOTHING = re.compile(
    r"(?:\W*(?:some|various|several|small|minor|misc(?:ellaneous)?|more|few|a|the|and|other|bug ?|fix(?:es|ed)?|improvements?|changes?"
    r"|updates?|tweaks?|stuff|things|features?|patch(?:es)?|pr|branch|feat|version|v?\d[\d.]*"
    r"|dev|develop|development|master|main|staging)\b)+\W*",
    re.IGNORECASE,
)
_FEATURE = re.compile(r"feat(?:ure)?\b(?:\([^)]*\))?!?:", re.IGNORECASE)
_SEEN = re.compile(r"\bredesign", re.IGNORECASE)
_NOT_THE_PRODUCT = re.compile(
    r"^contrib/|(?:^|/)(?:tests?|testing|specs?|__tests__|__mocks__|__snapshots__|e2e|cypress|fixtures|docs?|documentation|\.[^/]+|ci|scripts|locales?|translations|migrations"
    r"|vendor|node_modules|third_party|benchmarks?|examples?)/"
    r"|(?:^|/)(?:\.[^/]+|licen[cs]e\S*|copying|notice|authors|contributors\S*|changelog\S*|changes\S*|history\S*|readme\S*|makefile|dockerfile\S*|docker-compose\S*"
    r"|requirements\S*|setup\.(?:py|cfg)|pyproject\.toml|tox\.ini|pytest\.ini|package\.json|go\.(?:mod|sum)|cargo\.toml|gemfile|pom\.xml|[^/]*\.config\.[jt]s"
    r"|test_[^/]+|[^/]+[._-](?:test|spec)s?\.[^/.]+|conftest\.py)$"
    r"|\.(?:md|rst|txt|adoc|po|pot|mo|lock|lockb|pem|crt|snap|ya?ml|toml|cfg|ini)$|(?:^|[/-])lock\.(?:json|ya?ml)$",
    re.IGNORECASE,
)


def is_product(path: str) -> bool:
    """Whether a file may be part of what people use: no test, document, build or translation."""
    return not _NOT_THE_PRODUCT.search(path)


def is_chore(title: str) -> bool:
    """Whether a title says that it is for the makers: a release, a dependency, tests, docs."""
    return bool(_CHORE.search(title))


def is_inner(title: str, paths: Collection[str] = ()) -> bool:
    """Whether nobody who uses the product would call this a change: also how it is built, and what only tests, documents,
    builds or translates it."""
    is_how = bool(_INNER_VERB.search(title) or _INNER.search(title)) and not _SEEN.search(title)
    if is_how or is_chore(title) or _NOTHING.fullmatch(title):
        return True
    # A language that is new may be nothing but translations.
    return bool(paths) and not _FEATURE.match(title) and not any(map(is_product, paths))
