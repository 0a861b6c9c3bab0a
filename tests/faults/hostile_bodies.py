"""Hostile requests by name, as bytes: heads, addresses, bodies for programs, forms."""

import gzip
import json
from collections.abc import Mapping
from typing import Any
from zlib import crc32

DEEP = 100_000
MANY = 300_000


def _request(line: str, *headers: str, body: bytes = b"", sized: bool = True) -> bytes:
    length = (f"Content-Length: {len(body)}",) if sized and body else ()
    head = "\r\n".join([line, "Host: x", "Connection: close", *length, *headers])
    return head.encode("latin-1") + b"\r\n\r\n" + body


def _get(*headers: str, target: str = "/api/schemes") -> bytes:
    return _request(f"GET {target} HTTP/1.1", *headers)


def heads(key: str) -> dict[str, bytes]:
    """Heads that break rules, and bodies whose length they misstate."""

    def post(*headers: str, body: bytes = b"{}") -> bytes:
        who = (f"Authorization: Bearer {key}", "Idempotency-Key: hostile", "Content-Type: application/json")
        return _request("POST /api/bids HTTP/1.1", *who, *headers, body=body, sized=False)

    chunked = "Transfer-Encoding: chunked"
    return {
        "a header of 60 KB": _get(f"X-Long: {'x' * 60_000}"),
        "a header of 1 MB": _get(f"X-Long: {'x' * 1_000_000}"),
        "4,000 headers": _get(*(f"X-{number}: y" for number in range(4_000))),
        "a key of 50 KB": _get(f"Authorization: Bearer {'k' * 50_000}", target="/api/me"),
        "a cookie of 50 KB": _get(f"Cookie: dps-session={'c' * 50_000}", target="/portal"),
        "5,000 cookies": _get(f"Cookie: {'; '.join(f'a{number}=b' for number in range(5_000))}", target="/sign-in"),
        "a cookie of no text": _get(
            'Cookie: dps-session="\\377\\000%00%ED%A0%80"; ==;;; dps-visit=%', target="/portal"
        ),
        "a header without a colon": _get("no colon"),
        "a header name with NUL": _get("X-\0: y"),
        "NUL in a header": _get("X-Nul: a\0b"),
        "a space before the colon": _get("X-Space : y"),
        "a folded header": _get("X-Folded: a\r\n b"),
        "a header of Latin letters": _get("X-Latin: \xe9\xff", "Accept: \xff/\xff;q=\xe9", "Accept-Language: \xff"),
        "no end of line but LF": _get().replace(b"\r\n", b"\n"),
        "two hosts": _get("Host: y"),
        "no host": b"GET /api/schemes HTTP/1.1\r\nConnection: close\r\n\r\n",
        "a method of its own": _request("BREW /api/schemes HTTP/1.1"),
        "a method of 10 KB": _request(f"{'M' * 10_000} / HTTP/1.1"),
        "TRACE": _request("TRACE /api/schemes HTTP/1.1"),
        "a version of its own": _request("GET / HTTP/9.9"),
        "HTTP/1.0": _request("GET /api/schemes HTTP/1.0"),
        "no request": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
        "an upgrade": _get("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"),
        "a preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "ranges": _get(f"Range: bytes={','.join('0-1' for _ in range(10_000))}", target="/sign-in"),
        "dates of no calendar": _get("If-Modified-Since: 99 Foo 99999", 'If-None-Match: "\xff'),
        "an odd key": _request(
            "POST /api/bids HTTP/1.1", f"Authorization: Bearer {key}", f"Idempotency-Key: {'k' * 5_000}", body=b"{}"
        ),
        "two lengths": post("Content-Length: 2", "Content-Length: 200"),
        "the same length twice": post("Content-Length: 2", "Content-Length: 2"),
        "lengths in a list": post("Content-Length: 2, 3"),
        "a negative length": post("Content-Length: -1"),
        "a length with a sign": post("Content-Length: +2"),
        "a length of 40 digits": post(f"Content-Length: {'9' * 40}"),
        "a length of 5,000 digits": post(f"Content-Length: {'9' * 5_000}"),
        "a length in letters": post("Content-Length: two"),
        "a length and chunks": post("Content-Length: 5", chunked, body=b"2\r\n{}\r\n0\r\n\r\n"),
        "chunks twice": post(chunked, chunked, body=b"2\r\n{}\r\n0\r\n\r\n"),
        "packed chunks": post("Transfer-Encoding: gzip, chunked", body=b"2\r\n{}\r\n0\r\n\r\n"),
        "no coding": post("Transfer-Encoding: identity"),
        "a chunk of no number": post(chunked, body=b"zz\r\n{}\r\n0\r\n\r\n"),
        "a chunk of a negative number": post(chunked, body=b"-2\r\n{}\r\n0\r\n\r\n"),
        "a chunk of 40 digits": post(chunked, body=b"F" * 40 + b"\r\n{}\r\n0\r\n\r\n"),
        "a chunk that is longer than it says": post(chunked, body=b"1\r\n{}{}{}\r\n0\r\n\r\n"),
        "a chunk with 60 KB beside it": post(chunked, body=b"2;" + b"x" * 60_000 + b"\r\n{}\r\n0\r\n\r\n"),
        "50,000 chunks": post(chunked, body=b"1\r\n \r\n" * 50_000 + b"2\r\n{}\r\n0\r\n\r\n"),
        "trailers without end": post(chunked, body=b"2\r\n{}\r\n0\r\n" + b"X: y\r\n" * 20_000 + b"\r\n"),
        "more than it says, as a second request": post("Content-Length: 2", body=b"{}GET /api/me HTTP/1.1\r\n\r\n"),
        "a request inside a request": post(
            "Content-Length: 4", chunked, body=b"0\r\n\r\nGET /api/me HTTP/1.1\r\nHost: x\r\n\r\n"
        ),
    }


def targets(key: str) -> dict[str, bytes]:
    """Addresses that lead out, that no text is, or that are endless."""
    who = f"Authorization: Bearer {key}"
    named = (
        "/static/../../pyproject.toml", "/static/..%2f..%2fpyproject.toml", "/static/%2e%2e/%2e%2e/etc/passwd",
        "/static/....//....//etc/passwd", "/static/%00.css", "/static//etc/passwd", "//etc/passwd", "/../../etc/passwd",
        "/static/..%5c..%5cetc", "/static/C:%5cWindows", "/api/schemes/..%2F..%2Fpresets", "/api/schemes/%2Fetc",
        "/api/docs/../../x", "/%ED%A0%80", "/%FF%FE", "/%", "/%zz", "/api/bids/%00", "/api/bids/%C0%AE%C0%AE", "*",
        "http://elsewhere.example/api/schemes", "http://[", "/api/schemes?%", "/api/schemes?a=%ED%A0%80&b=%00",
        "/api/bids?after=%00", "/theme/..%2f..%2f.css", "?", "/sign-in?next=//elsewhere.example", "/sign-in?next=%0d",
    )  # fmt: skip
    found = {f"address {target}": _get(who, target=target) for target in named}
    return found | {
        "an address of 60 KB": _get(who, target="/" + "a" * 60_000),
        "an address of 1 MB": _get(who, target="/" + "a" * 1_000_000),
        "10,000 steps": _get(who, target="/a" * 10_000),
        "10,000 steps up": _get(who, target="/.." * 10_000),
        "20,000 questions": _get(who, target="/api/bids?" + "&".join("a=" for _ in range(20_000))),
        "the same question 5,000 times": _get(who, target="/api/bids?" + "&".join("after=x" for _ in range(5_000))),
        "an address of no ASCII": b"GET /\xff\xfe\xc3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "an address with NUL": b"GET /a\0b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    }


def bodies(key: str, bid: Mapping[str, Any]) -> dict[str, bytes]:
    """Bodies for a program's address: a bid as it should be, and then not."""
    sound = json.dumps(bid)

    def post(body: bytes | str, kind: str = "application/json", *headers: str, to: str = "/api/bids") -> bytes:
        content = body.encode() if isinstance(body, str) else body
        who = (f"Authorization: Bearer {key}", f"Idempotency-Key: hostile {len(content)} {crc32(content)}")
        return _request(f"POST {to} HTTP/1.1", *who, f"Content-Type: {kind}", *headers, body=content)

    def bidding(field: str, value: str) -> bytes:
        """The sound bid with something else in one field, as it is written."""
        other = {**bid, "bid": {**bid["bid"], field: "@"}}
        return post(json.dumps(other).replace('"@"', value))

    def priced(value: str) -> bytes:
        return bidding("card", f'{{"basis": "per_hour", "prices": {value}}}')

    deep = {"brackets": "[" * DEEP, "closed brackets": "[" * DEEP + "]" * DEEP, "objects": '{"a":' * DEEP}
    numbers = (
        "1e400",
        "-1e400",
        "1" * 100_000,
        "1" * 4_000,
        "9" * 30,
        "-9223372036854775809",
        "0.1",
        "NaN",
        "Infinity",
    )
    texts = {
        "NUL": '"\\u0000"', "half a pair": '"\\ud800"', "a pair the wrong way": '"\\udc00\\ud800"', "no text": '"\\x"',
        "no character": '"\\uffff"', "500 KB": '"' + "x" * 500_000 + '"', "a line": '"\n"', "an end": '"',
    }  # fmt: skip
    found = {f"{name} alone": post(text) for name, text in deep.items()}
    found |= {f"{name} for prices": priced(text) for name, text in deep.items()}
    found |= {f"{name} for times": bidding("times", text) for name, text in deep.items()}
    found |= {f"{number[:12]} for a price": priced(f'{{"weekday": {number}}}') for number in numbers}
    found |= {f"{number[:12]} for minutes": bidding("weekly_minutes", number) for number in numbers}
    found |= {f"{number[:12]} for preference": bidding("preference", number) for number in numbers}
    found |= {f"{name} for an answer": bidding("answers", f'{{"a": {text}}}') for name, text in texts.items()}
    found |= {f"{name} for a name": bidding("answers", f"{{{text}: 1}}") for name, text in texts.items()}
    found |= {f"{name} for a provider": bidding("not_with", f"[{text}]") for name, text in texts.items()}
    found |= {f"{name} for a day": bidding("starts_on", text) for name, text in texts.items()}
    found |= {
        f"{name} for a round": post(json.dumps({**bid, "rounds": ["@"]}).replace('"@"', text))
        for name, text in texts.items()
    }
    return found | {
        "a day before all days": bidding("starts_on", '"0000-00-00"'),
        "the last day": bidding("starts_on", '"9999-12-31"'),
        "300,000 names": priced("{" + ",".join(f'"{number}":1' for number in range(MANY // 4)) + "}"),
        "one name 100,000 times": priced("{" + ",".join('"weekday":1' for _ in range(DEEP // 2)) + "}"),
        "300,000 providers": bidding("not_with", "[" + ",".join('""' for _ in range(MANY)) + "]"),
        "nothing": post(b" "),
        "NUL bytes": post(bytes(1_000)),
        "no UTF-8": post(b'{"rounds": ["\xff\xfe\xc3"]}'),
        "UTF-16": post(sound.encode("utf-16"), "application/json; charset=utf-16"),
        "UTF-16 as UTF-8": post(sound.encode("utf-16")),
        "a mark before UTF-8": post(b"\xef\xbb\xbf" + sound.encode()),
        "UTF-7": post(b"+AHsAfQ-", "application/json; charset=utf-7"),
        "a coding of its own": post(sound, "application/json; charset=no-such-coding"),
        "packed": post(gzip.compress(sound.encode()), "application/json", "Content-Encoding: gzip"),
        "packed strangely": post(sound, "application/json", "Content-Encoding: no-such-packing, br;q=\xff"),
        "another kind": post(sound, "application/xml"),
        "no kind": post(sound, ""),
        "a kind of 20 KB": post(sound, "a/" + "b" * 20_000),
        "a kind of 9,000 parts": post(sound, "application/json" + ";a=b" * 9_000),
        "msgpack": post(b"\xdd\xff\xff\xff\xff", "application/vnd.msgpack"),
        "a form": post("rounds=a&bid=b", "application/x-www-form-urlencoded"),
        "parts": post("--x\r\n\r\n--x--", "multipart/form-data; boundary=x"),
        "more than a megabyte": post(b" " * 1_100_000),
        "deep for a passkey": post(deep["brackets"], to="/sign-in/passkey"),
        "a sound bid": post(sound),
    }


def forms(cookie: str, token: str) -> dict[str, bytes]:
    """Forms for the page where everybody may send one, with the token that such a form carries."""

    def post(body: bytes | str, kind: str = "application/x-www-form-urlencoded") -> bytes:
        content = body.encode() if isinstance(body, str) else body
        return _request("POST /sign-in HTTP/1.1", f"Cookie: {cookie}", f"Content-Type: {kind}", body=content)

    def parts(*inner: bytes, boundary: str = "x", end: bytes = b"--x--\r\n") -> bytes:
        mine = b'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n' + token.encode() + b"\r\n"
        body = mine + b"".join(b"--x\r\n" + part + b"\r\n" for part in inner) + end
        return post(body, f"multipart/form-data; boundary={boundary}")

    def named(name: str, content: bytes, *more: str) -> bytes:
        return "\r\n".join([f"Content-Disposition: form-data; name={name}", *more]).encode() + b"\r\n\r\n" + content

    def coded(coding: str, content: bytes) -> bytes:
        return parts(named("email", content, f"Content-Type: text/plain; charset={coding}"))

    sent = f"csrf={token}&email="
    return {
        "a sound form": post(f"{sent}nobody%40example.org&password=x"),
        "NUL in a field": post(f"{sent}a%00b%40example.org&password=%00"),
        "no text in a field": post(f"{sent}%ED%A0%80%FF&password=%C0%80"),
        "bytes in a field": post(sent.encode() + b"\xff\xfe&password=\xed\xa0\x80"),
        "percent signs": post(f"{sent}{'%' * 200_000}"),
        "letters in percents": post(f"{sent}{'%41' * 300_000}"),
        "a field of 1 MB": post(f"{sent}{'a' * 1_000_000}"),
        "a field's name of 900 KB": post(f"{sent}a&{'n' * 900_000}=1"),
        "300,000 fields": post(sent + "&a=" * MANY),
        "300,000 other fields": post(sent + "".join(f"&{number}" for number in range(MANY // 2))),
        "the token 1,000 times": post("&".join(f"csrf={token}" for _ in range(1_000))),
        "a coding of the form's own": post(f"{sent}a", "application/x-www-form-urlencoded; charset=utf-32"),
        "no boundary": post("--x--", "multipart/form-data"),
        "an empty boundary": post("--\r\n\r\n----", 'multipart/form-data; boundary=""'),
        "another boundary": parts(boundary="y"),
        "a boundary of 60 KB": parts(boundary="y" * 60_000),
        "a boundary of Latin letters": parts(boundary="\xff\xe9"),
        "a boundary in quotes": parts(boundary='"x'),
        "5,000 parts": parts(*(named(f"a{number}", b"b") for number in range(5_000))),
        "5,000 files": parts(*(named(f"a{number}; filename=b", b"c") for number in range(5_000))),
        "one name in 1,500 parts": parts(*(named("email", b"b") for _ in range(1_500))),
        "a part without a name": parts(b"Content-Disposition: form-data\r\n\r\na"),
        "a part of another kind": parts(b"Content-Disposition: attachment; name=a\r\n\r\na"),
        "a part without a head": parts(b"\r\na"),
        "a head of 100 KB": parts(named("a" * 100_000, b"b")),
        "2,000 heads": parts(named("a", b"b", *(f"X-{number}: y" for number in range(2_000)))),
        "a head of no text": parts(b'Content-Disposition: form-data; name="\xff\xfe"\r\n\r\na'),
        "NUL in a name": parts(b'Content-Disposition: form-data; name="a\0b"\r\n\r\na'),
        "NUL in a part": parts(named("email", b"a\0b")),
        "no text in a part": parts(named("email", b"\xff\xfe\xed\xa0\x80")),
        "a name that leads out": parts(named('"../../etc/passwd"; filename="../../etc/passwd"', b"root")),
        "a name with a line": parts(named('"a"; filename="a%0d%0ab\\"; filename*=utf-8\'\'%ED%A0%80"', b"c")),
        "an unknown coding": coded("no-such-coding", b"a"),
        "a coding that is slow": coded("idna", b"xn--" + b"a" * 200_000),
        "another that is slow": coded("punycode", b"a-" + b"z" * 60_000),
        "a coding that makes half pairs": coded("unicode_escape", b"\\ud800"),
        "a coding of bytes": coded("hex", b"zz"),
        "UTF-16 cut in half": coded("utf-16", b"\xff\xfea"),
        "a length of its own": parts(named("email", b"a", "Content-Length: 99999999999999999999")),
        "parts in a part": parts(named("a", b"--y\r\n\r\n--y--", "Content-Type: multipart/mixed; boundary=y")),
        "parts without end": parts(named("a", b"b"), end=b""),
        "boundaries alone": post(b"--x\r\n" * 100_000, "multipart/form-data; boundary=x"),
        "almost boundaries": post(b"\r\n--" * 200_000, "multipart/form-data; boundary=" + "-" * 60),
        "another kind of form": post(sent, "text/plain"),
        "a kind without an end": post(sent, 'multipart/form-data; boundary="' + '\\"' * 5_000),
    }
