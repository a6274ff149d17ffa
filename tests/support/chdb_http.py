"""The embedded ClickHouse engine behind HTTP, to test the HTTP path of the client without a server.

Speaks as much of the HTTP interface as clickhouse-connect uses. Run it with the directory of the database and
perhaps a port and an address; it prints its port when it can be used. One statement at a time: this is for
truth, not speed.
"""

import os
import re
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import chdb
import lz4.frame

_ENGINE = threading.Lock()
_INSERT = re.compile(rb"\s*(INSERT\s+INTO\s.*?)\s+FORMAT (\w+)\n", re.IGNORECASE | re.DOTALL)
_FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
_LIMITS = ("max_", "result_overflow", "output_format", "date_time_output")
_CODE = re.compile(r"Code: (\d+)")


class Front(BaseHTTPRequestHandler):
    """Each request is one statement: in `query`, in the body, or split over both."""

    protocol_version = "HTTP/1.1"
    connection: Any
    engine: Any
    path_of_data: str
    sessions: ClassVar[dict[str, Any]] = {}

    def do_GET(self) -> None:
        if urlsplit(self.path).path == "/ping":
            self._answer(200, b"Ok.\n")
        else:
            self.do_POST()

    def do_POST(self) -> None:
        values = {name: each[-1] for name, each in parse_qs(urlsplit(self.path).query).items()}
        statement = b"\n".join(part for part in (values.get("query", "").encode(), self._body()) if part)
        parameters = {name[6:]: value for name, value in values.items() if name.startswith("param_")}
        try:
            with _ENGINE:
                result, form = self._run(self._session(values), statement, parameters)
        except (RuntimeError, UnicodeDecodeError) as error:
            # A session gives what was written before an error to its next statement, which a server does not.
            self.sessions.clear()
            code = _CODE.search(str(error))
            self._answer(
                500, str(error).encode(), {"X-ClickHouse-Exception-Code": code[1] if code else "1000"}
            )
        else:
            self._answer(200, result, {"X-ClickHouse-Format": form, "X-ClickHouse-Timezone": "UTC"})

    def _session(self, values: dict[str, str]) -> Any:
        """Return the session for a request: a read-only one has the limits that the request names, too."""
        if values.get("readonly") != "1":
            return self.engine
        settings = {name: value for name, value in values.items() if name.startswith(_LIMITS)}
        key = str(sorted(settings.items()))
        if key not in self.sessions:
            session = self.sessions[key] = chdb.connect(self.path_of_data)
            for name, value in {**settings, "readonly": "1"}.items():
                session.query(f"SET {name} = '{value}'" if not value.isdigit() else f"SET {name} = {value}")
        return self.sessions[key]

    def _run(self, engine: Any, statement: bytes, parameters: dict[str, str]) -> tuple[bytes, str]:
        insert = _INSERT.match(statement)
        if insert is None:
            sql = statement.decode()
            named = _FORMAT.search(sql)
            form = named[1] if named else "TabSeparated"
            return engine.query(sql, form, params=parameters).bytes() or b"", form
        with tempfile.NamedTemporaryFile() as file:
            file.write(statement[insert.end() :])
            file.flush()
            into, form = insert[1].decode(), insert[2].decode()
            engine.query(f"{into} FROM INFILE '{file.name}' FORMAT {form}", "TabSeparated")
        return b"", form

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            body = b"".join(parts)
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if body and self.headers.get("Content-Encoding") == "lz4":
            return bytes(lz4.frame.decompress(body))
        return body

    def _answer(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Log no requests."""


def main() -> None:
    os.environ["TZ"] = "UTC"
    Front.path_of_data = sys.argv[1]
    Front.engine = chdb.connect(sys.argv[1])
    port, host = (
        int(sys.argv[2]) if len(sys.argv) > 2 else 0,
        sys.argv[3] if len(sys.argv) > 3 else "127.0.0.1",
    )
    server = ThreadingHTTPServer((host, port), Front)
    print(server.server_address[1], flush=True)  # noqa: T201 - the way to say it
    server.serve_forever()


if __name__ == "__main__":
    main()
