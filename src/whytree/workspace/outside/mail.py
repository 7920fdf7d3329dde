"""Mail, over the one server that `WHYTREE_SMTP_URL` names. Nothing is sent while it names none.

    send(Mail(to="ana@example.org", subject="...", text="...", html="..."))

`MailRefused` says that another attempt would be refused too; `Unavailable` that a later one may succeed. After either
the mail has not been taken by the server.
"""

import smtplib
import socket
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import formataddr, formatdate, make_msgid, parseaddr
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings

from whytree.errors import Conflict, Unavailable
from whytree.workspace.terminal.printing import plain

TIMEOUT_SECONDS = 20
NOT_SET = "No mail server is set. Set WHYTREE_SMTP_URL=smtp://user:password@host:587 on the server and start it again."


class MailServerDown(Unavailable):
    """Nothing can be sent to anybody now."""


class MailRefused(Conflict):
    """The server will not take this mail, whenever it is sent."""


@dataclass(frozen=True)
class Mail:
    """One mail to one person. `stop_url` ends mails like this one by a POST (RFC 8058)."""

    to: str
    subject: str
    text: str
    html: str = ""
    stop_url: str = ""


def is_set() -> bool:
    return bool(settings.WHYTREE.smtp_url)


def send(mail: Mail) -> None:
    """Hand one mail to the server; returns when it has been taken."""
    if not is_set():
        raise Conflict(NOT_SET)
    try:
        message = _message(mail)
    except ValueError as error:  # a character that no mail can hold
        raise MailRefused("No mail can be made of this text or to this address.") from error
    parts = urlsplit(settings.WHYTREE.smtp_url)
    try:
        with _connected(parts.scheme, parts.hostname or "localhost", _port(parts.port, parts.scheme)) as server:
            _make_private(server, parts.scheme, parts.hostname or "localhost", has_password=bool(parts.username))
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            server.send_message(message)
    except smtplib.SMTPAuthenticationError as error:
        raise MailServerDown("The mail server refused the password in WHYTREE_SMTP_URL.", retry_after=900) from error
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        raise _refusal(code, words) from error
    except smtplib.SMTPResponseException as error:
        raise _refusal(error.smtp_code, error.smtp_error) from error
    except (OSError, smtplib.SMTPException) as error:
        raise MailServerDown(
            f"The mail server does not answer as one: {plain(error)[:200]}", retry_after=900
        ) from error


def _refusal(code: int, words: bytes | str) -> MailRefused | Unavailable:
    said = plain(words.decode("utf-8", "replace") if isinstance(words, bytes) else words)[:200]
    if code >= 500:
        return MailRefused(f"The mail server refused it: {code} {said}")
    return Unavailable(f"The mail server wants it later: {code} {said}", retry_after=900)


def _connected(scheme: str, host: str, port: int) -> smtplib.SMTP:
    name = _own_name()
    if scheme == "smtps":
        return smtplib.SMTP_SSL(
            host, port, local_hostname=name, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
        )
    return smtplib.SMTP(host, port, local_hostname=name, timeout=TIMEOUT_SECONDS)


def _make_private(server: smtplib.SMTP, scheme: str, host: str, *, has_password: bool) -> None:
    """TLS wherever the server offers it. A password is never sent without, except to this very machine."""
    if scheme == "smtps":
        return
    server.ehlo()
    if server.has_extn("starttls"):
        server.starttls(context=ssl.create_default_context())
        server.ehlo()
    elif has_password and host not in {"localhost", "127.0.0.1", "::1"}:
        raise MailServerDown(f"{host} offers no TLS, so the password was not sent. Use smtps://, or another port.")


def _port(given: int | None, scheme: str) -> int:
    return given or (465 if scheme == "smtps" else 587)


def _own_name() -> str:
    return urlsplit(settings.WHYTREE.base_url).hostname or socket.gethostname()


def sender() -> str:
    """Who mails are from."""
    chosen = settings.WHYTREE.mail_from.strip()
    return chosen or formataddr(("Whytree", f"whytree@{_own_name()}"))


def is_address(text: str) -> bool:
    """Whether it names one mailbox, and not a list of them."""
    return all(text.partition("@")) and not any(sign in ',;:<>"()[]' or sign.isspace() for sign in text)


def _one_address(to: str) -> str:
    """A person's address comes from outside, often by a key that is public."""
    if not is_address(to):
        raise MailRefused(f"“{plain(to)[:80]}” is no mail address, or several. Correct it first.")
    return to


class _Policy(EmailPolicy):
    """An address that is longer than a line stands on one line: encoded as words (RFC 2047) no mail program finds its button."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name == "List-Unsubscribe" and str(value).isascii():
            return f"{name}: {value}{self.linesep}".encode("ascii")
        return super().fold_binary(name, value)


_POLICY = _Policy()


def _message(mail: Mail) -> EmailMessage:
    message = EmailMessage(policy=_POLICY)
    message["From"] = sender()
    message["To"] = _one_address(mail.to)
    message["Subject"] = " ".join(plain(mail.subject).split())  # one line, whatever parts them
    message["Date"] = formatdate(localtime=False)
    message["Message-ID"] = make_msgid(domain=parseaddr(sender())[1].rpartition("@")[2] or "localhost")
    message["Auto-Submitted"] = "auto-generated"
    if mail.stop_url:
        message["List-Unsubscribe"] = f"<{mail.stop_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(mail.text)
    if mail.html:
        message.add_alternative(mail.html, subtype="html")
    return message
