// Swagger UI on the page about the API. It replaces the plain list of endpoints.

const root = document.getElementById("swagger-ui");
const page = document.documentElement;
const darkDevice = matchMedia("(prefers-color-scheme: dark)");

// This class turns on Swagger UI's own dark colours.
const follow = () => page.classList.toggle("dark-mode", page.dataset.theme ? page.dataset.theme === "dark" : darkDevice.matches);
darkDevice.addEventListener("change", follow);
new MutationObserver(follow).observe(page, { attributeFilter: ["data-theme"] });
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
// out the document's HTTP Basic scheme, whose form would call a token a password.
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

// The texts of the document are plain text. Swagger UI would insert them as HTML,
// which the page's content security policy forbids (trusted types).
const asText = ({ React }) => ({
	wrapComponents: {
		Markdown: () => ({ source }) =>
			source ? React.createElement("div", { className: "renderedMarkdown" }, React.createElement("p", null, source)) : null,
	},
});

// Facts that Swagger UI does not show until a request is sent, taken from the plain
// list: the required token or scopes, and the curl command.
const asListed = ({ React: { createElement, Fragment } }) => ({
	wrapComponents: {
		parameters: (Original) => (props) => {
			const [path, method] = props.pathMethod;
			const listed = document.querySelector(`[data-operation="${method.toUpperCase()} ${path}"]`);
			const text = (selector) => listed?.querySelector(selector).textContent.replace(/\s+/g, " ").trim();
			return createElement(Fragment, null,
				createElement("div", { className: "opblock-description-wrapper" },
					createElement("p", null, text(".needs")), createElement("pre", { className: "sample" }, text(".sample"))),
				createElement(Original, props));
		},
	},
});

const show = (bundle) => bundle({
	domNode: root,
	url: root.dataset.document,
	layout: "Parts",
	presets: [bundle.presets.apis],
	plugins: [parts, withoutBasic, asItself, asText, asListed],
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

if (globalThis.SwaggerUIBundle) {
	show(globalThis.SwaggerUIBundle);
} else { // it did not load
	root.parentElement.remove();
	document.querySelector(".unscripted").classList.remove("unscripted");
}
