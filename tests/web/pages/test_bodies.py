"""What a form brings is read once, strictly, and remembered by nobody (rules 15 and 16)."""

from collections.abc import Callable

import pytest
from litestar._parsers import parse_cookie_string, parse_url_encoded_form_data

from tests.web.pages.browsing import Browser, an_account
from tests.web.served import Served
from web.security.accounts import Part

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])


@pytest.fixture
def is_read(served: Served) -> Callable[..., bool]:
    """Send a body from the page that shows the form: whether it was looked at."""
    browser = Browser(served)
    browser.open("/sign-in")
    token = browser.form("/sign-in")["csrf"]

    def sent(body: bytes, kind: str) -> bool:
        content = body.replace(b"CSRF", token.encode())
        answer = browser.client.post("/sign-in", content=content, headers={"Content-Type": kind})
        assert answer.status_code == 400
        assert ("The e-mail address or the password is not right" in answer.text) != (
            "could not be read" in answer.text
        )
        return "could not be read" not in answer.text

    return sent


def parts(*inner: bytes) -> bytes:
    mine = b'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\nCSRF\r\n'
    return mine + b"".join(b"--x\r\n" + part + b"\r\n" for part in inner) + b"--x--\r\n"


EMAIL = b"Content-Disposition: form-data; name=email\r\n"
SOUND = [
    (b"csrf=CSRF&email=a%40example.org&password=caf%C3%A9", "application/x-www-form-urlencoded"),
    (b"csrf=CSRF&email=&email=a%40example.org&password=", "application/x-www-form-urlencoded; charset=utf-8"),
    (parts(EMAIL + b"\r\na@example.org"), "multipart/form-data; boundary=x"),
    (parts(b'Content-Disposition: form-data; name="file"; filename=""\r\n\r\n'), "multipart/form-data; boundary=x"),
]
BROKEN = [
    (b"csrf=CSRF&email=%FF", "application/x-www-form-urlencoded"),
    (b"csrf=CSRF&email=%ED%A0%80", "application/x-www-form-urlencoded"),
    (b"csrf=CSRF&email=\xff", "application/x-www-form-urlencoded"),
    (b"csrf=CSRF&email=a%00b", "application/x-www-form-urlencoded"),
    (b"csrf=CSRF" + b"&a=" * 2_000, "application/x-www-form-urlencoded"),
    (parts(EMAIL + b"\r\n\xff"), "multipart/form-data; boundary=x"),
    (parts(EMAIL + b"\r\na\0b"), "multipart/form-data; boundary=x"),
    (parts(EMAIL + b"Content-Type: text/plain; charset=utf-16\r\n\r\n\xff\xfea"), "multipart/form-data; boundary=x"),
    (parts(*[EMAIL + b"\r\na"] * 2_000), "multipart/form-data; boundary=x"),
    (parts(EMAIL + b"\r\na")[:-8], "multipart/form-data; boundary=x"),
    (parts(EMAIL + b"\r\na"), "multipart/form-data; boundary=y"),
    (parts(EMAIL + b"\r\na"), "multipart/form-data"),
]


def test_a_form_as_browsers_send_it_is_read_and_what_is_none_is_refused(is_read: Callable[..., bool]) -> None:
    assert [body for body, kind in SOUND if not is_read(body, kind)] == []
    assert [body for body, kind in BROKEN if is_read(body, kind)] == []


def test_no_form_and_no_cookie_is_remembered_by_the_process(served: Served) -> None:
    """The framework's own readers keep the last thousand: prices, passwords, the keys of browsers' own copies."""
    parse_url_encoded_form_data.cache_clear()
    parse_cookie_string.cache_clear()

    browser = Browser(served)
    browser.sign_in(an_account(served, Part.BROKER))
    browser.open("/desk")

    assert browser.page.status_code == 200
    assert parse_url_encoded_form_data.cache_info().currsize == 0
    assert parse_cookie_string.cache_info().currsize == 0
