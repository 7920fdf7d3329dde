"""A mailbox that people write to: what is new in it lands as voices, each mail once.

    WHYTREE_IMAP_URL=imaps://feedback%40example.org:password@imap.example.org/INBOX?product=sprout

Every five minutes what nobody has read is fetched and marked as read once it is stored, not before. Anybody may write anything under any
sender, so a mail never changes one that came before under its id; it is as good as the same mail in an mbox (`docs/import.md`).
"""

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from email.utils import parseaddr
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from whytree.engines.tables import RowError
from whytree.engines.voices.mail import MOST_OF_ONE, read_message
from whytree.engines.voices.opening import as_values
from whytree.engines.voices.records import Said
from whytree.errors import Conflict, Invalid, Unavailable, WhytreeError
from whytree.workspace.models import Product
from whytree.workspace.outside.mail import TIMEOUT_SECONDS
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role
from whytree.workspace.terminal.printing import plain

from ..models import FeedbackItem, VoiceSettings
from ..services.storing import store_drafts
from .drafts import Source, draft, is_empty

AT_ONCE = 200
"""Mails of one look; the next look goes on."""
SOURCE = Source("mail", "mail", "mail")
NOT_SET = "No mailbox is set. Set WHYTREE_IMAP_URL=imaps://user:password@host/INBOX?product=name on the server and start it again."
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass
class Looked:
    """What became of the mails: taken as voices, known already, automatic or of the team, without words, unreadable."""

    taken: int = 0
    known: int = 0
    left_out: int = 0
    empty: int = 0
    unreadable: int = 0

    def as_json(self) -> dict[str, int]:
        return asdict(self)


def is_set() -> bool:
    return bool(settings.WHYTREE.imap_url)


def reads_for(product: Product) -> bool:
    """Whether what is mailed becomes voices of this product."""
    try:
        return is_set() and mailbox_product() == product
    except Conflict:
        return False


def mailbox_product() -> Product:
    """Whose voices they become: the product that the address names, or the only one there is."""
    named = parse_qs(urlsplit(settings.WHYTREE.imap_url).query).get("product", [""])[0]
    products = list(Product.objects.filter(slug=named) if named else Product.objects.all()[:2])
    if len(products) != 1:
        said = f"There is no product “{named[:60]}”." if named else "There are several products."
        raise Conflict(f"{said} End WHYTREE_IMAP_URL with ?product= and its short name.")
    return products[0]


def look(actor: Actor, product: Product) -> Looked:
    """Fetch what is new now. Raises `Unavailable` while the mail server is."""
    require(actor, product, Role.MAINTAINER)
    if not is_set():
        raise Conflict(NOT_SET)
    if mailbox_product() != product:
        raise Conflict(f"The mailbox belongs to another product than {product.name}: see WHYTREE_IMAP_URL.")
    return fetch_new(product)


def fetch_new(product: Product) -> Looked:
    looked = Looked()
    try:
        with _opened() as box:
            for uid in _asked(box.uid("SEARCH", "UNSEEN"))[0].split()[:AT_ONCE]:
                if _take(box, uid.decode("ascii"), product, looked):
                    box.uid("STORE", uid.decode("ascii"), "+FLAGS", r"(\Seen)")
    except (OSError, imaplib.IMAP4.error) as error:
        raise Unavailable(f"The mailbox cannot be read: {plain(error)[:200]}", retry_after=300) from error
    return looked


def _take(box: imaplib.IMAP4, uid: str, product: Product, looked: Looked) -> bool:
    """Whether it was dealt with, and needs no other look."""
    size = re.search(rb"RFC822\.SIZE (\d+)", b" ".join(_asked(box.uid("FETCH", uid, "(RFC822.SIZE)"))))
    if size is not None and int(size[1]) > MOST_OF_ONE:
        looked.unreadable += 1
        return True
    parts = box.uid("FETCH", uid, "(BODY.PEEK[])")[1]
    raw = next((part[1] for part in parts or () if isinstance(part, tuple)), None)
    if raw is None:  # somebody moved it away meanwhile
        return False
    read = read_message(raw)
    if isinstance(read, RowError):
        looked.unreadable += 1
    else:
        _store(product, read, looked)
    return True


def _store(product: Product, said: Said, looked: Looked) -> None:
    kept = VoiceSettings.of(product)
    email = said.author_email.lower()
    values = as_values(said)
    ours = {*kept.team, parseaddr(settings.WHYTREE.mail_from)[1].lower()}  # a mail of our own that came back, too
    if said.speaker != "user" or (email and {email, email.rpartition("@")[2]} & ours):
        looked.left_out += 1
    elif is_empty(values):
        looked.empty += 1
    else:
        try:
            checked = draft(values, now=timezone.now()).without_personal(kept.redact)
        except Invalid:
            looked.unreadable += 1
            return
        with transaction.atomic():
            own = {"source_type": SOURCE.type, "source_id": SOURCE.id, "submission_id": checked.own_id}
            if FeedbackItem.objects.filter(product=product, **own).exists():
                looked.known += 1
                return
            stored = store_drafts(product, SOURCE, [replace(checked, field_id="")], trusted=False)
        looked.taken += len(stored.created)
        looked.known += len(stored.unchanged)


@contextmanager
def _opened() -> Iterator[imaplib.IMAP4]:
    """Signed in, with the folder selected. A password is never sent without TLS, except to this very machine."""
    parts = urlsplit(settings.WHYTREE.imap_url)
    host = parts.hostname or "localhost"
    if parts.scheme == "imaps":
        box: imaplib.IMAP4 = imaplib.IMAP4_SSL(
            host, parts.port or 993, ssl_context=ssl.create_default_context(), timeout=TIMEOUT_SECONDS
        )
    else:
        box = imaplib.IMAP4(host, parts.port or 143, timeout=TIMEOUT_SECONDS)
    try:
        if parts.scheme == "imap":
            _make_private(box, host)
        box.login(unquote(parts.username or ""), unquote(parts.password or ""))
        folder = unquote(parts.path.strip("/")) or "INBOX"
        quoted = folder.replace("\\", "\\\\").replace('"', '\\"')
        if box.select(f'"{quoted}"')[0] != "OK":
            raise Conflict(f"The mailbox has no folder “{folder[:60]}”. Name one in WHYTREE_IMAP_URL.")
        yield box
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            box.logout()
        with suppress(OSError):  # a line that went dead is not closed by saying goodbye
            box.shutdown()


def _make_private(box: imaplib.IMAP4, host: str) -> None:
    if "STARTTLS" in box.capabilities:
        box.starttls(ssl.create_default_context())
    elif host not in _LOOPBACK:
        raise Conflict(f"{host} offers no TLS, so the password was not sent. Use imaps://, or another server.")


def _asked(answer: Any) -> list[bytes]:
    status, data = answer
    if status != "OK":
        raise imaplib.IMAP4.error(f"the server answered {status}")
    return [part if isinstance(part, bytes) else b"" for part in data or [b""]]


def poll() -> Looked | None:
    """What the job does; a mailbox that belongs to nobody is told by `whytree feedback poll`, not every five minutes."""
    if not is_set():
        return None
    try:
        product = mailbox_product()
    except WhytreeError:
        return None
    return fetch_new(product)
