"""What a changelog says is new."""

import pytest

from whytree.engines.texts.changelogs import LONGEST_TITLE, Change, changes_in, is_changelog

MARKDOWN = """# Changelog

## v1.2 - 2026-01-02

### Features
- Add word wrapping via `--wrap=word`, see #3597 (@veeceey)
- **Pause** a check from [the list](https://example.org/list). It stays there
  until it is resumed. ([#41](https://example.org/41))
    - also by keyboard
- Add tests for the list

### Bug Fixes
- Pausing twice no longer fails

## 1.1

- Fixed a crash
* Send invoices by mail. Closes #7, see #8 (@mara)
* [FEATURE #9](https://example.org/9):
  Snooze a check for a day
"""
UNDERLINED = """CHANGELOG
=========

0.74.3
------
- Added an option `--quiet` (thanks to @mara)
  ```sh
  - not a change at all
  ```

Fixes
~~~~~
- A quiet thing is quiet

7.0 (01.02.2026)
~~~~~~~~~~~~~~~~

 * Support for custom pages (Matt West, Sage van Abdullah)
 * Fix: Make it a class
 * Facets may begin with an underscore. (:issue:`1506`)
"""


def test_entries_are_told_by_line_without_what_stands_behind_them() -> None:
    assert list(changes_in(MARKDOWN)) == [
        Change(6, "Add word wrapping via `--wrap=word`", ("#3597",)),
        Change(7, "Pause a check from the list", ("#41",)),
        Change(18, "Send invoices by mail", ("#7", "#8")),
        Change(19, "Snooze a check for a day", ("#9",)),
    ]


def test_underlined_headings_and_lists_of_names_are_read_too() -> None:
    assert list(changes_in(UNDERLINED)) == [
        Change(6, "Added an option `--quiet`"),
        Change(18, "Support for custom pages"),
        Change(20, "Facets may begin with an underscore", ("#1506",)),
    ]


def test_nothing_long_broken_or_empty_stops_it() -> None:
    assert list(changes_in("")) == []
    assert list(changes_in("- \n-\n```\n- open code and no end")) == []
    (change,) = changes_in("- " + "pause the checks " * 60_000)
    assert len(change.title) <= LONGEST_TITLE
    assert len(list(changes_in("- Pause a check (" + "(" * 5_000 + " see #" * 5_000))) == 1


@pytest.mark.parametrize(
    "path", ["CHANGELOG.md", "docs/changelog.rst", "CHANGES", "NEWS.txt", "docs/en/release-notes.md"]
)
def test_a_changelog_is_known_by_its_name(path: str) -> None:
    assert is_changelog(path)


@pytest.mark.parametrize(
    "path", ["redash/models/changes.py", "src/history.go", "web/CHANGELOG.md/x", "lib/node_modules/a/CHANGELOG.md"]
)
def test_code_and_others_changelogs_are_none(path: str) -> None:
    assert not is_changelog(path)
