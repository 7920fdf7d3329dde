"""Flags found by how they are asked for: what counts, and what must not."""

import pytest

from whytree.engines.code.flag_calls import flag_calls, is_code, is_test

FOUND = [
    ("if flags.is_enabled('defer_phone'):", "defer_phone"),
    ("if (isFeatureEnabled('new-checkout')) {", "new-checkout"),
    ('client.get_boolean_value("v2_search", False)', "v2_search"),
    ("client.getBooleanValue('v2-search', false)", "v2-search"),
    ('enabled, _ := client.BooleanValue(ctx, "v2-search", false, evalCtx)', "v2-search"),
    ("const on = useBooleanFlagValue('dark-mode', false)", "dark-mode"),
    ('show = ldclient.get().variation("show-banner", context, False)', "show-banner"),
    ('ldClient.boolVariation("show-banner", context, false)', "show-banner"),
    ("const flag = useFeatureFlag('trial_length')", "trial_length"),
    ("posthog.isFeatureEnabled('beta-editor')", "beta-editor"),
    ('posthog.feature_enabled("beta-editor", user.id)', "beta-editor"),
    ('if unleash.is_enabled("invoice.v3"):', "invoice.v3"),
    ('if waffle.flag_is_active(request, "redesign"):', "redesign"),
    ("@waffle_flag('redesign')", "redesign"),
    ('if switch_is_active("redesign"):', "redesign"),
    ('if flag_is_active_in_task("redesign", user):', "redesign"),
    ('if (isFlagActive(runtimeData, "redesign")) {', "redesign"),
    ('if features.has("organizations:discover", organization):', "organizations:discover"),
    ("if Flipper.enabled?(:fast_sync, current_user)", "fast_sync"),
    ("if settings.FEATURE_NEW_MAIL:", "FEATURE_NEW_MAIL"),
    ('if os.environ.get("FEATURE_NEW_MAIL"):', "FEATURE_NEW_MAIL"),
    ("flagsmith.has_feature('chat')", "chat"),
]


@pytest.mark.parametrize(("line", "key"), FOUND)
def test_the_usual_libraries_calls_are_found(line: str, key: str) -> None:
    assert [call.key for call in flag_calls(line)] == [key]


@pytest.mark.parametrize(
    "line",
    [
        'if logger.isEnabled("DEBUG"):',
        'parser.add_argument("--flag", action="store_true")',
        'name = features.get("label")',
        '# flags.is_enabled("in a comment")',
        'document.implementation.hasFeature("XML")',
        "flags.is_enabled(key)",
        'value = form.get_value("title")',
        "re.compile('x', flags=re.I)",
        "FEATURE_MATRIX_SIZE = 12",
        "x" * 5000 + "flags.is_enabled('a_key')",
    ],
)
def test_what_only_looks_like_a_flag_is_none(line: str) -> None:
    assert flag_calls(line) == []


def test_prose_in_a_page_is_no_call_but_its_tags_are() -> None:
    assert flag_calls('<code>client.get_boolean_value("new_signup", False)</code>', "docs.html") == []
    assert [call.key for call in flag_calls('{% flag "redesign" %}', "page.html")] == ["redesign"]


def test_vendored_built_and_other_files_are_not_looked_at() -> None:
    assert is_code("app/views.py")
    assert is_code("web/src/App.tsx")
    assert not any(map(is_code, ("vendor/x.py", "web/node_modules/a.js", "a.min.js", "README.md", "docs/conf.py")))
    assert is_test("tests/test_a.py")
    assert is_test("web/App.test.tsx")
    assert not is_test("app/testing_ground.py")
