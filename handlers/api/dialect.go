package api

import (
	"net/http"
	"strings"

	"latchkey/internal/apperr"
	"latchkey/internal/fields"
)

// The paths that the programs of the FastAPI tutorials use and the API had not:
// two are those of the portal's own forms.
const (
	loginPath           = "/login"
	signupPath          = "/signup"
	tutorialRefreshPath = "/refresh_token"
)

// InTutorialDialect reports whether a request is one that no browser sends, as
// the programs of the FastAPI tutorials are written: without Sec-Fetch-* and
// without Origin, and asking for no page.
//
// Current browsers send Sec-Fetch-Site and, with a POST, Origin. Browsers older
// than these headers ask for text/html when they send a form. What is left is a
// script of a page of the portal's own origin in such a browser: like every
// request in the dialect, it can neither use a cookie nor get one.
func InTutorialDialect(r *http.Request) bool {
	for name := range r.Header {
		if name == "Origin" || strings.HasPrefix(name, "Sec-Fetch-") {
			return false
		}
	}
	for _, accept := range r.Header["Accept"] {
		if strings.Contains(strings.ToLower(accept), "text/html") {
			return false
		}
	}
	return true
}

// Answers reports whether the API answers a request, whether or not there is
// anything at its path: it owns the path, or the path is that of a form and the
// request is in tutorial dialect.
func Answers(r *http.Request) bool {
	if Owns(r.URL.Path) {
		return true
	}
	form := r.URL.Path == loginPath || r.URL.Path == signupPath
	return form && r.Method == http.MethodPost && InTutorialDialect(r)
}

// FieldFault is what is wrong with one field, in the words of FastAPI.
type FieldFault struct {
	Type string   `json:"type" doc:"missing, string_type, json_invalid, model_attributes_type or value_error."`
	Loc  []string `json:"loc" nullable:"false" doc:"Where it is: body, and the name of the field."`
	Msg  string   `json:"msg" doc:"What is wrong with it, in a sentence for a person."`
}

// Unprocessable is the body of a 422 as FastAPI writes it.
type Unprocessable struct {
	Detail []FieldFault `json:"detail" nullable:"false" doc:"What is wrong with each field."`
}

// fieldFaults are a failure that is answered with Unprocessable.
type fieldFaults []FieldFault

// Error names the fields, for the log.
func (f fieldFaults) Error() string {
	var names []string
	for _, fault := range f {
		names = append(names, fault.Type+" at "+strings.Join(fault.Loc, "."))
	}
	return strings.Join(names, ", ")
}

// Unwrap returns apperr.Invalid.
func (f fieldFaults) Unwrap() error { return apperr.Invalid }

// add appends what is wrong with the field name of the body, or with the body.
func (f *fieldFaults) add(kind, name, message string) {
	place := []string{"body"}
	if name != "" {
		place = append(place, clip(name))
	}
	*f = append(*f, FieldFault{Type: kind, Loc: place, Msg: message})
}

// missing returns a fault for each name that is empty in a body, or nil.
func missing(in fields.Values, names ...string) error {
	var faults fieldFaults
	for _, name := range names {
		if in.Get(name) == "" {
			faults.add("missing", name, "Field required")
		}
	}
	if faults == nil {
		return nil
	}
	return faults
}
