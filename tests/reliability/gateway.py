"""What stands between the library and the three services over HTTP: it passes calls on, and spoils some of them."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from attrs import define, field

from rekog_emotion.testing import Fault
from tests.http_standin import reset

DNS = Fault(name="name resolution fails")
HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "expect"}
SLOW_BYTES = 12
NOWHERE = "nowhere.invalid"


def operation_of(method: str, path: str, target: str, body: bytes) -> str:
    """Return what a request is about, in the words of the matrix."""
    if target.startswith("RekognitionService."):
        if target.endswith("StartFaceDetection"):
            return "start"
        return "page" if b"NextToken" in body else "poll"
    if target.startswith("AmazonSQS."):
        return "receive" if target.endswith("ReceiveMessage") else "other"
    is_object = len(urlsplit(path).path.strip("/").split("/")) > 1
    return {"PUT": "upload", "DELETE": "delete"}.get(method, "other") if is_object else "other"


@define
class Plan:
    """One fault: with which operation, and with how many of its calls."""

    operation: str = ""
    fault: Fault | None = None
    times: float = 0
    _lock: threading.Lock = field(factory=threading.Lock)

    def take(self, operation: str, *, dns: bool) -> Fault | None:
        """Return the fault that meets a call, and count it; those of name resolution meet it before it is sent."""
        with self._lock:
            if operation != self.operation or not self.times or (self.fault is DNS) != dns:
                return None
            self.times -= 1
            return self.fault


class Gateway:
    """The proxy, on a free port.

    Args:
        rekognition: Address of the endpoint for Rekognition.
        others: Address of the server for S3, SNS and SQS.
    """

    def __init__(self, rekognition: str, others: str) -> None:
        self.plan = Plan()
        self.released = threading.Event()
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                body = _body(self)
                target = self.headers.get("X-Amz-Target", "")
                fault = gateway.plan.take(operation_of(self.command, self.path, target, body), dns=False)
                base = rekognition if target.startswith("RekognitionService.") else others
                with suppress(OSError):
                    gateway.answer(self, fault, base, body)
                self.close_connection = True

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any  # noqa: N815 -- the server's names

            def log_message(self, *_) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="lasting-gateway")

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, handler, fault, base, body) -> None:
        """Pass a call on, or do to it what its fault says."""
        if fault is not None and fault.reset:
            reset(handler)
            return
        if fault is not None and fault.body is not None:
            self._send(handler, fault.status, {"Content-Type": fault.content_type}, fault.body)
            return
        status, headers, content = _forward(handler, base, body)
        if fault is not None and fault.until is not None:
            self.released.wait(5)
        elif fault is not None and fault.cut:
            # Half of the body, or a body that is announced and does not come.
            self._send(handler, status, headers, content[: len(content) // 2], length=len(content) or 10)
        elif fault is not None and fault.interval is not None:
            self._send(handler, status, headers, content, interval=fault.interval)
        else:
            self._send(handler, status, headers, content)

    def _send(self, handler, status, headers, content, *, length=None, interval=0.0) -> None:
        kept = {name: value for name, value in headers.items() if name.lower() not in HOP_BY_HOP}
        if status != 204:
            kept["Content-Length"] = str(len(content) if length is None else length)
        lines = [f"HTTP/1.1 {status} .", *(f"{name}: {value}" for name, value in kept.items()), "Connection: close"]
        head = "\r\n".join([*lines, "", ""]).encode()
        if handler.command == "HEAD":
            content = b""
        if interval:
            for byte in head[:SLOW_BYTES]:
                handler.wfile.write(bytes([byte]))
                time.sleep(interval)
            head = head[SLOW_BYTES:]
        handler.wfile.write(head + content)

    # --- name resolution ---

    def watch(self, client) -> None:
        """Send a client's calls to a host that nobody can name, when the plan says so."""

        def before_send(request, **_) -> None:
            body = request.body if isinstance(request.body, bytes) else b""
            target = request.headers.get("X-Amz-Target", b"")
            target = target.decode() if isinstance(target, bytes) else target
            operation = operation_of(request.method, urlsplit(request.url).path, target, body)
            if self.plan.take(operation, dns=True) is not None:
                request.url = request.url.replace("127.0.0.1", NOWHERE)

        client.meta.events.register("before-send", before_send)


def resolver(real):
    """Return a resolver that asks nobody of the host that :meth:`Gateway.watch` sends calls to."""

    def getaddrinfo(host, *args, **kwargs):
        if host == NOWHERE:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *args, **kwargs)

    return getaddrinfo


def _body(handler) -> bytes:
    if "chunked" not in handler.headers.get("Transfer-Encoding", ""):
        return handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
    chunks = []
    while size := int(handler.rfile.readline().split(b";")[0], 16):
        chunks.append(handler.rfile.read(size))
        handler.rfile.readline()
    while handler.rfile.readline().strip():
        pass
    return b"".join(chunks)


def _forward(handler, base, body) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=20)
    headers = {name: value for name, value in handler.headers.items() if name.lower() not in HOP_BY_HOP}
    try:
        connection.request(handler.command, handler.path, body, headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def error(service: str, code: str, message: str, *, status: int) -> Fault:
    """Return an error in the form of a service."""
    if service == "s3":
        body = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
        return Fault(name=code, status=status, body=body.encode(), content_type="application/xml")
    return Fault.error(code, message, status=status)
