import assert from "node:assert/strict";
import { fails, password, portal, step, username, version } from "./steps.mjs";
import { ResourceOwnerPassword } from "simple-oauth2";

version("simple-oauth2");

const client = new ResourceOwnerPassword({
	client: { id: "reports", secret: "" },
	auth: { tokenHost: portal, tokenPath: "/token", revokePath: "/revoke" },
});
const signIn = (secret) => client.getToken({ username, password: secret, scope: "me" });
const me = (token) => fetch(`${portal}/users/me`, { headers: { Authorization: `Bearer ${token.token.access_token}` } });

const first = await signIn(password);
assert.equal(first.token.scope, "me");
assert.equal(first.expired(), false);
assert.equal(first.expired(301), true);
step("password");

assert.equal((await (await me(first)).json()).username, username);
step("use");

const second = await first.refresh();
assert.notEqual(second.token.refresh_token, first.token.refresh_token);
assert.equal((await me(second)).status, 200);
step("refresh");

const wrong = await fails(signIn("wrong"));
assert.equal(wrong.output.statusCode, 400);
assert.equal(wrong.data.payload.error, "invalid_grant");
step("wrong password");

assert.equal((await fails(first.refresh())).data.payload.error, "invalid_grant");
assert.equal((await me(second)).status, 401);
step("reuse");

const third = await signIn(password);
await third.revokeAll();
assert.equal((await fails(third.refresh())).data.payload.error, "invalid_grant");
assert.equal((await me(third)).status, 401);
step("revoke");
