"""The git hooks that write `Why: SOL-3` into the commits of a branch that was started with `whytree start`.

`prepare-commit-msg` adds the line, where one can see and change it. `commit-msg` only keeps git's own habit: a
message in which nobody wrote anything is no message, even if it has that line. Both are plain shell, do nothing on
other branches, and call the hook that stood there before first.

Where they go: into the folder that git looks in. A hook that is *tracked* there belongs to the whole team and is left
as it is: ours then stand in the clone's own `.git/whytree`, and one line in the team's hook calls them.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from whytree.code.clone.git import Clone
from whytree.workspace.terminal.client import CommandError

NAMES = ("prepare-commit-msg", "commit-msg")
BEFORE = ".before-whytree"
_MARK = re.compile(r"^# whytree hook (\d+)", re.MULTILINE)
VERSION = 2

# `pre-commit install` moves what it finds to NAME.legacy and calls it, so ours may be called by the very hook that it
# keeps: each runs once a message. husky's files find their script by the name they were called by.
_COMMON = f"""#!/bin/sh
# whytree hook {VERSION}: commits of a branch that `whytree start` made say what they are for.
# To stop it: git config whytree.hook no   (or remove this file; what stood here before is beside it)
name=NAME
[ "${{WHYTREE_HOOK-}}" = "$name $1" ] && exit 0
WHYTREE_HOOK="$name $1"; export WHYTREE_HOOK
before="$(dirname "$0")/$name{BEFORE}"
call_before() {{
  [ -x "$before" ] || return 0
  case $0 in *.legacy) grep -q pre-commit "$before" && return 0 ;; esac
  if grep -q 'dirname .*"\\$0")/h"' "$before"; then sh -c '. "$0{BEFORE}"' "$0" "$@"; else "$before" "$@"; fi
}}
call_before "$@" || exit $?
[ "$(git config --get whytree.hook)" = no ] && exit 0
branch=$(git symbolic-ref --quiet --short HEAD) || exit 0
why=$(git config --get "branch.$branch.whytree") || exit 0
"""
_SCRIPTS = {
    "prepare-commit-msg": _COMMON.replace("NAME", "prepare-commit-msg")
    + """# What was picked, merged or reverted has reasons of its own.
[ "${2-}" = merge ] && exit 0
[ -f "$(git rev-parse --git-path CHERRY_PICK_HEAD)" ] && exit 0
grep -q '^This reverts commit ' "$1" && exit 0
editing=$(git rev-parse --git-path WHYTREE_EDITING)
case "${2-}" in
  ''|template) : > "$editing"; room=1 ;;
  *) rm -f "$editing"; grep -q '[^[:space:]]' "$1" || exit 0 ;;
esac
# A reason stands there already, perhaps quoted by a squash; "Why: it was slow" is prose, and names none.
grep -Eqi '^[[:space:]*>-]*why(-[a-z]+)?:[[:space:]]*([a-z]+-[0-9]|[a-z0-9_./-]*[#!][0-9]|none|flag:|https?:)' "$1" && exit 0
git interpret-trailers --in-place --no-divider --where end --if-exists addIfDifferent --trailer "Why: $why" "$1"
# An empty line for the subject, and one to keep it apart; git drops what nobody used.
if [ "${room-}" ]; then { echo; cat "$1"; } > "$1.whytree" && cat "$1.whytree" > "$1"; rm -f "$1.whytree"; fi
exit 0
""",
    "commit-msg": _COMMON.replace("NAME", "commit-msg")
    + """# Only after an editor was opened: there, lines that begin with a # (or core.commentChar) are help, not the message.
editing=$(git rev-parse --git-path WHYTREE_EDITING)
[ -f "$editing" ] || exit 0
rm -f "$editing"
mark=$(git config --get core.commentString || git config --get core.commentChar || echo '#')
[ "$mark" = auto ] && mark='#'
if ! MARK="$mark" awk '
  index($0, ENVIRON["MARK"]) == 1 { if ($0 ~ /-+ >8 -+/) exit; next }
  /^Why: / { next }
  /[^ \\t\\r]/ { written = 1 }
  END { exit !written }' "$1"; then
  echo 'Aborting commit due to empty commit message.' >&2
  exit 1
fi
exit 0
""",
}
_LINE = 'hook="$(git rev-parse --git-common-dir)/whytree/{name}"; [ ! -x "$hook" ] || "$hook" "$@" || exit $?'


@dataclass(frozen=True)
class Hooks:
    """Where this clone's hooks live.

    `shared`: the folder serves other repositories too. `tracked`: hooks of ours-to-be that are files of the repository.
    `agreed` and `refused` are what the person said when they were asked; None of the two: nobody asked yet.
    """

    folder: Path
    own: Path
    shared: bool
    installed: bool
    refused: bool
    agreed: bool = False
    tracked: tuple[str, ...] = ()

    @property
    def existing(self) -> list[str]:
        """Hooks of somebody else's that ours would call first."""
        names = [name for name in NAMES if name not in self.tracked and os.path.lexists(self.folder / name)]
        return [name for name in names if _version(self.folder / name) == 0 and not _stands_behind(self.folder, name)]

    @property
    def missing_lines(self) -> dict[str, str]:
        """What the team's own hooks lack to call ours: file to line."""
        lacking = (name for name in self.tracked if not _mentions_ours(self.folder / name))
        return {str(self.folder / name): _LINE.format(name=name) for name in lacking}


def find_hooks(clone: Clone) -> Hooks:
    """Look where git looks, `core.hooksPath` included."""
    folder = Path(os.path.normpath(clone.root / clone.read("rev-parse", "--git-path", "hooks")))
    common = clone.git_folder
    said = clone.ask("config", "--get", "whytree.hook")
    is_inside = folder.resolve().is_relative_to(clone.root.resolve())
    shared = not folder.is_relative_to(common) and not is_inside
    own = common / "whytree"
    tracked = tuple(name for name in NAMES if is_inside and _is_tracked(clone, folder / name))
    ready = all(
        _version(own / name) == VERSION and _mentions_ours(folder / name) if name in tracked else _is_ours(folder, name)
        for name in NAMES
    )
    return Hooks(folder, own, shared, ready, refused=said == "no", agreed=said == "yes", tracked=tracked)


def install(clone: Clone, hooks: Hooks) -> None:
    """Put our hooks there. One that stood there before is kept beside, and called first; doing it again changes nothing."""
    try:
        for name in NAMES:
            if name in hooks.tracked:
                _put(hooks.own / name, _SCRIPTS[name])
            elif not _stands_behind(hooks.folder, name):
                _put(hooks.folder / name, _SCRIPTS[name])
                _keep_out_of_status(clone, hooks.folder / name)
    except OSError as error:
        raise CommandError(
            f"The hooks folder {hooks.folder} cannot be written: {error.strerror}. Make it writable and start again."
        ) from error
    clone.read("config", "whytree.hook", "yes")


def refuse(clone: Clone) -> None:
    """Remember not to ask again."""
    clone.read("config", "whytree.hook", "no")


def _put(hook: Path, script: str) -> None:
    hook.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(hook) and _version(hook) == 0:
        before = hook.with_name(hook.name + BEFORE)
        if os.path.lexists(before) and _content(before) != _content(hook):
            before.replace(before.with_name(before.name + ".old"))
        hook.replace(before)
    if _content(hook) != script.encode():
        hook.write_bytes(script.encode())  # never with \r\n, which no sh can read
    hook.chmod(0o755)


def _keep_out_of_status(clone: Clone, hook: Path) -> None:
    """A folder of hooks inside the work tree: our file is this clone's business, not the team's."""
    path, root = hook.resolve(), clone.root.resolve()
    if not path.is_relative_to(root) or path.is_relative_to(root / ".git") or clone.ask("check-ignore", str(hook)):
        return
    exclude = Path(os.path.normpath(clone.root / clone.read("rev-parse", "--git-path", "info/exclude")))
    exclude.parent.mkdir(parents=True, exist_ok=True)
    with exclude.open("a", encoding="utf-8") as file:
        file.write(f"/{path.relative_to(root).as_posix()}\n/{path.relative_to(root).as_posix()}{BEFORE}\n")


def _is_tracked(clone: Clone, hook: Path) -> bool:
    return hook.is_file() and bool(clone.ask("ls-files", "--", str(hook.resolve())))


def _mentions_ours(hook: Path) -> bool:
    return f"/whytree/{hook.name}".encode() in _content(hook)


def _is_ours(folder: Path, name: str) -> bool:
    """Ours stands there, or behind the hook of pre-commit, which calls it."""
    return _version(folder / name) == VERSION or _stands_behind(folder, name)


def _stands_behind(folder: Path, name: str) -> bool:
    return _version(folder / f"{name}.legacy") == VERSION and b"pre-commit" in _content(folder / name)


def _version(hook: Path) -> int:
    """Version of our hook; 0 for somebody else's or none."""
    found = _MARK.search(_content(hook).decode("utf-8", "replace"))
    return int(found[1]) if found else 0


def _content(hook: Path) -> bytes:
    try:
        return hook.read_bytes()
    except OSError:
        return b""
