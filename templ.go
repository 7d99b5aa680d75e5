// Package latchkey turns a templ component into an answer of an Echo handler.
//
// It decides how a page reaches the wire: rendered as a whole into memory
// first, so that a template that fails half way leaves a clean error page
// instead of half a document. What is on the page belongs to package views,
// the status and every other header to the handlers and their middleware.
package latchkey

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"
)

//go:generate go tool templ generate

// Render writes page as the HTML answer to the request with the given status.
//
// Nothing is written when the page cannot be rendered: the error comes back
// and the response is still free for an error page. An error of the
// connection is returned after the headers are gone. The answer to HEAD has
// the headers of GET and no body (RFC 9110 §9.3.2).
func Render(c echo.Context, status int, page templ.Component) error {
	buf := templ.GetBuffer()
	defer templ.ReleaseBuffer(buf)
	// Writing to memory waits for nothing: the page that says a deadline was
	// missed must not fail for it.
	if err := page.Render(context.Background(), buf); err != nil {
		return fmt.Errorf("render page: %w", err)
	}
	header := c.Response().Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(buf.Len()))
	c.Response().WriteHeader(status)
	if c.Request().Method == http.MethodHead {
		return nil
	}
	if _, err := c.Response().Write(buf.Bytes()); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}
