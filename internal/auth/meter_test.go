package auth_test

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/servicetest"
)

// TestRotationsAreCounted checks the count of each answer to a refresh token.
func TestRotationsAreCounted(t *testing.T) {
	counted := map[auth.RotationResult]int{}
	meter := func(o *servicetest.Options) {
		o.Meter.Rotation = func(result auth.RotationResult) { counted[result]++ }
	}
	servicetest.Each(t, meter, func(p *servicetest.Portal) {
		clear(counted)
		first := p.Join("ada").Tokens
		second := p.Rotated(first.Refresh)
		p.Rotated(first.Refresh) // in parallel
		p.Clock.Advance(time.Minute)
		lost := p.Rotated(first.Refresh) // second never arrived
		p.Rotated(lost.Refresh)
		for range 2 { // only the first use of a copy ends the session
			if result := p.Present("", second.Refresh); result.Tokens != nil {
				p.T.Error("a used token was accepted")
			}
		}
		want := map[auth.RotationResult]int{
			auth.RotationWon: 2, auth.RotationOverlap: 1, auth.RotationRedelivered: 1, auth.RotationReplay: 1,
		}
		if diff := cmp.Diff(want, counted); diff != "" {
			p.T.Errorf("rotations (-want +got):\n%s", diff)
		}
	})
}

// TestSignInsAreCounted checks the results of sign-ins with a password.
func TestSignInsAreCounted(t *testing.T) {
	var counted []auth.SignInResult
	meter := func(o *servicetest.Options) {
		o.Limits = true
		o.Meter.SignIn = func(method auth.SignInMethod, result auth.SignInResult) {
			if method != auth.SignInPassword {
				t.Errorf("method %q", method)
			}
			counted = append(counted, result)
		}
	}
	servicetest.Each(t, meter, func(p *servicetest.Portal) {
		counted = nil
		p.Join("ada")
		p.SignIn("ada")
		wrong := p.Credentials("ada")
		wrong.Password = "not the password at all"
		_, _ = p.Login(p.T.Context(), wrong)
		_, _ = p.Login(p.T.Context(), p.Credentials("nobody"))
		for range 20 {
			_, _ = p.Login(p.T.Context(), wrong)
		}
		want := []auth.SignInResult{auth.SignInSuccess, auth.SignInWrong, auth.SignInWrong}
		if diff := cmp.Diff(want, counted[:3]); diff != "" {
			p.T.Errorf("sign-ins (-want +got):\n%s", diff)
		}
		if got := counted[len(counted)-1]; got != auth.SignInLimited {
			p.T.Errorf("the last of 21 wrong passwords is counted as %q, want limited", got)
		}
	})
}

// TestResultOf checks the result of each kind of failure, and that the metrics know it.
func TestResultOf(t *testing.T) {
	known := slices.Concat(slices.Collect(maps.Values(auth.SignInResults()))...)
	for kind, want := range map[apperr.Kind]auth.SignInResult{
		apperr.Unauthorized: auth.SignInWrong, apperr.Invalid: auth.SignInWrong, apperr.NotFound: auth.SignInWrong, apperr.Malformed: auth.SignInWrong,
		apperr.Disabled: auth.SignInDisabled, apperr.Gone: auth.SignInExpired, apperr.Conflict: auth.SignInRefused, apperr.Forbidden: auth.SignInRefused,
		apperr.TooMany: auth.SignInLimited, apperr.Locked: auth.SignInLimited, apperr.Busy: auth.SignInBusy, apperr.Unavailable: auth.SignInUnavailable,
		apperr.Canceled: auth.SignInCanceled, apperr.TooLarge: auth.SignInError,
	} {
		got := auth.ResultOf(apperr.New(kind, "", errors.New("test")))
		if got != want || !slices.Contains(known, got) {
			t.Errorf("%s is counted as %q, want %q", kind, got, want)
		}
	}
	if got := auth.ResultOf(errors.New("test")); got != auth.SignInError {
		t.Errorf("a fault is counted as %q", got)
	}
}
