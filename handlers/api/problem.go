package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
	"github.com/labstack/echo/v4"

	"latchkey/internal/apperr"
	"latchkey/internal/authheader"
	"latchkey/internal/middleware"
)

// Problem is the body of a failure (RFC 9457).
type Problem struct {
	Title     string         `json:"title" doc:"The name of the status."`
	Status    int            `json:"status" doc:"The status."`
	Detail    string         `json:"detail" doc:"The problem in words."`
	Errors    []ProblemField `json:"errors,omitempty" nullable:"false" doc:"The problem with each field, if the request could be read."`
	Reference string         `json:"reference,omitempty" doc:"Give this to the operator when you ask for help. The header X-Request-Id has it too."`
}

// ProblemField is the problem with one field.
type ProblemField struct {
	Field   string `json:"field" doc:"The name of the field, or of the query parameter."`
	Message string `json:"message" doc:"The problem in words."`
}

const problemType = "application/problem+json"

// Failure is a failure with its status from the portal's one table.
type Failure struct {
	Kind   apperr.Kind // "" for a fault of the portal
	Status int
	Err    error
	Wait   time.Duration // the value of Retry-After, which is set already; 0: none
}

// Answer writes the body of a failure. The endpoints of OAuth have bodies of
// their own (RFC 6749 §5.2).
func (a *API) Answer(c echo.Context, f Failure) error {
	err := f.Err
	if faults, ok := errors.AsType[fieldFaults](err); ok {
		return c.JSON(f.Status, Unprocessable{Detail: faults})
	}
	asked, isChallenge := errors.AsType[*challenge](err)
	if !isChallenge && speaksOAuth(c, f.Kind) {
		return a.answerOAuth(c, f)
	}
	if f.Kind == apperr.Unauthorized && !isChallenge {
		asked, isChallenge = unusable(err), true // signed out while the request was under way
	}
	if isChallenge {
		c.Response().Header().Set("WWW-Authenticate", asked.header())
		if f.Kind == apperr.Unauthorized && c.Path() == introspectPath { // takes both
			c.Response().Header().Add("WWW-Authenticate", authheader.ChallengeBasic)
		}
		err = asked
	}
	problem := Problem{
		Title: http.StatusText(f.Status), Status: f.Status, Detail: apperr.Details(err).Message, Reference: middleware.Of(c).ID,
	}
	if list, ok := errors.AsType[apperr.Fields](err); ok {
		problem.Errors, problem.Detail = fieldsOf(list)
	}
	if isTooMany(f.Kind) {
		problem.Detail = a.tooMany(err, f.Wait)
	}
	if problem.Detail == "" {
		problem.Detail = a.detail(f.Kind)
	}
	if f.Kind == apperr.Unauthorized {
		problem.Reference = "" // every 401 of a kind is the same, byte for byte
	}
	body, err := json.Marshal(problem)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Content-Type", problemType) // Huma has set its own
	return c.Blob(f.Status, problemType, body)
}

// isTooMany reports whether a failure is a limit that was reached.
func isTooMany(kind apperr.Kind) bool { return kind == apperr.TooMany || kind == apperr.Locked }

// detail is the message of a failure that has none of its own, by its kind.
func (a *API) detail(kind apperr.Kind) string {
	switch kind {
	case apperr.Malformed:
		return "The request could not be understood."
	case apperr.Forbidden, apperr.Disabled:
		return "You are not allowed to do this."
	case apperr.NotFound, apperr.Gone:
		return "There is no such address in the API."
	case apperr.WrongMethod:
		return "This address does not accept that method. The header Allow lists the accepted methods."
	case apperr.Conflict:
		return "Another request changed the same data at the same time. Nothing was changed here."
	case apperr.TooLarge:
		return "The body is too large: at most 64 KB, and 8 KB at /token and /login."
	case apperr.TooSlow:
		return "The body took too long to arrive. Send it within 5 seconds."
	case apperr.Unsupported:
		return "This endpoint does not accept the body's content type. The documentation names the right one."
	case apperr.Misdirected:
		return "This host is not served here. The API is at " + a.publicURL + "."
	case apperr.Unavailable, apperr.Busy:
		return "The service is unavailable for a short time. The header Retry-After says when to try again, in seconds."
	}
	return "Something went wrong in the portal. The log has it under this reference."
}

// tooMany says which limit was reached and when to try again, or that only an
// admin can unlock the account.
func (a *API) tooMany(err error, wait time.Duration) string {
	failure := apperr.Details(err)
	if failure.Kind == apperr.Locked {
		return failure.Message + " An admin can unlock it."
	}
	said := failure.Message
	if said == "" {
		said = "There were too many attempts."
	}
	return said + " Try again in " + a.roughly(wait) + "."
}

// fieldsOf returns the problems with fields as a list and as a sentence.
func fieldsOf(list apperr.Fields) (all []ProblemField, sentence string) {
	var said []string
	for _, f := range list {
		all = append(all, ProblemField{f.Field, f.Message})
		if f.Field == "" {
			said = append(said, f.Message)
			continue
		}
		said = append(said, f.Field+": "+f.Message)
	}
	return all, strings.Join(said, " ")
}

// understood turns Huma's error about a request into a failure of the portal. It
// leaves out values: one may be a password in the wrong field.
func understood(m *huma.ErrorModel) error {
	switch m.Status {
	case http.StatusUnprocessableEntity:
		var wrong apperr.Fields
		for _, detail := range m.Errors {
			if strings.HasPrefix(detail.Location, "path") {
				return apperr.New(apperr.NotFound, noSuchUser, m) // the only parameter of a path is an account's id
			}
			wrong.Add(fieldName(detail.Location), sentenceOf(detail))
		}
		if len(wrong) > 0 {
			return wrong
		}
		return apperr.New(apperr.Invalid, "The request breaks a rule.", m)
	case http.StatusUnsupportedMediaType:
		return apperr.New(apperr.Unsupported, "Send the body as application/json, in UTF-8.", m)
	case http.StatusRequestEntityTooLarge:
		return apperr.New(apperr.TooLarge, "", m)
	case http.StatusBadRequest, http.StatusRequestTimeout:
		for _, detail := range m.Errors {
			if wrong, ok := fieldFault(detail.Message); ok {
				return wrong
			}
		}
		return apperr.New(apperr.Malformed, "The body must be JSON. It could not be parsed.", m)
	}
	for _, detail := range m.Errors {
		if strings.Contains(detail.Message, (&http.MaxBytesError{}).Error()) {
			return apperr.New(apperr.TooLarge, "", m)
		}
	}
	return m
}

// fieldName is the name of the field in a location of Huma: "body.disabled".
func fieldName(location string) string {
	for _, place := range []string{"body", "query", "path"} {
		if rest, ok := strings.CutPrefix(location, place); ok {
			return clip(strings.TrimPrefix(rest, "."))
		}
	}
	return clip(location)
}

// clip shortens a field name that the client sent.
func clip(name string) string {
	const most = 64
	if len(name) > most {
		return strings.ToValidUTF8(name[:most], "") + "…"
	}
	return name
}

const noSuchField = "There is no such field."

// elsewhereFields are fields that exist but are changed on a page.
var elsewhereFields = map[string]string{
	"email":    "The email address is changed on the page /profile/email.",
	"password": "The password is changed on the page /profile/password, with the current one.",
}

// sentenceOf turns an error of Huma into a sentence.
func sentenceOf(detail *huma.ErrorDetail) string {
	if detail.Message == validation.MsgUnexpectedProperty {
		if where, known := elsewhereFields[fieldName(detail.Location)]; known {
			return where
		}
		return noSuchField
	}
	if detail.Message == "unknown query parameter" {
		return "There is no such parameter."
	}
	text := strings.TrimSuffix(detail.Message, ".") + "."
	return strings.ToUpper(text[:1]) + text[1:]
}
