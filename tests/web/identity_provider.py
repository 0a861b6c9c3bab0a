"""A small OpenID provider, a process of its own: `python -m tests.web.identity_provider PORT`.

It signs with joserfc, checks PKCE, the client's secret and that a code is used once. What it says of a person, and how
it breaks the rules, is set by a POST to /say before the person comes.
"""

import base64
import hashlib
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT, SECRET = "dps", "a-secret-of-the-client"


class Provider(BaseHTTPRequestHandler):
    """One request to the provider."""

    server: Any

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        match parts.path:
            case "/.well-known/openid-configuration":
                issuer = self.server.issuer
                self._json(
                    {
                        "issuer": self.server.say.get("describes_as", issuer),
                        "authorization_endpoint": f"{issuer}/authorize",
                        "token_endpoint": f"{issuer}/token",
                        "jwks_uri": f"{issuer}/jwks",
                    }
                )
            case "/jwks":
                self._json(KeySet(self.server.published).as_dict(private=False))
            case "/authorize":
                code = str(len(self.server.codes))
                self.server.codes[code] = asked
                back = {"code": code, "state": asked["state"], "iss": self.server.issuer} | self.server.say.get(
                    "back", {}
                )
                self.send_response(302)
                self.send_header("Location", f"{asked['redirect_uri']}?{urlencode(back)}")
                self.end_headers()
            case _:
                self.send_error(404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/say":
            self.server.say = json.loads(body)
            if self.server.say.get("new_key"):
                self.server.key = RSAKey.generate_key(2048, {"kid": "second"})
                self.server.published = [self.server.key]
            self._json({})
            return
        sent = {name: values[0] for name, values in parse_qs(body).items()}
        asked = self.server.codes.pop(sent.get("code", ""), None)
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            asked is None
            or self.headers.get("Authorization") != f"Basic {basic}"
            or asked.get("code_challenge") != challenge
            or asked.get("redirect_uri") != sent.get("redirect_uri")
        ):
            self._json({"error": "invalid_grant"}, 400)
            return
        self._json({"access_token": "x", "token_type": "Bearer", "id_token": self._token(asked)})

    def _token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.server.issuer,
            "aud": CLIENT,
            "sub": "subject-1",
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + 300,
            **self.server.say.get("claims", {}),
        }
        key = self.server.stranger if self.server.say.get("strange_key") else self.server.key
        return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)

    def _json(self, value: Any, status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing is written: the test reads one line alone."""


def main(port: int) -> None:
    """Serve until ended; the first line on standard output is the issuer."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", port), Provider)
    server.issuer = f"http://127.0.0.1:{server.server_port}"
    server.key = RSAKey.generate_key(2048, {"kid": "first"})
    server.stranger = RSAKey.generate_key(2048, {"kid": "first"})
    server.published, server.codes, server.say = [server.key], {}, {}
    sys.stdout.write(f"{server.issuer}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
