"""A client for the server of "Securing Modern Web APIs: A Deep Dive into FastAPI and JWT Implementation".

The account exists already.
"""

import time

from tutorial import arguments

server, username, password = arguments()

server.post_form("/token", "wrong password", username=username, password="wrong").want(
    401, detail="Incorrect username or password"
).want_challenge()
token = server.post_form("/token", "a form", username=username, password=password).want(200, token_type="bearer").body["access_token"]

server.get("/users/me", "junk", "junk").want(401).want_challenge()
me = server.get("/users/me", "the token", token).want(200).body
assert me["sub"] and me["exp"] > time.time(), me
