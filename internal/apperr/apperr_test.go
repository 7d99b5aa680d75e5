package apperr_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"latchkey/internal/apperr"
)

func TestKindSurvivesWrapping(t *testing.T) {
	cause := errors.New("connection refused")
	err := fmt.Errorf("read user: %w", apperr.New(apperr.Unavailable, "Try again.", cause))
	if !errors.Is(err, apperr.Unavailable) {
		t.Error("the kind is lost in wrapping")
	}
	if !errors.Is(err, cause) {
		t.Error("the cause is lost in wrapping")
	}
	if errors.Is(err, apperr.NotFound) {
		t.Error("a failure has a kind that it is not of")
	}
	if got := apperr.KindOf(err); got != apperr.Unavailable {
		t.Errorf("KindOf = %q, want %q", got, apperr.Unavailable)
	}
}

func TestKindOfUnclassified(t *testing.T) {
	if got := apperr.KindOf(errors.New("boom")); got != "" {
		t.Errorf("KindOf = %q, want none", got)
	}
	if got := apperr.KindOf(fmt.Errorf("find: %w", apperr.NotFound)); got != apperr.NotFound {
		t.Errorf("KindOf of a bare kind = %q, want %q", got, apperr.NotFound)
	}
}

func TestDetails(t *testing.T) {
	err := fmt.Errorf("sign in: %w", apperr.Wait(apperr.TooMany, time.Minute, "Wait.", nil))
	got := apperr.Details(err)
	if got.RetryAfter != time.Minute || got.Message != "Wait." {
		t.Errorf("Details = %+v, want a minute and its words", got)
	}
	if got := apperr.Details(errors.New("boom")); got.Kind != "" || got.Message != "" {
		t.Errorf("Details of an unclassified error = %+v, want no kind and no words", got)
	}
}
