"""A real SMTP server on loopback, as small as one can be: it takes mails, or refuses them as it is told to."""

import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import cast


@dataclass
class Mailbox:
    """What arrived. `answers` are given to RCPT in turn in place of 250; `offers` is what EHLO offers."""

    host: str
    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    offers: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"smtp://{self.host}:{self.port}"


@contextmanager
def mail_server(host: str = "127.0.0.1") -> Iterator[Mailbox]:
    box = Mailbox(host)

    class Session(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def handle(self) -> None:
            self.say("220 here")
            while line := self.rfile.readline().decode().strip():
                verb = line.split()[0].upper()
                if verb == "EHLO":
                    for offer in ["here", *box.offers]:
                        self.say(f"250-{offer}")
                    self.say("250 OK")
                elif verb == "RCPT":
                    self.say(box.answers.pop(0) if box.answers else "250 OK")
                elif verb == "AUTH":
                    box.logins.append(line)
                    self.say("235 OK")
                elif verb == "DATA":
                    self.say("354 go on")
                    lines = []
                    while (row := self.rfile.readline()) not in (b".\r\n", b""):
                        lines.append(row[1:] if row.startswith(b".") else row)
                    parsed = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
                    box.mails.append(cast(EmailMessage, parsed))
                    self.say("250 taken")
                elif verb == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 OK")

    server = socketserver.ThreadingTCPServer((host, 0), Session)
    box.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield box
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
