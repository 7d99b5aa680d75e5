// Swagger UI on the page about the API. The list above it needs no script.

const root = document.getElementById("swagger-ui");
const dark = matchMedia("(prefers-color-scheme: dark)");

// Swagger UI has dark colours of its own, behind this class.
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

// The parts of Swagger UI that the page does not have already: no title, no
// choice of servers, and no second main element.
const parts = ({ React }) => ({
	components: {
		Parts: ({ getComponent, specSelectors }) => {
			const show = (...names) => names.map((name) => React.createElement(getComponent(name, true), { key: name }));
			const loaded = specSelectors.loadingStatus() === "success";
			return React.createElement("div", { className: "swagger-ui" }, React.createElement(getComponent("SvgAssets")),
				...(loaded ? show("AuthorizeBtnContainer", "errors", "operations", "Models") : show("errors")));
		},
	},
});

// Authorize offers a password, if the portal accepts it, or a token. It leaves
// out HTTP Basic, which is in the document too: its form would call a token a
// password.
const asked = ({ oauth2, bearer }) => ({ ...(oauth2 && { oauth2 }), bearer });
const withoutBasic = {
	statePlugins: {
		spec: {
			wrapActions: {
				updateJsonSpec: (original) => ({ components, ...rest }) =>
					original({ ...rest, components: { ...components, securitySchemes: asked(components?.securitySchemes ?? {}) } }),
			},
		},
	},
};

// Clients have no secrets here. The list of devices shows the client's name.
const asItself = {
	statePlugins: {
		auth: {
			wrapActions: {
				authorizePassword: (original) => (auth) =>
					original({ ...auth, passwordType: "request-body", clientId: "documentation page", clientSecret: "" }),
			},
		},
	},
};

// The texts of the document are plain text. Swagger UI would write them as HTML,
// which the policy of the page forbids (trusted types).
const asText = ({ React }) => ({
	wrapComponents: {
		Markdown: () => ({ source }) =>
			source ? React.createElement("div", { className: "renderedMarkdown" }, React.createElement("p", null, source)) : null,
	},
});

globalThis.SwaggerUIBundle({
	domNode: root,
	url: root.dataset.document,
	layout: "Parts",
	presets: [globalThis.SwaggerUIBundle.presets.apis],
	plugins: [parts, withoutBasic, asItself, asText],
	defaultModelsExpandDepth: 0,
	docExpansion: "list",
	operationsSorter: (a, b) => a.get("path").length - b.get("path").length,
	tryItOutEnabled: true,
	validatorUrl: null,
	// The document names the portal's public address. This page may have been
	// opened under another name of the same portal, and its policy allows requests
	// only to that name. No cookies are sent, because the API reads none.
	requestInterceptor: (request) => {
		const { pathname, search } = new URL(request.url, location);
		return Object.assign(request, { url: location.origin + pathname + search, credentials: "omit" });
	},
});
