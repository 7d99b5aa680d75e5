package main

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
)

func TestPageSize(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		for _, want := range []int{0, 1, 13, 4096} {
			t.Run(method+" "+strconv.Itoa(want), func(t *testing.T) {
				recorder := httptest.NewRecorder()
				handler(want).ServeHTTP(recorder, httptest.NewRequest(method, "/profile", nil))
				if recorder.Code != http.StatusOK || recorder.Body.Len() != want {
					t.Errorf("got status %d and %d bytes, want 200 and %d", recorder.Code, recorder.Body.Len(), want)
				}
			})
		}
	}
}
