"""Settings, declared as data: one environment variable each, with a line of help.

Nothing else configures Whytree: no settings file, no flags on the server. ``whytree settings`` prints this list.
A secret may also be read from a file named by ``<NAME>_FILE`` (Docker and systemd credentials).
This module imports neither Django nor anything else of ours, so that the command line starts fast.
"""

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


class OptionError(ValueError):
    """A variable that cannot be understood; the message names it and says what would be right."""


def _text(value: str) -> str:
    return value


def _flag(value: str) -> bool:
    if value.lower() in {"1", "true", "yes", "on"}:
        return True
    if value.lower() in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError("use 1 or 0")


def _port(value: str) -> int:
    number = int(value) if value.isdigit() else 0
    if not 0 < number < 65536:
        raise ValueError("use a number from 1 to 65535")
    return number


def _number(value: str) -> int:
    if not value.isdigit() or int(value) < 1:
        raise ValueError("use a whole number from 1 up")
    return int(value)


def _amount(value: str) -> int:
    if not value.isdigit():
        raise ValueError("use a whole number, 0 for none")
    return int(value)


def _names(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _role(value: str) -> str:
    if value not in {"viewer", "member", "maintainer"}:
        raise ValueError("use viewer, member or maintainer")
    return value


def _networks(value: str) -> tuple[str, ...]:
    from ipaddress import ip_network

    try:
        networks = [ip_network(name) for name in _names(value)]
    except ValueError as error:
        raise ValueError("use an address like 127.0.0.1 or a network like 172.18.0.0/16, comma-separated") from error
    if any(network.prefixlen == 0 for network in networks):
        raise ValueError("everybody is in that network, and could say to be anybody; name the proxy's own")
    return tuple(map(str, networks))


def _url_of(*schemes: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value and urlsplit(value).scheme not in schemes:
            raise ValueError("start it with " + " or ".join(f"{scheme}://" for scheme in schemes))
        _refuse_broken(value)
        return value.rstrip("/") if "http" in schemes else value

    return read


def _refuse_broken(url: str) -> None:
    """A sign that ends the host's part, unescaped in a password, would make the password's beginning a port that errors tell."""
    try:
        urlsplit(url).port  # noqa: B018 - looking raises
    except ValueError:
        raise ValueError(
            "its host or port cannot be read. In a password write / as %2F, ? as %3F, # as %23, @ as %40"
        ) from None


@dataclass(frozen=True)
class Option:
    """One variable: how it is called, what it means, how it is read."""

    name: str
    help: str
    read: Callable[[str], object]
    default: str = ""
    secret: bool = False

    @property
    def attribute(self) -> str:
        return self.name.removeprefix("WHYTREE_").lower()


OPTIONS = (
    Option("WHYTREE_DATA", "Folder for everything Whytree keeps. Default: the user's data folder.", _text),
    Option(
        "WHYTREE_DATABASE_URL",
        "Relational database: sqlite:///path or postgresql://user:password@host/name. Default: SQLite in the data folder.",
        _url_of("sqlite", "postgresql", "postgres"),
        secret=True,
    ),
    Option(
        "WHYTREE_EVENTS_URL",
        "Event store: chdb:///path (in this process) or clickhouse://user:password@host/database. Default: chDB in the data folder.",
        _url_of("chdb", "clickhouse", "clickhouses"),
        secret=True,
    ),
    Option("WHYTREE_HOST", "Address the server listens on.", _text, "127.0.0.1"),
    Option("WHYTREE_PORT", "Port the server listens on.", _port, "8787"),
    Option(
        "WHYTREE_ALLOWED_HOSTS",
        "Host names the server answers to, comma-separated; * for any. Loopback names always work.",
        _names,
    ),
    Option(
        "WHYTREE_PUBLIC_URL",
        "Address people and SDKs reach this server at, for links. https switches secure cookies on.",
        _url_of("http", "https"),
    ),
    Option(
        "WHYTREE_TRUSTED_PROXY",
        "Address or network of the proxy in front, comma-separated. X-Forwarded-For and X-Forwarded-Proto are believed only from there.",
        _networks,
    ),
    Option(
        "WHYTREE_URL",
        "Command line: server to speak to. Default: the one running on the data folder.",
        _url_of("http", "https"),
    ),
    Option("WHYTREE_TOKEN", "Command line: personal token. Default: the local owner's.", _text, secret=True),
    Option("WHYTREE_PRODUCT", "Command line: product to speak about. Default: the only one there is.", _text),
    Option(
        "WHYTREE_SECRET_KEY",
        "Signs sessions. Default: made on the first run and kept in the data folder.",
        _text,
        secret=True,
    ),
    Option("WHYTREE_PASSWORDS", "0: people sign in through the OpenID provider alone.", _flag, "1"),
    Option("WHYTREE_SECOND_FACTOR", "1: who signs in without a second factor has to set one up first.", _flag, "0"),
    Option(
        "WHYTREE_OIDC_ISSUER",
        "OpenID provider that people may sign in with, as https://id.example.org/realms/team. Default: none.",
        _url_of("https", "http"),
    ),
    Option("WHYTREE_OIDC_CLIENT_ID", "What the provider calls this server.", _text),
    Option(
        "WHYTREE_OIDC_CLIENT_SECRET", "The secret it gave out for that; none for a public client.", _text, secret=True
    ),
    Option("WHYTREE_OIDC_NAME", "What people call the provider, on the button. Default: its host.", _text),
    Option(
        "WHYTREE_OIDC_DOMAINS",
        "Domains of e-mail addresses, comma-separated, whose owners need no invitation when the provider has verified the address.",
        _names,
    ),
    Option(
        "WHYTREE_OIDC_GROUPS",
        "Groups of the provider (its claim `groups`), comma-separated: only who is in one comes in, and needs no invitation.",
        _names,
    ),
    Option(
        "WHYTREE_OIDC_ROLE",
        "Role, in every product there is then, of who comes in without an invitation: viewer, member or maintainer.",
        _role,
        "viewer",
    ),
    Option(
        "WHYTREE_COUNT_ANSWERS",
        "Short name of a product here that counts how often `why` answers all the way, as its own events. Default: none.",
        _text,
    ),
    Option(
        "WHYTREE_FLAG_RATE",
        "Flag requests a second that one key may make of this process; beyond it they are answered 429.",
        _number,
        "2000",
    ),
    Option(
        "WHYTREE_THREADS", "Requests answered at the same time; those that bring events are not counted.", _number, "8"
    ),
    Option("WHYTREE_EVENTS_MEMORY_MB", "Memory the in-process event engine may use.", _number, "2048"),
    Option("WHYTREE_MAX_BODY_MB", "Largest request body taken, after decompression.", _number, "20"),
    Option("WHYTREE_JOBS", "1: the server also runs background jobs; 0: `whytree work` does.", _flag, "1"),
    Option(
        "WHYTREE_SMTP_URL",
        "Mail server for the Monday mail, alerts and subscriptions: smtp://user:password@host:587 or smtps://host:465. "
        "Default: no mail is sent.",
        _url_of("smtp", "smtps"),
        secret=True,
    ),
    Option(
        "WHYTREE_IMAP_URL",
        "Mailbox whose new mails become voices: imaps://user:password@host/INBOX?product=name. Default: none is read.",
        _url_of("imap", "imaps"),
        secret=True,
    ),
    Option("WHYTREE_MAIL_FROM", "Sender of mails, as: Whytree <whytree@example.org>.", _text),
    Option(
        "WHYTREE_OUTGOING_PRIVATE",
        "1: webhooks and mirrors may also go to private and loopback addresses, and without TLS.",
        _flag,
        "0",
    ),
    Option(
        "WHYTREE_MIRROR_MB",
        "Room that each repository may take which the server mirrors from a public address; 0: it mirrors none.",
        _amount,
        "1000",
    ),
    Option(
        "WHYTREE_SENTENCE_MODEL",
        "Themes by meaning: `packaged` for the model of whytree[semantic], or a folder with model.onnx and tokenizer.json. "
        "Default: themes from the words alone.",
        _text,
    ),
    Option("WHYTREE_DEBUG", "1: show tracebacks in the browser. Never on a server others can reach.", _flag, "0"),
)


@dataclass(frozen=True)
class Options:
    """The settings in force; one attribute per entry of `OPTIONS`."""

    data: Path
    database_url: str
    events_url: str
    host: str
    port: int
    allowed_hosts: tuple[str, ...]
    public_url: str
    trusted_proxy: tuple[str, ...]
    url: str
    token: str
    product: str
    secret_key: str
    passwords: bool
    second_factor: bool
    oidc_issuer: str
    oidc_client_id: str
    oidc_client_secret: str
    oidc_name: str
    oidc_domains: tuple[str, ...]
    oidc_groups: tuple[str, ...]
    oidc_role: str
    count_answers: str
    flag_rate: int
    threads: int
    events_memory_mb: int
    max_body_mb: int
    jobs: bool
    smtp_url: str
    imap_url: str
    mail_from: str
    outgoing_private: bool
    mirror_mb: int
    sentence_model: str
    debug: bool

    @property
    def base_url(self) -> str:
        """Where people reach this server."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::", ""} else self.host  # noqa: S104 - compared, not bound
        return self.public_url or f"http://{host}:{self.port}"


def read(environ: Mapping[str, str] | None = None) -> Options:
    """Read all options; raise `OptionError` for the first that cannot be understood.

    Creates nothing: `ensure_data_folder` and `ensure_secret_key` do, when a server or a command needs them.
    """
    env = os.environ if environ is None else environ
    known = {option.name for option in OPTIONS}
    for name in env:
        if (
            name.startswith("WHYTREE_")
            and name.removesuffix("_FILE") not in known
            and not name.startswith("WHYTREE_TEST_")
        ):
            raise OptionError(f"{name} is not a setting of Whytree. `whytree settings` lists them.")
    values: dict[str, Any] = {option.attribute: _value(option, env) for option in OPTIONS}
    data = Path(values["data"]).expanduser().absolute() if values["data"] else _default_data()
    values["data"] = data
    values["database_url"] = values["database_url"] or f"sqlite:///{data / 'whytree.sqlite3'}"
    values["events_url"] = values["events_url"] or f"chdb://{data / 'events'}"
    chosen = Options(**{field.name: values[field.name] for field in fields(Options)})
    _refuse_no_way_in(chosen)
    return chosen


def _refuse_no_way_in(chosen: Options) -> None:
    if chosen.oidc_issuer and not chosen.oidc_client_id:
        raise OptionError("WHYTREE_OIDC_ISSUER needs WHYTREE_OIDC_CLIENT_ID: what the provider calls this server.")
    if not chosen.passwords and not chosen.oidc_issuer:
        raise OptionError("WHYTREE_PASSWORDS=0 leaves nobody a way in. Set WHYTREE_OIDC_ISSUER, or allow passwords.")


def _value(option: Option, env: Mapping[str, str]) -> object:
    raw = env.get(option.name)
    path = env.get(option.name + "_FILE")
    if raw is not None and path is not None:
        raise OptionError(f"Both {option.name} and {option.name}_FILE are set; keep one.")
    if path is not None:
        try:
            raw = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise OptionError(f"{option.name}_FILE names {path!r}, which cannot be read: {error}.") from error
    try:
        return option.read(option.default if raw is None else raw)
    except ValueError as error:
        shown = "its value" if option.secret else repr(raw)
        raise OptionError(f"{option.name} cannot be {shown}: {error}.") from error


def _default_data() -> Path:
    from platformdirs import user_data_path

    return user_data_path("whytree", appauthor=False)


def ensure_data_folder(options: Options) -> Path:
    """Make the data folder, readable by this user only."""
    options.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    return options.data


def ensure_secret_key(options: Options) -> str:
    """The key in force: from the environment, else made once and kept in the data folder (mode 0600)."""
    return options.secret_key or kept_secret(options, "secret.key")


def kept_secret(options: Options, name: str) -> str:
    """A secret kept in the data folder under `name`, made on first use; two processes at once agree on one."""
    path = ensure_data_folder(options) / name
    if not path.exists():
        import secrets

        fresh = path.with_name(f".{name}.{secrets.token_hex(4)}")
        write_private(fresh, secrets.token_urlsafe(48))
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text(encoding="ascii").strip()


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, stat.S_IRUSR | stat.S_IWUSR)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
