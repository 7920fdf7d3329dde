"""An IMAP server on loopback, as small as one can be: one folder, a login, what the poll asks."""

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Folder:
    """`mails` by their place; `seen` are those that were marked as read. `breaks_after`: the line goes dead after so many fetches."""

    port: int = 0
    mails: list[bytes] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    breaks_after: int = 10_000

    @property
    def url(self) -> str:
        return f"imap://ana%40x:p%2Fw@127.0.0.1:{self.port}/INBOX?product=sprout"


@contextmanager
def imap_server() -> Iterator[Folder]:
    box = Folder()

    class Session(socketserver.StreamRequestHandler):
        def say(self, line: bytes) -> None:
            self.wfile.write(line + b"\r\n")

        def handle(self) -> None:
            self.say(b"* OK here")
            while line := self.rfile.readline().strip():
                tag, _, asked = line.partition(b" ")
                if not self.answer(asked.decode()):
                    self.say(tag + b" NO refused")
                    continue
                if asked.startswith(b"UID FETCH") and b"BODY" in asked:
                    box.breaks_after -= 1
                    if box.breaks_after < 0:
                        return
                self.say(tag + b" OK done")

        def answer(self, asked: str) -> bool:
            uid = int(found[1]) if (found := re.match(r"UID (?:FETCH|STORE) (\d+)", asked)) else 0
            if asked.startswith("CAPABILITY"):
                self.say(b"* CAPABILITY IMAP4rev1")
            elif asked.startswith("LOGIN"):
                return asked == 'LOGIN ana@x "p/w"'
            elif asked.startswith("SELECT"):
                self.say(b"* 1 EXISTS")
                return asked == 'SELECT "INBOX"'
            elif asked.startswith("UID SEARCH"):
                new = [str(at).encode() for at in range(1, len(box.mails) + 1) if at not in box.seen]
                self.say(b"* SEARCH " + b" ".join(new))
            elif "RFC822.SIZE" in asked:
                self.say(b"* %d FETCH (UID %d RFC822.SIZE %d)" % (uid, uid, len(box.mails[uid - 1])))
            elif asked.startswith("UID FETCH"):
                raw = box.mails[uid - 1]
                self.say(b"* %d FETCH (UID %d BODY[] {%d}\r\n%s)" % (uid, uid, len(raw), raw))
            elif asked.startswith("UID STORE"):
                box.seen.add(uid)
            elif asked.startswith("LOGOUT"):
                self.say(b"* BYE")
            return True

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        server.daemon_threads = True
        box.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield box
        server.shutdown()
