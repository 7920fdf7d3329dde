"""Writes `docs/reference/` from the code: every command, every API operation, every setting. A test holds the two together.

python docs/generate.py
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "reference"
MADE = "<!-- Made by docs/generate.py from the code; edit the code's help instead. -->\n\n"


def settings_page() -> str:
    from whytree.options import OPTIONS

    rows = [
        f"| `{option.name}` | {f'`{option.default}`' if option.default else ''} | {option.help} |" for option in OPTIONS
    ]
    return (
        MADE
        + "# Settings\n\nOnly environment variables; a secret may come from a file named by `<NAME>_FILE`. "
        + "`whytree settings` prints them with the values in force.\n\n| variable | default | meaning |\n|---|---|---|\n"
        + "\n".join(rows)
        + "\n"
    )


def cli_page() -> str:
    import typer.main

    from whytree.site.cli import build

    parts = [
        MADE,
        "# Commands\n\nEvery command answers `--help`. `--product NAME` and `--data DIR` stand before the command.\n",
    ]
    for words, command in _commands("whytree", typer.main.get_command(build())):
        parts.append(f"\n## `{words}`\n\n{_sentence(command.help)}\n")
        rows = [_parameter(parameter) for parameter in command.params if getattr(parameter, "name", "") != "help"]
        if rows:
            parts.append("\n| | |\n|---|---|\n" + "\n".join(rows) + "\n")
    return "".join(parts)


def _commands(words: str, command: Any) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield words, command
        return
    for name in sorted(children):
        yield from _commands(f"{words} {name}", children[name])


def _parameter(parameter: Any) -> str:
    option = getattr(parameter, "param_type_name", "") == "option"
    name = ", ".join(parameter.opts) if option else (parameter.metavar or parameter.name or "").upper()
    if not option and not parameter.required:
        name = f"[{name}]"
    return f"| `{name}` | {_sentence(getattr(parameter, 'help', ''))} |"


def _sentence(text: str | None) -> str:
    return " ".join((text or "").replace("\f", " ").split()).replace("|", "\\|")


def api_page() -> str:
    from whytree.site.api import api

    schema = api.get_openapi_schema()
    parts = [
        MADE,
        "# REST API\n\nBelow `/api`. Send `Authorization: Bearer <personal token or server key>`. "
        "Shapes and a console: `/api/docs` on your own server. Errors are `{code, message, details?}`.\n",
    ]
    by_tag: dict[str, list[str]] = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            meaning = _sentence(operation.get("description") or operation.get("summary"))
            line = f"| `{method.upper()}` | `{path}` | `{operation['operationId']}` | {meaning} |"
            by_tag.setdefault((operation.get("tags") or ["Other"])[0], []).append(line)
    for tag in sorted(by_tag):
        parts.append(
            f"\n## {tag}\n\n| | path | operation | |\n|---|---|---|---|\n" + "\n".join(sorted(by_tag[tag])) + "\n"
        )
    return "".join(parts)


def tools_page() -> str:
    from whytree.site.mcp import all_tools

    parts = [
        MADE,
        "# Tools\n\nWhat a coding agent may call over MCP ([how to plug it in](../agents.md)): "
        "`whytree mcp` in a clone, or `/mcp` on the server.\n",
    ]
    for tool in all_tools().values():
        parts.append(f"\n## `{tool.name}`\n\n{'Adds. ' if tool.writes else ''}{_sentence(tool.help)}\n")
        schema = tool.schema()
        rows = [
            _argument(name, said, name in schema.get("required", ())) for name, said in schema["properties"].items()
        ]
        parts.append("\n| | |\n|---|---|\n" + "\n".join(rows) + "\n")
    return "".join(parts)


def _argument(name: str, said: dict[str, Any], needed: bool) -> str:
    shown = f"`{name}`" if needed else f"[`{name}`]"
    choices = f" One of {', '.join(one or 'nothing' for one in said['enum'])}." if "enum" in said else ""
    return f"| {shown} | {_sentence(said.get('description'))}{choices} |"


PAGES = {"settings.md": settings_page, "commands.md": cli_page, "api.md": api_page, "tools.md": tools_page}


def main() -> None:
    os.environ["WHYTREE_DATA"] = tempfile.mkdtemp(prefix="whytree-docs-")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "whytree.site.settings")
    sys.path.insert(0, str(Path(__file__).parent.parent / "src"))
    import django

    django.setup()
    for name, write in PAGES.items():
        (FOLDER / name).write_text(write(), encoding="utf-8")


if __name__ == "__main__":
    main()
