"""The shipped nginx configuration: it is valid, keeps half-open connections away, and hides what is not for all."""

import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.web.pages.chromium import Site
from tests.web.served import Served

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
SHIPPED = Path("deploy/nginx.conf")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("database_kind", ["sqlite"]),
]


@pytest.fixture
def proxy(served: Served, tmp_path: Path) -> Iterator[str]:
    """The shipped file with our ports and a certificate made for the test; nothing else of it is changed."""
    listening = Site(served)
    behind = listening.start().removeprefix("http://")
    with socket.create_server(("127.0.0.1", 0)) as plain, socket.create_server(("127.0.0.1", 0)) as secure:
        ports = {"80": plain.getsockname()[1], "443": secure.getsockname()[1]}
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    text = SHIPPED.read_text().replace("127.0.0.1:8000", behind)
    text = text.replace("/etc/ssl/dps/fullchain.pem", str(certificate)).replace("/etc/ssl/dps/privkey.pem", str(key))
    text = re.sub(r"listen (80|443)", lambda found: f"listen 127.0.0.1:{ports[found[1]]}", text)
    (tmp_path / "dps.conf").write_text(text)
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log;\n"
        "worker_processes 1; events { worker_connections 2048; }\n"
        f"http {{ client_body_temp_path {tmp_path}/body; proxy_temp_path {tmp_path}/proxy; "
        f"fastcgi_temp_path {tmp_path}/f; uwsgi_temp_path {tmp_path}/u; scgi_temp_path {tmp_path}/s; "
        f"include {tmp_path}/dps.conf; }}\n"
    )
    assert NGINX is not None, "nginx is not here: make proxy"
    if os.geteuid() == 0:
        tmp_path.chmod(0o755)
    with subprocess.Popen([NGINX, "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)]) as process:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", ports["443"])) == 0:
                    break
            time.sleep(0.1)
        yield f"https://127.0.0.1:{ports['443']}"
        process.terminate()
    listening.stop()


def test_half_open_connections_leave_the_engine_alone(proxy: str) -> None:
    host, port = proxy.removeprefix("https://").split(":")
    half_open = []
    with httpx.Client(verify=False) as client:
        client.get(f"{proxy}/sign-in")
        for _ in range(49):
            half = socket.create_connection((host, int(port)))
            half_open.append(half)
        pages = [client.get(f"{proxy}/sign-in") for _ in range(10)]
        metrics = client.get(f"{proxy}/metrics")
        too_large = client.post(f"{proxy}/api/bids", content=b"x" * (12 * 1024 * 1024))
    for half in half_open:
        half.close()

    assert [page.status_code for page in pages] == [200] * 10
    assert metrics.status_code == 404
    assert too_large.status_code == 413


def answered_in(proxy: str, pages: int) -> float:
    """Seconds in which 95 of 100 of these answers were there; each must be."""
    took = []
    with httpx.Client(verify=False) as client:
        for _ in range(pages):
            began = time.monotonic()
            assert client.get(f"{proxy}/api/schemes").status_code == 200
            took.append(time.monotonic() - began)
    return sorted(took)[int(len(took) * 0.95)]


def test_five_hundred_half_open_sockets_keep_nobody_waiting(proxy: str) -> None:
    host, port = proxy.removeprefix("https://").split(":")
    alone = answered_in(proxy, 40)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with ExitStack() as held:
        for number in range(500):
            half = held.enter_context(socket.create_connection((host, int(port)), timeout=30))
            if number % 5 == 1:
                half.sendall(b"\x16\x03\x01\x02")
            elif number % 5 == 2:
                secure = held.enter_context(context.wrap_socket(half))
                secure.sendall(b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")

        beside = answered_in(proxy, 40)

    # Of a quiet machine; where others work too, what it takes alone says how quiet it is.
    assert beside <= max(0.5, 3 * alone)


def test_a_body_that_never_ends_is_cut_off_by_the_proxy(proxy: str) -> None:
    host, port = proxy.removeprefix("https://").split(":")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((host, int(port)), timeout=30) as plain, context.wrap_socket(plain) as secure:
        secure.sendall(b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf")
        secure.settimeout(30)
        begun = time.monotonic()
        answer = secure.recv(4096)

    assert answer == b"" or b"408" in answer.splitlines()[0]
    assert time.monotonic() - begun < 25
