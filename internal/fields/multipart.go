package fields

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"

	"latchkey/internal/apperr"
)

// IsMultipart reports whether a request says that its body is a multipart form
// (RFC 7578).
func IsMultipart(r *http.Request) bool {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && media == "multipart/form-data"
}

// ReadMultipart is Read for a request whose body may also be a multipart form.
// The parts of such a form are text: a file is apperr.Unsupported.
func ReadMultipart(r *http.Request) (Values, error) {
	if !IsMultipart(r) {
		return Read(r)
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, unreadable(err)
	}
	values := url.Values{}
	for n := 0; ; n++ {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return Values(values), check(values)
		}
		if err != nil {
			return nil, unreadable(err)
		}
		if n == most {
			return nil, apperr.New(apperr.Malformed, "The request has too many fields.", nil)
		}
		if err := readPart(values, part); err != nil {
			return nil, err
		}
	}
}

func readPart(values url.Values, part *multipart.Part) error {
	name := part.FormName()
	if name == "" {
		return apperr.New(apperr.Malformed, "A part of the form has no name.", nil)
	}
	if part.FileName() != "" {
		return apperr.New(apperr.Unsupported, "The form has a file. Send every field as text.", nil)
	}
	text, err := io.ReadAll(part) // the body is bounded (middleware.Bounds)
	if err != nil {
		return unreadable(err)
	}
	values.Add(name, string(text))
	return nil
}

func unreadable(err error) error {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return apperr.New(apperr.TooLarge, "", tooLarge)
	}
	return apperr.New(apperr.Malformed, "The form could not be read.", err)
}
