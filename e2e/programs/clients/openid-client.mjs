import assert from "node:assert/strict";
import { fails, password, portal, serviceToken, step, username, version } from "./steps.mjs";
import * as client from "openid-client";

version("openid-client");

const insecure = { execute: [client.allowInsecureRequests], algorithm: "oauth2" };
const config = await client.discovery(new URL(portal), "reports", undefined, client.None(), insecure);
assert.equal(config.serverMetadata().issuer, portal);
step("discovery");

const signIn = (secret) => client.genericGrantRequest(config, "password", { username, password: secret, scope: "me" });
const me = (token) => client.fetchProtectedResource(config, token, new URL("/users/me", portal), "GET");

const first = await signIn(password);
assert.equal(first.token_type, "bearer");
// The response says 300; expiresIn() counts down from the moment it arrived.
assert.equal(first.expires_in, 300);
assert.ok(first.expiresIn() > 290);
step("password");

assert.equal((await (await me(first.access_token)).json()).username, username);
step("use");

const second = await client.refreshTokenGrant(config, first.refresh_token);
assert.notEqual(second.refresh_token, first.refresh_token);
step("refresh");

const service = new client.Configuration(config.serverMetadata(), "reports", undefined, client.ClientSecretBasic(serviceToken));
client.allowInsecureRequests(service);
const found = await client.tokenIntrospection(service, second.access_token);
assert.deepEqual([found.active, found.username, found.scope], [true, username, "me"]);
assert.deepEqual(await client.tokenIntrospection(service, second.refresh_token), { active: false });
const hinted = await client.tokenIntrospection(service, second.refresh_token, { token_type_hint: "refresh_token" });
assert.equal(hinted.token_type, "refresh_token");
const stranger = new client.Configuration(config.serverMetadata(), "reports", undefined, client.ClientSecretBasic("wrong"));
client.allowInsecureRequests(stranger);
const refused = await fails(client.tokenIntrospection(stranger, second.access_token));
assert.deepEqual(refused.cause.map((challenge) => challenge.scheme).sort(), ["basic", "bearer"]);
step("introspect");

const wrong = await fails(signIn("wrong"));
assert.ok(wrong instanceof client.ResponseBodyError, wrong);
assert.equal(wrong.error, "invalid_grant");
assert.equal(wrong.error_description, "Incorrect username or password");
step("wrong password");

assert.equal((await fails(client.refreshTokenGrant(config, first.refresh_token))).error, "invalid_grant");
const ended = await fails(me(second.access_token));
assert.ok(ended instanceof client.WWWAuthenticateChallengeError, ended);
assert.equal(ended.cause[0].parameters.error, "invalid_token");
step("reuse");

const third = await signIn(password);
await client.tokenRevocation(config, third.refresh_token);
assert.equal((await fails(client.refreshTokenGrant(config, third.refresh_token))).error, "invalid_grant");
step("revoke");
