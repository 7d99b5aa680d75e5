package models_test

import (
	"testing"
	"time"

	"latchkey/internal/testdb"
	"latchkey/models"
)

func TestClock(t *testing.T) {
	const day = 24 * time.Hour
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		must(t, store.Audit.Append(t.Context(), models.Event{At: models.At(epoch.Add(-time.Hour)), Action: "user.create"}))
		for _, test := range []struct {
			name      string
			now, want time.Time
		}{
			{"the first check", epoch, time.Time{}},
			{"a day later", epoch.Add(day), time.Time{}},
			{"a replica that is behind", epoch.Add(day - time.Minute), time.Time{}},
			{"more than a day ahead", epoch.Add(2 * day), epoch.Add(2 * day)},
			{"an hour later", epoch.Add(2*day + time.Hour), epoch.Add(2 * day)},
			{"set back", epoch.Add(day), epoch.Add(day)},
			{"an hour after that", epoch.Add(day + time.Hour), epoch.Add(day)},
		} {
			got, err := store.Clock.Check(t.Context(), test.now, day)
			if err != nil || !got.Equal(test.want) {
				t.Errorf("%s: steady since %v (%v), want %v", test.name, got, err, test.want)
			}
		}
	})
}

// TestClockBegins checks that the first check is measured against the newest line
// of the audit log.
func TestClockBegins(t *testing.T) {
	const day = 24 * time.Hour
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		for _, at := range []time.Time{epoch.Add(-day), epoch, epoch.Add(-2 * day)} {
			must(t, store.Audit.Append(t.Context(), models.Event{At: models.At(at), Action: "user.create"}))
		}
		ahead := epoch.Add(181 * day)
		if got, err := store.Clock.Check(t.Context(), ahead, day); err != nil || !got.Equal(ahead) {
			t.Errorf("steady since %v (%v), want %v", got, err, ahead)
		}
	})
}
