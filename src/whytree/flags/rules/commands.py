"""Rules from the command line: `whytree flag rules`, `set`, `explain`, `history`, `back`, `condition`, `conditions`, `holdout`, `file`."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from whytree.workspace.terminal.client import Client, CommandError, connect
from whytree.workspace.terminal.printing import print_json, say, show

from ..environments.commands import Because, Environment, is_waiting, with_query

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Key = Annotated[str, typer.Argument(help="The flag's key, as code writes it.")]


def register(flag: typer.Typer) -> None:
    flag.command("rules")(rules)
    flag.command("set")(set_)
    flag.command("explain")(explain)
    flag.command("history")(history)
    flag.command("back")(back)
    flag.command("condition")(condition)
    flag.command("conditions")(conditions)
    flag.command("holdout")(holdout)
    flag.command("file")(file_)


def rules(
    key: Key,
    file: Annotated[
        Path | None,
        typer.Argument(help="The rule in JSON: JsonLogic, a flagd flag, or a flagd file; - reads the input."),
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take the rule away.")] = False,
    environment: Environment = "",
    because: Because = "",
    as_json: AsJson = False,
) -> None:
    """Show who a flag singles out, or set its targeting rule from a file in flagd's format.

    Whom the rule gives nothing (null) is left to the rollout: coverage and weights.
    """
    client = connect()
    path = f"/products/{client.product}/flags/{key}/rules"
    changing = with_query(path, environment=environment, because=because)
    if clear:
        _show_rules(client.patch(changing, {"targeting": None}), as_json)
    elif file is not None:
        rule, named = _rule_of(_read(file), key)
        for name, logic in named.items():
            client.put(f"/products/{client.product}/flag-conditions/{name}", {"logic": logic})
        _show_rules(client.patch(changing, {"targeting": rule}), as_json)
    else:
        _show_rules(client.get(path, environment=environment or None), as_json)


def _read(file: Path) -> dict[str, Any]:
    found = _read_json(file)
    if not isinstance(found, dict):
        raise CommandError(f"{file} must hold an object in JSON, as {{...}}.")
    return found


def _read_json(file: Path) -> Any:
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read: {error}.") from error
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{file} is no JSON that can be read: {error}.") from error


def _rule_of(document: dict[str, Any], key: str) -> tuple[Any, dict[str, Any]]:
    from whytree.errors import Invalid

    from .reading import rule_in

    try:
        rule, named = rule_in(document, key)
    except Invalid as error:
        raise CommandError(error.message) from error
    return rule, dict(named)


def _show_rules(found: dict[str, Any], as_json: bool) -> None:
    if is_waiting(found, as_json):
        return
    if as_json:
        print_json(found)
        return
    lines = list(_said(found))
    say(f"{found['key']}: {'; '.join(lines) if lines else 'nobody is singled out'}")
    if found["targeting"] is not None:
        from whytree.engines.flags.rules.describing import laid_out

        say(laid_out(found["targeting"]))


def _said(found: dict[str, Any]) -> Any:
    if found["targeting"] is not None:
        yield f"rule {found['says']}"
    for needed in found["prerequisites"]:
        yield f"needs {needed['flag']} to give {' or '.join(needed['variants'])}"
    if found["on_from"]:
        yield f"from {found['on_from']}"
    if found["on_until"]:
        yield f"until {found['on_until']}"
    for unit, variant in found["overrides"].items():
        yield f"{unit} gets {variant}"
    if found["unit"] == "company":
        yield "given by company"
    if found["is_sticky"]:
        yield "sticky"
    if found["group"]:
        yield f"places {found['group_start']} to {found['group_end']} of the group {found['group']}"
    if found["bucketing"] != "3":
        yield f"hashed as {found['bucketing']}"


def set_(
    key: Key,
    override: Annotated[
        list[str] | None, typer.Option(help="id=variant for one person, repeated; id= takes theirs away.")
    ] = None,
    cohort: Annotated[
        list[str] | None, typer.Option(help="cohort=variant for all its people, repeated; cohort= takes it away.")
    ] = None,
    needs: Annotated[
        list[str] | None, typer.Option(help='flag=variant that must be given, repeated; "" needs nothing.')
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", help='When it begins, as "2026-12-01 09:00" (UTC); "" for at once.')
    ] = None,
    until: Annotated[str | None, typer.Option(help='When it ends; "" for never.')] = None,
    by: Annotated[str | None, typer.Option(help="person or company: who gets one variant together.")] = None,
    sticky: Annotated[
        bool | None, typer.Option("--sticky/--not-sticky", help="Who has a variant keeps it.", show_default=False)
    ] = None,
    group: Annotated[str | None, typer.Option(help='Exclusion group; "" for none.')] = None,
    places: Annotated[str | None, typer.Option(help="Its places in the group, as 0-5000 of 10,000.")] = None,
    heed_holdout: Annotated[
        bool | None,
        typer.Option("--heed-holdout/--ignore-holdout", help="Whether the holdout is kept out.", show_default=False),
    ] = None,
    order: Annotated[str | None, typer.Option(help="Variants in hashing order, as control,test.")] = None,
    bucketing: Annotated[str | None, typer.Option(help="3, 2, posthog, growthbook-2 or growthbook-1.")] = None,
    environment: Environment = "",
    because: Because = "",
    as_json: AsJson = False,
) -> None:
    """Single out people, need other flags, schedule, stick, exclude. What is not named stays."""
    client = connect()
    path = f"/products/{client.product}/flags/{key}/rules"
    body: dict[str, Any] = {
        "unit": by,
        "is_sticky": sticky,
        "group": group,
        "heeds_holdout": heed_holdout,
        "bucketing": bucketing,
    }
    if override is not None or cohort is not None:
        there = client.get(path, environment=environment or None)
        body["overrides"] = _chosen(there["overrides"], override, "id") if override is not None else None
        body["cohorts"] = _chosen(there["cohorts"], cohort, "cohort") if cohort is not None else None
    if needs is not None:
        body["prerequisites"] = _needed(needs)
    if order is not None:
        body["arm_order"] = [name.strip() for name in order.split(",") if name.strip()]
    if places is not None:
        body["group_start"], body["group_end"] = _places(places)
    body = {name: value for name, value in body.items() if value is not None}
    for name, text in (("on_from", from_), ("on_until", until)):
        if text is not None:
            body[name] = _moment(text)
    _show_rules(client.patch(with_query(path, environment=environment, because=because), body), as_json)


def _moment(text: str) -> str | None:
    from whytree.engines.typed import optional_moment
    from whytree.errors import Invalid

    try:
        found = optional_moment(text)
    except Invalid as error:
        raise CommandError(error.message) from error
    return found.isoformat() if found else None


def _chosen(there: dict[str, str], words: list[str], what: str) -> dict[str, str]:
    found = dict(there)
    for word in words:
        unit, sign, variant = word.rpartition("=")
        if not (unit and sign):
            raise CommandError(f"{word!r} is not {what}=variant.")
        found.pop(unit, None)
        if variant:
            found[unit] = variant
    return found


def _needed(words: list[str]) -> list[dict[str, Any]]:
    found: dict[str, list[str]] = {}
    for word in filter(None, words):
        flag, sign, variant = word.partition("=")
        if not (flag and sign and variant):
            raise CommandError(f"{word!r} is not flag=variant.")
        found.setdefault(flag, []).append(variant)
    return [{"flag": flag, "variants": variants} for flag, variants in found.items()]


def _places(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    try:
        return int(first), int(last)
    except ValueError as error:
        raise CommandError("Places are two whole numbers, as --places 0-5000.") from error


def explain(
    key: Key,
    person: Annotated[str, typer.Argument(help="The person's id, as the SDK sends it.")] = "",
    with_: Annotated[
        list[str] | None,
        typer.Option("--with", help="An attribute that rules read: --with plan=pro --with company.id=acme"),
    ] = None,
    environment: Environment = "",
    as_json: AsJson = False,
) -> None:
    """Why one person gets what they get, step by step. This is no exposure."""
    client = connect()
    body = {"targeting_key": person, "context": _context(with_ or [])}
    path = with_query(f"/products/{client.product}/flags/{key}/evaluate", environment=environment)
    show_evaluation(client.post(path, body), as_json)


def show_evaluation(answer: dict[str, Any], as_json: bool) -> None:
    value = json.dumps(answer["value"], ensure_ascii=False)
    told = [] if answer["error"] else [f"{answer['variant']} = {value}   ({answer['reason']})"]
    show(answer, as_json, *told, *(f"  {step}" for step in answer["explanation"]))


def _context(words: list[str]) -> dict[str, Any]:
    from whytree.errors import Invalid

    from .reading import put_path, read_value

    found: dict[str, Any] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not (name and sign):
            raise CommandError(f"{word!r} is not name=value.")
        try:
            put_path(found, name, read_value(value))
        except Invalid as error:
            raise CommandError(error.message) from error
    return found


def history(key: Key, environment: Environment = "", as_json: AsJson = False) -> None:
    """Every state a flag was in, with what differed. `whytree flag back` takes one up again."""
    client = connect()
    found = client.get(f"/products/{client.product}/flags/{key}/history", environment=environment or None)
    if as_json:
        print_json(found)
        return
    for version in found:
        now = "  now" if version["is_now"] else ""
        say(f"{version['id']}  {version['at'][:16].replace('T', ' ')}  {version['verb']} by {version['by']}{now}")
        for one in version["differences"]:
            say(f"    {one['field']}: {_on_one_line(one['before'])} → {_on_one_line(one['after'])}")


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def back(
    key: Key,
    version: Annotated[int, typer.Argument(help="Its number in `whytree flag history`.")],
    environment: Environment = "",
    because: Because = "",
    as_json: AsJson = False,
) -> None:
    """Make a flag answer again as it did after that change."""
    client = connect()
    path = f"/products/{client.product}/flags/{key}/history/{version}/restore"
    _show_rules(client.post(with_query(path, environment=environment, because=because)), as_json)


def condition(
    name: Annotated[str, typer.Argument(help='What rules call it: {"$ref": "NAME"}')],
    file: Annotated[Path | None, typer.Argument(help="JsonLogic in JSON; - reads the input.")] = None,
    says: Annotated[str, typer.Option("--name", help="What it means, in one sentence.")] = "",
    remove: Annotated[bool, typer.Option("--remove", help="Take it away.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make, change or take away a condition that rules of several flags refer to."""
    client = connect()
    path = f"/products/{client.product}/flag-conditions/{name}"
    if remove:
        client.delete(path)
        show({"removed": name}, as_json, f"{name} is gone.")
        return
    if file is None:
        raise CommandError("Name the file with its rule, or --remove.")
    made = client.put(path, {"logic": _read(file), "name": says})
    show(made, as_json, f"{made['key']}: {made['says']}")


def conditions(as_json: AsJson = False) -> None:
    """Conditions with a name, and the flags that refer to them."""
    client = connect()
    found = client.get(f"/products/{client.product}/flag-conditions")
    lines = [f"{one['key']}: {one['says']}  used by {', '.join(one['used_by']) or 'no flag'}" for one in found]
    show(found, as_json, *(lines or ["There is none yet. Make one: whytree flag condition NAME FILE"]))


def holdout(
    percent: Annotated[float | None, typer.Argument(help="Share of the people, 0 to 50; 0 for none.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show or set the share of the people who meet no change, so that all changes together can be measured."""
    client: Client = connect()
    path = f"/products/{client.product}/flag-holdout"
    found = client.get(path) if percent is None else client.put(path, {"percent": percent})
    share = found["percent"]
    show(found, as_json, f"{share:g} % of the people meet no change." if share else "There is no holdout.")


def file_(
    output: Annotated[Path | None, typer.Option(help="Where to write it; printed otherwise.")] = None,
    environment: Environment = "",
    as_json: AsJson = False,
) -> None:
    """All flags as a flagd file, for providers that evaluate in their own process. GET /flagd/flags.json is the same, live."""
    client = connect()
    found = client.get(f"/products/{client.product}/flagd-file", environment=environment or None)
    if output is None or as_json:
        print_json(found)
        return
    try:
        output.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{output} cannot be written: {error.strerror}. Name a folder that is there.") from error
    kept_here = [key for key, one in found["flags"].items() if one.get("metadata", {}).get("serverOnly")]
    say(f"{len(found['flags']):,} flags in {output}.")
    for key in kept_here:
        say(f"  {key} is answered by the server only: {found['flags'][key]['metadata']['why']}")


def import_flags(
    file: Annotated[
        Path,
        typer.Argument(
            help="flagd's file, PostHog's definitions or GrowthBook's features, in JSON; - reads the input."
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would become of each flag, and make none.")
    ] = False,
    bucketing: Annotated[str, typer.Option(help="2: a flagd file whose flagd still hashes plain texts.")] = "",
    as_json: AsJson = False,
) -> None:
    """Bring flags in, on or off as they are there. Nobody changes variant where the tool's rule can be written; where not, it is said."""
    client = connect()
    body = {"document": _read_json(file), "dry_run": dry_run, "bucketing": bucketing}
    found = client.post(f"/products/{client.product}/flag-imports", body)
    if as_json:
        print_json(found)
        return
    for one in found["flags"]:
        keeps = (
            ""
            if one["became"] == "left out"
            else ", nobody changes variant"
            if one["moves_nobody"]
            else ", some may change variant"
        )
        state = f" {one['state']}" if one["state"] else ""
        say(f"{one['key']}: {one['became']}{state}{keeps}")
        for note in one["notes"]:
            say(f"  {note}")
    made = sum(one["became"] == "made" for one in found["flags"])
    say(f"{made:,} of {len(found['flags']):,} {'would be' if dry_run else 'were'} made from {found['tool']}.")
