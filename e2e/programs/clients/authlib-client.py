"""Authlib: its client on requests, and its validator for services."""

import authlib
import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc6749 import ResourceProtector
from authlib.oauth2.rfc6750 import InvalidTokenError
from authlib.oauth2.rfc7662 import IntrospectTokenValidator
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url

from steps import PASSWORD, PORTAL, SERVICE_TOKEN, USERNAME, step, version

version(authlib.__version__)

metadata = AuthorizationServerMetadata(requests.get(get_well_known_url(PORTAL, external=True)).json())
metadata.validate()
assert metadata.issuer == PORTAL, metadata
step("discovery")


def session(**kwargs):
    return OAuth2Session("reports", scope="me", token_endpoint=metadata.token_endpoint, token_endpoint_auth_method="none", **kwargs)


def fails(call):
    try:
        call()
    except OAuthError as error:
        return error
    raise AssertionError("no error")


one = session()
first = one.fetch_token(username=USERNAME, password=PASSWORD)
assert first["token_type"] == "bearer" and first["scope"] == "me" and not first.is_expired(), first
step("password")

assert one.get(PORTAL + "/users/me").json()["username"] == USERNAME
step("use")

updates = []
auto = session(token={**first, "expires_at": 1}, update_token=lambda token, **_: updates.append(token))
assert auto.get(PORTAL + "/users/me").status_code == 200
assert len(updates) == 1 and updates[0]["refresh_token"] != first["refresh_token"], updates
step("refresh")

second = updates[0]


class Validator(IntrospectTokenValidator):
    """As its documentation says, with the service's own token."""

    def introspect_token(self, token_string):
        response = requests.post(metadata.introspection_endpoint, data={"token": token_string}, auth=("reports", SERVICE_TOKEN))
        response.raise_for_status()
        return response.json()


class Request:
    def __init__(self, token):
        self.headers = {"Authorization": "Bearer " + token}


protector = ResourceProtector()
protector.register_token_validator(Validator())
assert protector.validate_request(["me"], Request(second["access_token"]))["username"] == USERNAME
try:
    protector.validate_request(None, Request(second["refresh_token"]))
    raise AssertionError("a refresh token passed as an access token")
except InvalidTokenError:
    pass
service = OAuth2Session("reports", SERVICE_TOKEN, revocation_endpoint_auth_method="client_secret_basic")
hinted = service.introspect_token(metadata.introspection_endpoint, second["refresh_token"], "refresh_token").json()
assert hinted["active"] and hinted["token_type"] == "refresh_token", hinted
step("introspect")

error = fails(lambda: session().fetch_token(username=USERNAME, password="wrong"))
assert (error.error, error.description) == ("invalid_grant", "Incorrect username or password"), error
step("wrong password")

error = fails(lambda: session().refresh_token(metadata.token_endpoint, first["refresh_token"]))
assert error.error == "invalid_grant", error
assert requests.get(PORTAL + "/users/me", headers={"Authorization": "Bearer " + second["access_token"]}).status_code == 401
step("reuse")

third = session()
third.fetch_token(username=USERNAME, password=PASSWORD)
token = third.token["refresh_token"]
third.revocation_endpoint_auth_method = "none"
response = third.revoke_token(metadata.revocation_endpoint, token, "refresh_token")
assert response.status_code == 200 and response.json() == {}, response.text
error = fails(lambda: session().refresh_token(metadata.token_endpoint, token))
assert error.error == "invalid_grant", error
step("revoke")
