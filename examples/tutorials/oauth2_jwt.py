"""A client for the server of "Secure FastAPI: Implement OAuth2 with JWT for Bulletproof API Authentication".

The account exists already, as the tutorial's does in fake_users_db.
"""

from tutorial import arguments

server, username, password = arguments()

server.get("/users/me/", "no token").want(401, detail="Not authenticated").want_challenge()
server.post_form("/token", "wrong password", username=username, password="wrong").want(
    401, detail="Incorrect username or password"
).want_challenge()
server.post_form("/token", "unknown name", username="nobody", password=password).want(
    401, detail="Incorrect username or password"
).want_challenge()
missing = server.post_form("/token", "no password", username=username).want(422)
assert [fault["loc"] for fault in missing.body["detail"]] == [["body", "password"]], missing.body

server.post_multipart("/token", "a multipart form", username=username, password=password).want(200, token_type="bearer")
server.post_form("/token/", "a form", username=username, password=password).want(200, token_type="bearer")
first = server.post_form("/token", "a form", username=username, password=password).want(200, token_type="bearer").body["access_token"]

server.get("/users/me/", "the token", first).want(200, username=username, disabled=False)
second = server.post("/refresh-token", "the token", first).want(200, token_type="bearer").body["access_token"]
server.get("/users/me/", "the fresh token", second).want(200, username=username)
server.post("/revoke-token", "the fresh token", second).want(200, message="Token revoked successfully")
server.get("/users/me/", "the revoked token", second).want(401).want_challenge()
server.get("/users/me/", "junk", "junk").want(401, detail="Could not validate credentials").want_challenge()
