"""Flags that code asks for, found by how the usual libraries are called; no list of keys needed.

    flag_calls("if flags.is_enabled('defer_phone'):")        # [FlagCall("defer_phone", "flag object")]

Precise rather than greedy: a call counts when its name alone says flags (`isFeatureEnabled`, `useFeatureFlag`,
OpenFeature's and LaunchDarkly's evaluations, waffle's), or when the object it is called on does (`flags.`, `unleash.`,
`posthog.`, `Flipper.`). `logger.isEnabled("DEBUG")` is none.
"""

import re
from dataclasses import dataclass

_SUFFIXES = """
    .py .pyi .js .jsx .mjs .cjs .ts .tsx .vue .svelte .go .rb .erb .java .kt .kts .scala .cs .php .swift .dart .rs
    .ex .exs .m .mm .html .jinja .j2 .twig
"""
_TEMPLATES = (".html", ".jinja", ".j2", ".twig")
CODE_SUFFIXES = tuple(_SUFFIXES.split())
LONGEST_LINE = 1_000  # characters; beyond that it is generated

_KEY = r"""["'`](?P<key>[A-Za-z0-9][A-Za-z0-9_.:/-]{1,99})["'`]"""
_FIRST = r"\(\s*(?:(?:[\w.]+|context\.\w+\(\))\s*,\s*)?"  # perhaps after a request or a context
_OBJECTS = (
    r"(?:feature_?flags?|features?|flags?|toggles?|feature_?toggles?|flag_?client|feature_?client|unleash(?:_?client)?"
    r"|flagsmith|posthog|growthbook|gb|launch_?darkly|ld_?client|statsig|split_?client|flipt|flipper|waffle|gatekeeper)"
)
_ASKS = (
    r"(?:is_?(?:feature_?)?(?:enabled|active|on)|(?:feature_?)?enabled|active|has_?feature|has|get_?variant"
    r"|get_?feature_?flag|feature_?enabled|check_?gate|get_?value|value)\??"
)

_CALLS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "OpenFeature",
        re.compile(
            rf"(?i:get_?(?:boolean|string|number|integer|float|object)_?(?:value|details))\(\s*(?:\w+\s*,\s*)?{_KEY}"
            rf"|\.(?:Boolean|String|Float|Int|Object)Value(?:Details)?\(\s*\w+[\w.()]*\s*,\s*{_KEY.replace('key', 'key2')}"
            rf"|use(?:Boolean|String|Number|Object)FlagValue\(\s*{_KEY.replace('key', 'key3')}"
        ),
    ),
    (
        "LaunchDarkly",
        re.compile(
            rf"\.(?:(?:bool|string|int|float|double|number|json)_?)?[vV]ariation(?:_?[dD]etail)?\(\s*{_KEY}"
            rf"|\.(?:Bool|String|Int|Float64|JSON)Variation(?:Detail|Ctx)?\(\s*{_KEY.replace('key', 'key2')}"
        ),
    ),
    (
        "waffle",
        re.compile(
            rf"\b(?:flag|switch|sample)_is_active(?:_\w+)?{_FIRST}{_KEY}|\bwaffle_(?:flag|switch)\(\s*{_KEY.replace('key', 'key2')}"
            rf"|\{{%\s*flag\s+{_KEY.replace('key', 'key3')}\s*%\}}"
        ),
    ),
    (
        "flag call",
        re.compile(
            rf"\b(?:is_?[fF]eature_?(?:[fF]lag_?)?[eE]nabled|is_?[fF]lag_?(?:[eE]nabled|[aA]ctive|[oO]n)"
            rf"|feature_?[fF]lag_?[eE]nabled|feature_?[eE]nabled|feature_?[iI]s_?(?:[eE]nabled|[aA]ctive|[oO]n)|flag_?[iI]s_?(?:[eE]nabled|[aA]ctive|[oO]n)"
            rf"|useFeatureFlag\w*|useFeatureIsOn|useFeatureValue|useFlag|useFlagEnabled|useVariant"
            rf"|get_?[fF]eature_?[fF]lag(?:_?[pP]ayload)?){_FIRST}{_KEY}"
        ),
    ),
    ("flag object", re.compile(rf"(?i:\b{_OBJECTS}\??\.{_ASKS}){_FIRST}{_KEY}")),
    ("Flipper", re.compile(r"\b(?:Flipper|Feature)\.enabled\?\(?\s*:(?P<key>[a-z][a-z0-9_]{1,99})")),
    (
        "setting",
        # FEATURE_POLICY is a header that browsers are sent.
        re.compile(
            r"""(?:\b(?:settings|config|Config|env|environ|getenv|import\.meta\.env)\b(?:\.get)?[.\[(\s"']{1,4})"""
            r"""(?P<key>FEATURE_(?!POLICY\b)[A-Z][A-Z0-9_]{1,80})\b"""
        ),
    ),
)
# What `git grep -E` looks for first: whatever any of the calls above must contain.
PREFILTER = (
    r"[vV]ariation|[Ff]eature|[Ff]lag|[Tt]oggle|nleash|osthog|rowthbook|statsig|Statsig|flipt|Flipper|waffle|_is_active|useVariant"
    r"|(Boolean|String|Number|Object|Integer|Float|Int)(Value|Details)|get_(boolean|string|integer|float|object)_|FEATURE_"
)
_NOT_KEYS = frozenset({"true", "false", "on", "off", "debug", "info", "error", "utf-8", "id", "name", "default"})
_COMMENT = re.compile(r"^\s*(?:#|//|\*|/\*|<!--|--\s)")


@dataclass(frozen=True, slots=True)
class FlagCall:
    """A key that a line asks for, and by what kind of call."""

    key: str
    how: str


def flag_calls(line: str, path: str = "") -> list[FlagCall]:
    """The flags one line of code asks for. In a page's template only its own tags count: the rest may be prose."""
    if path.lower().endswith(_TEMPLATES):
        return [FlagCall(tag["key3"], "waffle") for tag in _CALLS[2][1].finditer(line) if tag["key3"]]
    if len(line) > LONGEST_LINE or _COMMENT.match(line):
        return []
    found: dict[str, FlagCall] = {}
    for how, pattern in _CALLS:
        for call in pattern.finditer(line):
            key = next(filter(None, call.groupdict().values()), "")
            if key and key.lower() not in _NOT_KEYS and not key.isdigit():
                found.setdefault(key, FlagCall(key, how))
    return list(found.values())


def is_code(path: str) -> bool:
    """Whether flags are looked for there: code somebody wrote, not what was vendored, built or is a test."""
    parts = path.lower().split("/")
    elsewhere = {"vendor", "node_modules", "dist", "build", "third_party", "site-packages", "docs", "doc"}
    return parts[-1].endswith(CODE_SUFFIXES) and ".min." not in parts[-1] and not elsewhere & set(parts)


def is_test(path: str) -> bool:
    """Whether a file tests others: a flag that only tests name is none."""
    parts = path.lower().split("/")
    name = parts[-1]
    folders = {"test", "tests", "spec", "specs", "__tests__", "e2e", "fixtures"}
    return bool(folders & set(parts)) or name.startswith("test_") or bool(re.search(r"[._](?:test|spec)\.\w+$", name))
