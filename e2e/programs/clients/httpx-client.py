"""httpx, with an Auth that gets and refreshes tokens as its documentation shows."""

import httpx

from steps import PASSWORD, PORTAL, SERVICE_TOKEN, USERNAME, step, version

version(httpx.__version__)


class Latchkey(httpx.Auth):
    """Signs in at the first request, and refreshes after a 401."""

    requires_response_body = True

    def __init__(self, username, password):
        self.form, self.tokens = {"username": username, "password": password, "scope": "me", "client_id": "reports"}, None

    def grant(self, form):
        response = yield httpx.Request("POST", metadata["token_endpoint"], data=form)
        response.raise_for_status()
        self.tokens = response.json()

    def refresh(self):
        yield from self.grant({"grant_type": "refresh_token", "refresh_token": self.tokens["refresh_token"]})

    def auth_flow(self, request):
        if self.tokens is None:
            yield from self.grant({"grant_type": "password", **self.form})
        request.headers["Authorization"] = "Bearer " + self.tokens["access_token"]
        response = yield request
        if response.status_code == 401 and 'error="invalid_token"' in response.headers["WWW-Authenticate"]:
            yield from self.refresh()
            request.headers["Authorization"] = "Bearer " + self.tokens["access_token"]
            yield request


def fails(call):
    try:
        call()
    except httpx.HTTPStatusError as error:
        assert error.response.status_code == 400, error
        return error.response.json()
    raise AssertionError("no error")


with httpx.Client(base_url=PORTAL) as client:
    metadata = client.get("/.well-known/oauth-authorization-server").json()
    assert metadata["issuer"] == PORTAL, metadata
    step("discovery")

    auth = Latchkey(USERNAME, PASSWORD)
    me = client.get("/users/me", auth=auth)
    assert me.json()["username"] == USERNAME, me.text
    step("password")
    assert client.get("/users/me/", auth=auth).status_code == 200
    step("use")

    first = dict(auth.tokens)
    auth.tokens["access_token"] += "x"
    assert client.get("/users/me", auth=auth).status_code == 200
    assert auth.tokens["refresh_token"] != first["refresh_token"]
    step("refresh")

    found = client.post("/introspect", data={"token": auth.tokens["access_token"]}, auth=("reports", SERVICE_TOKEN)).json()
    assert found["active"] and found["username"] == USERNAME, found
    step("introspect")

    assert fails(lambda: client.get("/users/me", auth=Latchkey(USERNAME, "wrong")))["error"] == "invalid_grant"
    step("wrong password")

    fresh = dict(auth.tokens)
    auth.tokens = {**first, "access_token": "x"}
    assert fails(lambda: client.get("/users/me", auth=auth))["error"] == "invalid_grant"
    assert client.get("/users/me", headers={"Authorization": "Bearer " + fresh["access_token"]}).status_code == 401
    step("reuse")

    auth = Latchkey(USERNAME, PASSWORD)
    client.get("/users/me", auth=auth)
    revoked = client.post("/revoke", data={"token": auth.tokens["access_token"]})
    assert revoked.status_code == 200 and revoked.json() == {}, revoked.text
    assert fails(lambda: client.get("/users/me", auth=auth))["error"] == "invalid_grant"
    step("revoke")
