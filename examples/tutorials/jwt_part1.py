"""A client for the server of "Get started with FastAPI JWT authentication – Part 1".

It creates the account that it uses.
"""

from tutorial import arguments

server, username, password = arguments()

server.post_json("/signup", "no password", username=username).want(422)
server.post_json("/signup", "a name and a password", username=username, password=password).want(200)
server.post_json("/login", "wrong password", username=username, password="wrong").want(401)
server.post_json("/login", "no password", username=username).want(422)
tokens = server.post_json("/login", "a name and a password", username=username, password=password).want(200).body
access, refresh = tokens["access_token"], tokens["refresh_token"]

secret = server.post("/secret", "the access token", access).want(200)
assert secret.body == "Secret data", secret.body
server.post("/secret", "the refresh token", refresh).want(401)
notsecret = server.get("/notsecret", "no token").want(200)
assert notsecret.body == "Not secret data", notsecret.body

for what in ("the refresh token", "the same refresh token again"):
    access = server.get("/refresh_token", what, refresh).want(200).body["access_token"]
server.post("/secret", "the new access token", access).want(200)
server.get("/refresh_token", "an access token", access).want(401)
server.get("/refresh_token", "junk", "junk").want(401)
