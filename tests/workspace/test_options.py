"""Settings come from the environment alone, and a wrong one says what would be right."""

import stat
from pathlib import Path

import pytest

from whytree import options


def test_it_has_defaults_in_the_data_folder(tmp_path: Path) -> None:
    chosen = options.read({"WHYTREE_DATA": str(tmp_path)})
    assert chosen.database_url == f"sqlite:///{tmp_path}/whytree.sqlite3"
    assert chosen.events_url == f"chdb://{tmp_path}/events"
    assert (chosen.host, chosen.port, chosen.jobs, chosen.debug) == ("127.0.0.1", 8787, True, False)


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("WHYTREE_PORT", "eighty", "1 to 65535"),
        ("WHYTREE_PORT", "99999", "1 to 65535"),
        ("WHYTREE_DATABASE_URL", "mysql://x", "sqlite:// or postgresql://"),
        ("WHYTREE_EVENTS_URL", "duckdb:///x", "chdb:// or clickhouse://"),
        ("WHYTREE_DEBUG", "maybe", "1 or 0"),
        ("WHYTREE_THREADS", "0", "from 1 up"),
        ("WHYTREE_PUBLIC_URL", "example.org", "http:// or https://"),
        ("WHYTREE_TRUSTED_PROXY", "proxy.internal", "an address like 127.0.0.1"),
        ("WHYTREE_TRUSTED_PROXY", "172.18.0.1/16", "a network like 172.18.0.0/16"),
        ("WHYTREE_TRUSTED_PROXY", "0.0.0.0/0", "everybody is in that network"),
        ("WHYTREE_TRUSTED_PROXY", "*", "an address like 127.0.0.1"),
    ],
)
def test_it_refuses_a_malformed_value_with_a_hint(name: str, value: str, hint: str) -> None:
    with pytest.raises(options.OptionError, match=f"{name} cannot be") as error:
        options.read({name: value})
    assert hint in str(error.value)


def test_it_reads_the_proxies_it_may_believe() -> None:
    chosen = options.read({"WHYTREE_TRUSTED_PROXY": "127.0.0.1, 172.18.0.0/16, ::1"})
    assert chosen.trusted_proxy == ("127.0.0.1/32", "172.18.0.0/16", "::1/128")
    assert options.read({}).trusted_proxy == ()


def test_it_never_prints_a_secret_that_is_malformed() -> None:
    with pytest.raises(options.OptionError) as error:
        options.read({"WHYTREE_DATABASE_URL": "mysql://root:hunter2@host/x"})
    assert "hunter2" not in str(error.value)


def test_it_refuses_a_name_it_does_not_know() -> None:
    with pytest.raises(options.OptionError, match="WHYTREE_PROT is not a setting"):
        options.read({"WHYTREE_PROT": "80"})


def test_it_reads_a_secret_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from a file\n")
    assert options.read({"WHYTREE_SECRET_KEY_FILE": str(tmp_path / "key")}).secret_key == "from a file"


def test_it_refuses_a_secret_given_twice_or_unreadable(tmp_path: Path) -> None:
    with pytest.raises(options.OptionError, match="keep one"):
        options.read({"WHYTREE_TOKEN": "a", "WHYTREE_TOKEN_FILE": "b"})
    with pytest.raises(options.OptionError, match="cannot be read"):
        options.read({"WHYTREE_TOKEN_FILE": str(tmp_path / "absent")})


def test_it_makes_a_secret_key_once_for_this_user_only(tmp_path: Path) -> None:
    chosen = options.read({"WHYTREE_DATA": str(tmp_path / "new")})
    key = options.ensure_secret_key(chosen)
    assert len(key) >= 50
    assert options.ensure_secret_key(chosen) == key
    assert stat.S_IMODE((tmp_path / "new" / "secret.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("password", ["pa/ss", "pa?ss", "pa#ss"])
def test_a_password_that_breaks_its_address_is_refused_and_not_told(password: str) -> None:
    with pytest.raises(options.OptionError, match="%2F") as refused:
        options.read({"WHYTREE_IMAP_URL": f"imaps://ana:{password}@imap.example.org/INBOX"})
    assert "pa" not in str(refused.value).replace("password", "")
