"""As much of Azure as a release asks of it, over TLS: tokens of Entra ID, a cluster's credentials from Resource Manager, and a
managed identity's endpoint, which has no TLS in Azure either.
"""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from tests.certificates import tls_context
from tests.serving import serving

TENANT, SUBSCRIPTION = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
CLIENT, SECRET, GROUP, CLUSTER = "33333333-3333-3333-3333-333333333333", "s3cret-of-the-principal", "digits", "digits-aks"
FEDERATED = "the worker's service account token"

Form = dict[str, str]
Answer = tuple[int, dict[str, Any]]


@dataclass
class AzureServer:
    """url: where it is. kubeconfig: what it hands out. token: gives the value and the lifetime in seconds of a token for a scope.

    refuse: may answer in place of Resource Manager. logins: the forms that came to the token endpoints, with `tenant`.
    asked: other requests.
    """

    url: str
    kubeconfig: dict[str, Any] = field(default_factory=dict)
    token: Callable[[str], tuple[str, int]] = lambda scope: (f"token for {scope}", 3600)
    refuse: Callable[[str], Answer | None] = lambda path: None
    logins: list[Form] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def answer(self, method: str, target: str, form: Form, authorization: str) -> Answer:
        path = urlsplit(target).path
        if path.endswith("/.well-known/openid-configuration"):
            base = f"{self.url}/{path.split('/')[1]}/oauth2/v2.0"
            return 200, {"issuer": base, "token_endpoint": f"{base}/token", "authorization_endpoint": f"{base}/authorize"}
        if path.endswith("/oauth2/v2.0/token"):
            return self._login(form | {"tenant": path.split("/")[1]})
        if path == "/metadata/identity/oauth2/token":
            return self._managed(parse_qs(urlsplit(target).query))
        self.asked.append(target)
        return self._resource(method, path, authorization)

    def _login(self, form: Form) -> Answer:
        self.logins.append(form)
        if form.get("client_assertion", FEDERATED) != FEDERATED or (
            "client_assertion" not in form and form.get("client_secret") != SECRET
        ):
            text = "AADSTS7000215: Invalid client secret provided. Trace ID: 1 Correlation ID: 2"
            return 401, {"error": "invalid_client", "error_description": text, "error_codes": [7000215]}
        value, seconds = self.token(form["scope"])
        return 200, {"token_type": "Bearer", "access_token": value, "expires_in": seconds, "ext_expires_in": seconds}

    def _managed(self, query: dict[str, list[str]]) -> Answer:
        self.logins.append({name: values[0] for name, values in query.items()})
        value, seconds = self.token(query["resource"][0])
        return 200, {"token_type": "Bearer", "access_token": value, "expires_in": str(seconds), "resource": query["resource"][0]}

    def _resource(self, method: str, path: str, authorization: str) -> Answer:
        if not authorization.startswith("Bearer "):
            return 401, {"error": {"code": "AuthenticationFailed", "message": "no token"}}
        if answer := self.refuse(path):
            return answer
        cluster = (
            f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.ContainerService/managedClusters/{CLUSTER}"
        )
        if (method, path) != ("POST", f"{cluster}/listClusterUserCredential"):
            return 404, {"error": {"code": "ResourceNotFound", "message": f"The Resource '{path}' was not found."}}
        value = base64.b64encode(yaml.safe_dump(self.kubeconfig).encode()).decode()
        return 200, {"kubeconfigs": [{"name": "clusterUser", "value": value}]}


@contextmanager
def azure_server(folder: Path, *, tls: bool = True) -> Iterator[AzureServer]:
    """Run it on a free port of this machine. folder: gets `ca.pem`, the certificate to trust."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    azure = AzureServer(f"{'https' if tls else 'http'}://localhost:{server.server_port}")
    server.RequestHandlerClass = _handler(azure)
    if tls:
        server.socket = tls_context(folder).wrap_socket(server.socket, server_side=True)
    with serving(server):
        yield azure


def _handler(azure: AzureServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            status, answer = azure.answer(self.command, self.path, form, self.headers.get("Authorization", ""))
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    return Handler
