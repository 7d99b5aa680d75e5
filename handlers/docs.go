package handlers

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/views/pages"
)

// docs handles GET /docs. The page is the same for everyone, except for the theme.
func (h *Handlers) docs(c echo.Context) error {
	page := h.site.Frame(c, "API")
	page.Description = "The API of " + h.site.Brand.Name + ": read about every request and try it."
	return site.Show(c, pages.Docs(page, pages.DocsView{
		PublicURL: h.site.PublicURL, DocumentURL: "/openapi.json", Groups: endpointGroups(h.api.OpenAPI(), h.site.PublicURL),
		Passwords: h.oauth.TakesPasswords(),
	}))
}

// endpointGroups lists the operations of the API's document by tag, in the
// order of the document, short paths first and GET before other methods.
func endpointGroups(document *huma.OpenAPI, publicURL string) []pages.EndpointGroup {
	groups := make([]pages.EndpointGroup, len(document.Tags))
	for i, tag := range document.Tags {
		groups[i] = pages.EndpointGroup{Name: tag.Name, Text: tag.Description}
	}
	for path, item := range document.Paths {
		for _, operation := range operations(item) {
			i := slices.IndexFunc(groups, func(g pages.EndpointGroup) bool { return slices.Contains(operation.Tags, g.Name) })
			if i < 0 {
				groups, i = append(groups, pages.EndpointGroup{Name: "More"}), len(groups)
			}
			groups[i].Endpoints = append(groups[i].Endpoints, endpointOf(document, path, operation, publicURL))
		}
	}
	for _, group := range groups {
		slices.SortFunc(group.Endpoints, func(a, b pages.Endpoint) int {
			return cmp.Or(cmp.Compare(len(a.Path), len(b.Path)), cmp.Compare(a.Path, b.Path), cmp.Compare(methodOrder(a.Method), methodOrder(b.Method)))
		})
	}
	return slices.DeleteFunc(groups, func(g pages.EndpointGroup) bool { return len(g.Endpoints) == 0 })
}

func operations(item *huma.PathItem) []*huma.Operation {
	all := []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete}
	return slices.DeleteFunc(all, func(o *huma.Operation) bool { return o == nil })
}

func methodOrder(method string) int {
	return slices.Index([]string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}, method)
}

// scopesOf are the scopes that an operation needs, each once.
func scopesOf(operation *huma.Operation) []string {
	var scopes []string
	for _, requirement := range operation.Security {
		for _, names := range requirement {
			scopes = append(scopes, names...)
		}
	}
	slices.Sort(scopes)
	return slices.Compact(scopes)
}
