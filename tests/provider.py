"""An OpenID provider on this machine, as far as a login needs one."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT = "workbench"
CLIENT_SECRET = "what only the provider and the app know"
ADA, BOB = "1", "2"
PEOPLE = {ADA: "Ada", BOB: "Bob"}


@dataclass(slots=True)
class Provider:
    """Whom it knows, what it signs with, and which logins are under way."""

    url: str
    key: RSAKey = field(
        default_factory=lambda: RSAKey.generate_key(2048, {"kid": "first"})
    )
    asked: dict[str, dict[str, str]] = field(default_factory=dict)

    def discovery(self) -> Mapping[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "end_session_endpoint": f"{self.url}/end",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def agree(self, person: str, query: dict[str, str]) -> str:
        """Return where somebody who has said who they are is sent back to."""
        code = secrets.token_urlsafe(16)
        self.asked[code] = {**query, "person": person}
        answer = urlencode({"code": code, "state": query["state"]})
        return f"{query['redirect_uri']}?{answer}"

    def token(self, sent: dict[str, str], client: tuple[str, str]) -> Any:
        """Return the signed token for a code, once, or None where something is off."""
        asked = self.asked.pop(sent["code"], None)
        if asked is None or client != (CLIENT, CLIENT_SECRET):
            return None
        digest = hashlib.sha256(sent["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked["code_challenge"] != challenge:
            return None
        if asked["redirect_uri"] != sent["redirect_uri"]:
            return None
        now, person = int(time.time()), asked["person"]
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": person,
            "iat": now,
            "exp": now + 600,
            "nonce": asked["nonce"],
            "name": PEOPLE[person],
        }
        header = {"alg": "RS256", "kid": "first"}
        signed = jwt.encode(header, claims, self.key)
        return {
            "access_token": secrets.token_urlsafe(16),
            "token_type": "Bearer",
            "id_token": signed,
        }


@contextmanager
def open_id_provider() -> Iterator[Provider]:
    """Serve a provider at which everybody says themselves who they are."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    provider = Provider(f"http://127.0.0.1:{server.server_port}")
    server.provider = provider  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        provider: Provider = self.server.provider  # type: ignore[attr-defined]
        address = urlsplit(self.path)
        query = dict(parse_qsl(address.query))
        match address.path:
            case "/.well-known/openid-configuration":
                self._send_json(provider.discovery())
            case "/jwks":
                keys = KeySet([provider.key]).as_dict(private=False)
                self._send_json(keys)
            case "/authorize":
                self._send_people(query)
            case "/agree":
                person = query.pop("person")
                self._redirect(provider.agree(person, query))
            case "/end":
                self._redirect(query["post_logout_redirect_uri"])
            case _:
                self.send_error(404)

    def do_POST(self) -> None:
        provider: Provider = self.server.provider  # type: ignore[attr-defined]
        length = int(self.headers["Content-Length"])
        sent = dict(parse_qsl(self.rfile.read(length).decode()))
        _, _, packed = self.headers["Authorization"].partition("Basic ")
        name, _, secret = base64.b64decode(packed).decode().partition(":")
        token = provider.token(sent, (unquote(name), unquote(secret)))
        if token is None:
            self._send_json({"error": "invalid_grant"}, status=400)
        else:
            self._send_json(token)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: a test's output is the test's."""

    def _send_people(self, query: dict[str, str]) -> None:
        links = "".join(
            f'<p><a href="/agree?{urlencode({**query, "person": at})}">{name}</a></p>'
            for at, name in PEOPLE.items()
        )
        self._send("text/html", f"<h1>Who are you?</h1>{links}".encode())

    def _send_json(self, value: Any, status: int = 200) -> None:
        self._send("application/json", json.dumps(value).encode(), status)

    def _send(self, kind: str, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _redirect(self, where: str) -> None:
        self.send_response(302)
        self.send_header("Location", where)
        self.send_header("Content-Length", "0")
        self.end_headers()
