package site

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"latchkey/internal/apperr"
)

// FromScript is the body of a request of the script.
type FromScript struct {
	Credential json.RawMessage `json:"credential"` // what the browser returned for a passkey
	Next       string          `json:"next"`
	Remember   *bool           `json:"remember"` // "Stay signed in"; nil: yes
}

// ReadScript reads the body of such a request. It returns apperr.Unsupported or
// apperr.Malformed.
func ReadScript(c echo.Context) (in FromScript, err error) {
	media, _, err := mime.ParseMediaType(c.Request().Header.Get(echo.HeaderContentType))
	if err != nil || media != echo.MIMEApplicationJSON {
		return in, apperr.New(apperr.Unsupported, "", errors.New("not JSON"))
	}
	body, err := io.ReadAll(c.Request().Body) // bounded (middleware.Bounds)
	if err != nil {
		return in, err
	}
	if !utf8.Valid(body) || json.Unmarshal(body, &in) != nil || len(in.Credential) == 0 {
		return in, apperr.New(apperr.Malformed, "The browser sent something that we cannot read. Try again.", errors.New("not the JSON that was expected"))
	}
	return in, nil
}

// AnswerNext tells the script where to go.
func AnswerNext(c echo.Context, next string) error {
	return c.JSON(http.StatusOK, struct {
		Next string `json:"next"`
	}{next})
}
