import assert from "node:assert/strict";
import { fails, password, portal, serviceToken, step, username, version } from "./steps.mjs";
import * as oauth from "oauth4webapi";

version("oauth4webapi");

const insecure = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(portal);
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...insecure }));
step("discovery");

const client = { client_id: "reports" };
const nobody = oauth.None();
const signIn = async (secret) => {
	const parameters = { username, password: secret, scope: "me" };
	const response = await oauth.genericTokenEndpointRequest(as, client, nobody, "password", parameters, insecure);
	return oauth.processGenericTokenEndpointResponse(as, client, response);
};
const refresh = async (token) => {
	const response = await oauth.refreshTokenGrantRequest(as, client, nobody, token, insecure);
	return oauth.processRefreshTokenResponse(as, client, response);
};
const introspect = async (token, secret, additionalParameters = {}) => {
	const options = { additionalParameters, ...insecure };
	const response = await oauth.introspectionRequest(as, client, oauth.ClientSecretBasic(secret), token, options);
	return oauth.processIntrospectionResponse(as, client, response);
};
const me = (token) => oauth.protectedResourceRequest(token, "GET", new URL("/users/me", portal), undefined, undefined, insecure);

const first = await signIn(password);
assert.deepEqual([first.token_type, first.expires_in, first.scope], ["bearer", 300, "me"]);
step("password");

assert.equal((await (await me(first.access_token)).json()).username, username);
step("use");

const second = await refresh(first.refresh_token);
assert.notEqual(second.refresh_token, first.refresh_token);
step("refresh");

assert.equal((await introspect(second.access_token, serviceToken)).username, username);
assert.deepEqual(await introspect(second.refresh_token, serviceToken), { active: false });
assert.equal((await introspect(second.refresh_token, serviceToken, { token_type_hint: "refresh_token" })).active, true);
assert.deepEqual((await fails(introspect(second.access_token, "wrong"))).cause.map((c) => c.scheme).sort(), ["basic", "bearer"]);
step("introspect");

const wrong = await fails(signIn("wrong"));
assert.ok(wrong instanceof oauth.ResponseBodyError, wrong);
assert.equal(wrong.error, "invalid_grant");
step("wrong password");

assert.equal((await fails(refresh(first.refresh_token))).error, "invalid_grant");
assert.ok((await fails(me(second.access_token))) instanceof oauth.WWWAuthenticateChallengeError);
step("reuse");

const third = await signIn(password);
await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, nobody, third.access_token, insecure));
assert.equal((await fails(refresh(third.refresh_token))).error, "invalid_grant");
step("revoke");
