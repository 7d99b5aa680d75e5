// What every JavaScript client of these tests shares.
import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";

globalThis.crypto ??= webcrypto; // Node.js 18 has it under this name alone

export const portal = process.env.PORTAL;
export const username = process.env.PORTAL_USERNAME;
export const password = process.env.PORTAL_PASSWORD;
export const serviceToken = process.env.PORTAL_SERVICE_TOKEN;

// step tells the test that a step is done.
export const step = (name) => console.log("step", name);

// version tells the test which release of a package runs.
export function version(name) {
	const file = new URL(`node_modules/${name}/package.json`, import.meta.url);
	console.log("version", JSON.parse(readFileSync(file, "utf8")).version);
}

// fails waits for a promise to be rejected, and returns the error.
export async function fails(promise) {
	try {
		await promise;
	} catch (error) {
		return error;
	}
	return assert.fail("the promise was fulfilled");
}
