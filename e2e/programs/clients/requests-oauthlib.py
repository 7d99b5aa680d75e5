"""requests-oauthlib, with the clients of oauthlib behind it."""

import time

import oauthlib.oauth2
import requests
import requests_oauthlib
from oauthlib.oauth2 import InvalidGrantError, LegacyApplicationClient

from steps import PASSWORD, PORTAL, SERVICE_TOKEN, USERNAME, step, version

TOKEN_URL = PORTAL + "/token"

version(requests_oauthlib.__version__)


def session(**kwargs):
    return requests_oauthlib.OAuth2Session(client=LegacyApplicationClient(client_id="reports", scope=["me"]), **kwargs)


def fails(token):
    try:
        session().refresh_token(TOKEN_URL, refresh_token=token, client_id="reports")
    except InvalidGrantError:
        return True
    return False


one = session()
first = one.fetch_token(TOKEN_URL, username=USERNAME, password=PASSWORD)
assert first["token_type"] == "bearer" and first.scope == "me" and first["expires_in"] == 300, first
step("password")

assert one.get(PORTAL + "/users/me").json()["username"] == USERNAME
step("use")

kept = []
auto = session(
    token={**first, "expires_at": time.time() - 1},
    auto_refresh_url=TOKEN_URL,
    auto_refresh_kwargs={"client_id": "reports"},
    token_updater=kept.append,
)
assert auto.get(PORTAL + "/users/me").status_code == 200
assert len(kept) == 1 and kept[0]["refresh_token"] != first["refresh_token"], kept
step("refresh")

found = requests.post(PORTAL + "/introspect", {"token": kept[0]["access_token"]}, auth=("reports", SERVICE_TOKEN)).json()
assert found["active"] and found["client_id"] == "reports" and found["scope"] == "me", found
step("introspect")

try:
    session().fetch_token(TOKEN_URL, username=USERNAME, password="wrong")
    raise AssertionError("a wrong password got a token")
except InvalidGrantError as error:
    assert error.description == "Incorrect username or password", error
step("wrong password")

assert fails(first["refresh_token"]), "a used refresh token got a token"
assert one.get(PORTAL + "/users/me", headers={"Authorization": "Bearer " + kept[0]["access_token"]}).status_code == 401
step("reuse")

second = session().fetch_token(TOKEN_URL, username=USERNAME, password=PASSWORD)
client = LegacyApplicationClient(client_id="reports")
url, headers, body = client.prepare_token_revocation_request(
    PORTAL.replace("http:", "https:") + "/revoke", second["refresh_token"], "refresh_token"
)  # prepares for https only
response = requests.post(url.replace("https:", "http:"), data=body, headers=headers)
assert response.status_code == 200 and response.json() == {}, response.text
assert fails(second["refresh_token"]), "a revoked refresh token got a token"
step("revoke")
