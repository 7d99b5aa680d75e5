"""A client for the server of the lesson on verifying JWT tokens to secure API endpoints in FastAPI (/login, /secure-message).

The account exists already, as the lesson's do in users_db.
"""

from tutorial import arguments

server, username, password = arguments()

server.post_form("/login", "wrong password", username=username, password="wrong").want(401, detail="Incorrect username or password")
server.post_form("/login", "no fields").want(422)
token = server.post_form("/login", "a form", username=username, password=password).want(200, token_type="bearer").body["access_token"]

server.get("/secure-message", "no token").want(401, detail="Not authenticated")
server.get("/secure-message", "junk", "junk").want(401)
server.get("/secure-message", "the token", token).want(200, message="This is a secured message")
