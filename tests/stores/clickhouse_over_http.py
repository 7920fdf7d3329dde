"""ClickHouse's HTTP interface in small, with the real engine (chDB) behind it. Run: python clickhouse_over_http.py FOLDER

The engine knows a cluster `one`, of one shard: itself.

A test double for the server only: what a client sends is parsed as the server parses it, and the same engine answers.
It prints its port. Connections stay open side by side; the engine answers one request at a time.
"""

import sys
import threading
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import chdb

# The port is never opened: it says that the shard is this very process.
CLUSTER = """<clickhouse><tcp_port>9000</tcp_port>
<remote_servers><one><shard><replica><host>127.0.0.1</host><port>9000</port></replica></shard></one></remote_servers>
</clickhouse>"""
NOT_SETTINGS = {"query", "database", "user", "password", "session_id", "query_id", "quota_key", "role"}
NOT_SETTINGS |= {"client_protocol_version", "wait_end_of_query", "buffer_size", "compress", "decompress"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    engine: Any
    turn = threading.Lock()

    def do_GET(self) -> None:
        self._answer(200, b"Ok.\n")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fields = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        if self.headers.get("Content-Type", "").startswith("multipart/form-data"):
            fields |= self._form(body)
            body = b""
        sql = fields.get("query", "").encode()
        sql = sql + b"\n" + body if sql else body
        try:
            with self.turn:
                answer = self._run(sql, fields)
            self._answer(200, answer)
        except RuntimeError as error:
            text = str(error)
            code = text.partition("Code: ")[2].partition(".")[0]
            self._answer(500, text.encode(), {"X-ClickHouse-Exception-Code": code})

    def _run(self, sql: bytes, fields: dict[str, str]) -> bytes:
        parameters = {name.removeprefix("param_"): text for name, text in fields.items() if name.startswith("param_")}
        settings = {n: text for n, text in fields.items() if n not in NOT_SETTINGS and not n.startswith("param_")}
        self.engine.query(f"USE `{fields.get('database', 'default')}`")
        for name, text in settings.items():
            quoted = text.replace("\\", "\\\\").replace("'", "\\'")
            self.engine.query(f"SET {name} = '{quoted}'")
        try:
            answer: bytes = self.engine.query(sql, "TabSeparated", params=parameters).bytes() or b""
        finally:
            for name in settings:
                self.engine.query(f"SET {name} = DEFAULT")
        return answer

    def _form(self, body: bytes) -> dict[str, str]:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = BytesParser(policy=HTTP).parsebytes(head + body).iter_parts()
        return {
            str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True).decode()
            for part in parts
        }

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, text in {"X-ClickHouse-Timezone": "UTC", **(headers or {})}.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


if __name__ == "__main__":
    config = Path(sys.argv[1]).with_suffix(".xml")
    config.write_text(CLUSTER)
    Handler.engine = chdb.connect(f"{sys.argv[1]}?config-file={config}")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
