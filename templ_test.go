package latchkey

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"
)

func page(text string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
}

func TestRender(t *testing.T) {
	tests := []struct {
		method string
		status int
		body   string
	}{
		{http.MethodGet, http.StatusOK, "<p>ä</p>"},
		{http.MethodPost, http.StatusUnprocessableEntity, "<p>ä</p>"},
		{http.MethodHead, http.StatusNotFound, ""},
	}
	for _, test := range tests {
		t.Run(test.method, func(t *testing.T) {
			w := httptest.NewRecorder()
			c := echo.New().NewContext(httptest.NewRequest(test.method, "/", nil), w)
			if err := Render(c, test.status, page("<p>ä</p>")); err != nil {
				t.Fatal(err)
			}
			if w.Code != test.status {
				t.Errorf("status: got %d, want %d", w.Code, test.status)
			}
			if got := w.Body.String(); got != test.body {
				t.Errorf("body: got %q, want %q", got, test.body)
			}
			if got, want := w.Header().Get("Content-Type"), "text/html; charset=utf-8"; got != want {
				t.Errorf("Content-Type: got %q, want %q", got, want)
			}
			if got, want := w.Header().Get("Content-Length"), strconv.Itoa(len("<p>ä</p>")); got != want {
				t.Errorf("Content-Length: got %q, want %q", got, want)
			}
		})
	}
}

// TestRenderError checks that nothing is sent if a page fails half-way.
func TestRenderError(t *testing.T) {
	broken := errors.New("broken")
	half := templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, "<p>half")
		return errors.Join(err, broken)
	})
	w := httptest.NewRecorder()
	c := echo.New().NewContext(httptest.NewRequest(http.MethodGet, "/", nil), w)
	if err := Render(c, http.StatusOK, half); !errors.Is(err, broken) {
		t.Errorf("error: got %v, want %v", err, broken)
	}
	if c.Response().Committed || w.Body.Len() > 0 || len(w.Header()) > 0 {
		t.Errorf("response: got %q %v, want nothing", w.Body, w.Header())
	}
	// The half page must not appear in the next one, which may get its buffer.
	if err := Render(c, http.StatusOK, page("next")); err != nil {
		t.Fatal(err)
	}
	if got := w.Body.String(); got != "next" {
		t.Errorf("next page: got %q", got)
	}
}
