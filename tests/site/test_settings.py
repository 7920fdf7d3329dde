"""`whytree settings` says what is set, and no secret."""

import json

import pytest

from whytree.site.commands import show_settings


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("WHYTREE_SMTP_URL", "smtp://us:hidden@mail.example.org:587")
    monkeypatch.setenv("WHYTREE_IMAP_URL", "imaps://mail.example.org/INBOX?product=sprout")
    monkeypatch.setenv("WHYTREE_OIDC_CLIENT_SECRET", "hidden://secret")
    monkeypatch.setenv("WHYTREE_TOKEN", "wtp_hidden")
    show_settings(as_json=True)
    shown = capsys.readouterr().out
    assert "hidden" not in shown
    values = {row["name"]: row["value"] for row in json.loads(shown)}
    assert values["WHYTREE_SMTP_URL"] == "smtp://(set)"
    assert values["WHYTREE_IMAP_URL"].startswith("imaps://mail.example.org")
    assert values["WHYTREE_OIDC_CLIENT_SECRET"] == values["WHYTREE_TOKEN"] == "(set)"
