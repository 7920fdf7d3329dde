"""The git hooks that write `Why: SOL-3` into the commits of a branch that was started with `whytree start`.

`prepare-commit-msg` adds the line, where one can see and change it. `commit-msg` only keeps git's own habit: a
message in which nobody wrote anything is no message, even if it has that line. Both are plain shell, do nothing on
other branches, and call the hook that stood there before first.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from whytree.code.git import Clone
from whytree.workspace.client import CommandError

NAMES = ("prepare-commit-msg", "commit-msg")
BEFORE = ".before-whytree"
_MARK = re.compile(r"^# whytree hook (\d+)", re.MULTILINE)
VERSION = 1

_COMMON = f"""#!/bin/sh
# whytree hook {VERSION}: commits of a branch that `whytree start` made say what they are for.
# To stop it: git config whytree.hook no   (or remove this file; what stood here before is beside it)
before="$0{BEFORE}"
if [ -x "$before" ]; then "$before" "$@" || exit $?; fi
[ "$(git config --get whytree.hook)" = no ] && exit 0
branch=$(git symbolic-ref --quiet --short HEAD) || exit 0
why=$(git config --get "branch.$branch.whytree") || exit 0
"""
_SCRIPTS = {
    "prepare-commit-msg": _COMMON
    + """# What was picked or reverted has reasons of its own.
[ -f "$(git rev-parse --git-path CHERRY_PICK_HEAD)" ] && exit 0
grep -q '^This reverts commit ' "$1" && exit 0
editing=$(git rev-parse --git-path WHYTREE_EDITING)
case "${2-}" in
  ''|template) : > "$editing"; room=1 ;;
  *) rm -f "$editing"; grep -q '[^[:space:]]' "$1" || exit 0 ;;
esac
grep -qi '^why:' "$1" && exit 0
git interpret-trailers --in-place --trailer "Why: $why" "$1"
# An empty line for the subject, and one to keep it apart; git drops what nobody used.
if [ "${room-}" ]; then { echo; cat "$1"; } > "$1.whytree" && cat "$1.whytree" > "$1"; rm -f "$1.whytree"; fi
""",
    "commit-msg": _COMMON
    + """# Only after an editor was opened: there, lines with a # in front are help and not the message.
editing=$(git rev-parse --git-path WHYTREE_EDITING)
[ -f "$editing" ] || exit 0
rm -f "$editing"
if ! sed '/^# -* >8 -*$/,$d' "$1" | grep -v '^#' | grep -v '^Why: ' | grep -q '[^[:space:]]'; then
  echo 'Aborting commit due to empty commit message.' >&2
  exit 1
fi
""",
}


@dataclass(frozen=True)
class Hooks:
    """Where this clone's hooks live. `shared`: the folder serves other repositories too."""

    folder: Path
    shared: bool
    installed: bool
    refused: bool

    @property
    def existing(self) -> list[str]:
        """Hooks of somebody else's that ours would call first."""
        return [name for name in NAMES if (self.folder / name).exists() and _version(self.folder / name) == 0]


def find_hooks(clone: Clone) -> Hooks:
    """Look where git looks, `core.hooksPath` included."""
    folder = Path(os.path.normpath(clone.root / clone.read("rev-parse", "--git-path", "hooks")))
    inside = Path(os.path.normpath(clone.root / clone.read("rev-parse", "--git-common-dir")))
    shared = not folder.is_relative_to(inside) and not folder.is_relative_to(clone.root)
    installed = all(_version(folder / name) == VERSION for name in NAMES)
    return Hooks(folder, shared, installed, clone.ask("config", "--get", "whytree.hook") == "no")


def install(clone: Clone, hooks: Hooks) -> None:
    """Put our hooks there. One that stood there before is kept beside, and called first; doing it again changes nothing."""
    try:
        hooks.folder.mkdir(parents=True, exist_ok=True)
        for name in NAMES:
            _put(hooks.folder / name, _SCRIPTS[name])
    except OSError as error:
        raise CommandError(
            f"The hooks folder {hooks.folder} cannot be written: {error.strerror}. "
            "Write the line “Why: …” into your messages by hand, or make it writable and start again."
        ) from error
    clone.read("config", "whytree.hook", "yes")


def refuse(clone: Clone) -> None:
    """Remember not to ask again."""
    clone.read("config", "whytree.hook", "no")


def _put(hook: Path, script: str) -> None:
    if hook.exists() and _version(hook) == 0:
        hook.rename(hook.with_name(hook.name + BEFORE))
    if not hook.exists() or hook.read_text(encoding="utf-8") != script:
        hook.write_text(script, encoding="utf-8")
    hook.chmod(0o755)


def _version(hook: Path) -> int:
    """Version of our hook; 0 for somebody else's or none."""
    try:
        found = _MARK.search(hook.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return 0
    return int(found[1]) if found else 0
