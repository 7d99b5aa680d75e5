"""What the clients of the tutorials share: HTTP as they use it, with Python's standard library alone.

Each request is printed as a line of JSON with its answer, so that the answers of two servers can be compared.
"""

import json
import sys
import urllib.error
import urllib.parse
import urllib.request


class KeepMethod(urllib.request.HTTPRedirectHandler):
    """Follows 307 and 308 with the same method and body, as the library requests does."""

    def redirect_request(self, request, fp, code, msg, headers, newurl):
        if code not in (307, 308):
            return super().redirect_request(request, fp, code, msg, headers, newurl)
        return urllib.request.Request(newurl, data=request.data, headers=request.headers, method=request.get_method())

    http_error_308 = urllib.request.HTTPRedirectHandler.http_error_307


class Answer:
    def __init__(self, request, status, headers, text):
        self.request, self.status, self.headers = request, status, headers
        self.body = json.loads(text)

    def want(self, status, **members):
        """Ends the program unless the answer has the status and, in its body, the members with these values."""
        wrong = {name: self.body.get(name) for name, value in members.items() if self.body.get(name) != value}
        if self.status != status or wrong:
            sys.exit(f"{self.request}: want {status} {members}, got {self.status} {self.body}")
        return self

    def want_challenge(self):
        """Ends the program unless the answer asks for a bearer token."""
        if not (self.headers["WWW-Authenticate"] or "").startswith("Bearer"):
            sys.exit(f"{self.request}: no WWW-Authenticate: Bearer in {self.headers}")
        return self


class Server:
    def __init__(self, address):
        self.address = address.rstrip("/")
        self.opener = urllib.request.build_opener(KeepMethod, urllib.request.ProxyHandler({}))

    def get(self, path, what, token=None):
        return self.send("GET", path, what, None, {}, token)

    def post(self, path, what, token=None):
        return self.send("POST", path, what, b"", {}, token)

    def post_form(self, path, what, **fields):
        body = urllib.parse.urlencode(fields).encode()
        return self.send("POST", path, what, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def post_json(self, path, what, **members):
        return self.send("POST", path, what, json.dumps(members).encode(), {"Content-Type": "application/json"})

    def post_multipart(self, path, what, **fields):
        parts = [f'--part\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()]
        body = ("".join(parts) + "--part--\r\n").encode()
        return self.send("POST", path, what, body, {"Content-Type": "multipart/form-data; boundary=part"})

    def send(self, method, path, what, body, headers, token=None):
        if token is not None:
            headers = {**headers, "Authorization": f"Bearer {token}"}
        request = urllib.request.Request(self.address + path, data=body, headers=headers, method=method)
        try:
            with self.opener.open(request, timeout=30) as response:
                answer = Answer(f"{method} {path}, {what}", response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            answer = Answer(f"{method} {path}, {what}", error.code, error.headers, error.read())
        if answer.headers["Set-Cookie"]:
            sys.exit(f"{answer.request}: sets a cookie")
        line = {"request": f"{method} {path}", "what": what, "status": answer.status, "body": shape(answer.body)}
        print(json.dumps(line, ensure_ascii=False), flush=True)
        return answer


def shape(value):
    """Returns the value with "…" for what differs from run to run: tokens, ids and numbers."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items() if name != "reference"}
    if isinstance(value, list):
        return [shape(member) for member in value]
    if isinstance(value, str) and len(value) > 24 and " " not in value or isinstance(value, (int, float)) and value > 599:
        return "…"
    return value


def arguments():
    """Returns the server, the username and the password that the program was started with."""
    if len(sys.argv) != 4:
        sys.exit(f"usage: python3 {sys.argv[0]} ADDRESS USERNAME PASSWORD")
    return Server(sys.argv[1]), sys.argv[2], sys.argv[3]
