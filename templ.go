// Package latchkey renders a templ component as the response of an Echo
// handler.
//
// It renders a page into memory first, so that a template that fails leads to a
// clean error page instead of half a document. The content of a page belongs to
// package views, the status and all other headers to the handlers and their
// middleware.
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

// Render writes page as the HTML response with the given status.
//
// When the page cannot be rendered, Render writes nothing and returns the
// error, so that the caller can write an error page. It also returns errors of
// the connection, but then the headers have been sent. The response to HEAD has
// the headers of GET and no body (RFC 9110 §9.3.2).
func Render(c echo.Context, status int, page templ.Component) error {
	buf := templ.GetBuffer()
	defer templ.ReleaseBuffer(buf)
	// Without the deadline of the request: the page that reports a missed
	// deadline must still be rendered.
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
