"""Work for the makers, told from work for those who use what is made."""

import pytest

from whytree.engines.texts.chores import is_chore, is_inner

CHORES = (
    "chore(deps): bump django",
    "Bump acorn from 6.1 to 6.2",
    "tooling: eslint for everything",
    "i18n: update keys",
    "Fix flaky test of the importer",
    "Release 1.4",
)
INNER = (
    "Upgrade the frontend stack",
    "Change: migrate user pages to React",
    "[Feature] Convert the list pages to TypeScript",
    "format code by black and isort",
    "Prettier all the code",
    "update trust bundle of the database",
    "Update to Python 3.12",
    "Pull new translations from Transifex",
    "Extract a mixin for drafts",
    "Replace Celery with RQ",
    "Use uv in CI",
    "Some improvements and refactoring",
    "Some fixes",
    "Dev",
    "Linter update",
    "more work on Scaffold base class",
    "update project metadata",
    "feat: v2",
    "Fix warnings for mixed declarations",
    "Split permissions.py into a package",
)
FOR_SOMEBODY = (
    "feat(admin): danger zone to delete a site",
    "Allow people to decide how missing values are drawn",
    "Design improvements",
    "i18n: add Polish",
    "Black theme",
    "Emoji reactions on comments",
    "Move the status of a page into a side panel",
    "Replace passwords with sign-in codes",
    "Alert page: migrate to React and redesign",
    "Runs of a job can be repeated",
    "Update the details dialog to show the HTML tab by default",
    "Send invoices by mail",
    "Split a payment with friends",
    "Some way to pause a check",
)


@pytest.mark.parametrize("title", [*CHORES, *INNER])
def test_nobody_outside_would_call_it_a_change(title: str) -> None:
    assert is_inner(title)
    assert is_chore(title) == (title in CHORES)


@pytest.mark.parametrize("title", FOR_SOMEBODY)
def test_what_somebody_may_notice_is_kept(title: str) -> None:
    assert not is_inner(title, ["app/pages.py", "tests/test_pages.py", "CHANGELOG.md"])


def test_files_tell_what_a_title_does_not() -> None:
    for paths in (
        ["tests/test_a.py", "src/a_test.go", "web/a.spec.ts", ".github/workflows/ci.yml", "docs/a.html"],
        ["locale/de/LC_MESSAGES/django.po", "po/de.mo", "LICENSE", "package.json", "uv.lock", "ca/trust.pem"],
        ["app/migrations/0007_squashed.py"],
    ):
        assert is_inner("A better one", paths)
        assert not is_inner("feat: Georgian", paths)
        assert not is_inner("A better one", [*paths, "app/latest/inspection.py"])
