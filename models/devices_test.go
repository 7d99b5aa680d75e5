package models_test

import (
	"strconv"
	"testing"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// TestForgetDevices checks that people can forget one or all of their own devices.
func TestForgetDevices(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		ada, bob := addUser(t, store, "ada"), addUser(t, store, "bob")
		first, second := models.HashToken("first"), models.HashToken("second")
		for _, user := range []*models.User{ada, bob} {
			must(t, store.Devices.Remember(ctx, first, user.ID, "Firefox", epoch))
			must(t, store.Devices.Remember(ctx, second, user.ID, "Chrome", epoch.Add(time.Hour)))
		}
		list, err := store.Devices.ByUser(ctx, ada.ID)
		if err != nil || len(list) != 2 || list[0].DeviceHash != second || list[0].UserAgent != "Chrome" || list[0].LastUsedAt.Time() != epoch.Add(time.Hour) {
			t.Fatalf("got %+v (%v), want the second device first", list, err)
		}
		if !models.IsID(list[0].ID()) || list[0].ID() == list[1].ID() {
			t.Errorf("the ids are %q and %q", list[0].ID(), list[1].ID())
		}
		if got, err := store.Devices.Forget(ctx, list[0].ID(), ada.ID); err != nil || got.UserAgent != "Chrome" {
			t.Errorf("forget: %+v (%v)", got, err)
		}
		if _, err := store.Devices.Forget(ctx, list[0].ID(), ada.ID); apperr.KindOf(err) != apperr.NotFound {
			t.Errorf("forget again: %v, want not found", err)
		}
		must(t, store.Devices.ForgetAll(ctx, ada.ID))
		for user, want := range map[*models.User]int{ada: 0, bob: 2} {
			if list, err := store.Devices.ByUser(ctx, user.ID); err != nil || len(list) != want {
				t.Errorf("%s has %d devices (%v), want %d", user.Username, len(list), err, want)
			}
		}
	})
}

// TestDevicesAreBounded checks that a person has at most a hundred known devices,
// those used last.
func TestDevicesAreBounded(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		ada, bob := addUser(t, store, "ada"), addUser(t, store, "bob")
		device := func(i int) string { return models.HashToken(strconv.Itoa(i)) }
		at := func(i int) time.Time { return epoch.Add(time.Duration(i) * time.Minute) }
		must(t, store.Devices.Remember(ctx, device(0), bob.ID, "Firefox", at(0)))
		for i := range 100 {
			must(t, store.Devices.Remember(ctx, device(i), ada.ID, "Firefox", at(i)))
		}
		renewed, err := store.Devices.Renew(ctx, device(0), ada.ID, "Firefox", at(100))
		if !renewed || err != nil {
			t.Errorf("the first of a hundred devices is not known (%v)", err)
		}
		must(t, store.Devices.Remember(ctx, device(101), ada.ID, "Firefox", at(101)))
		for i, want := range map[int]bool{0: true, 1: false, 2: true, 99: true, 101: true} {
			if known, err := store.Devices.Known(ctx, device(i), ada.ID); known != want || err != nil {
				t.Errorf("device %d is known: %t (%v), want %t", i, known, err, want)
			}
		}
		for user, want := range map[*models.User]int{ada: 100, bob: 1} {
			if got := strs(t, store, "SELECT device_hash FROM known_devices WHERE user_id = '"+user.ID+"'"); len(got) != want {
				t.Errorf("%s has %d devices, want %d", user.Username, len(got), want)
			}
		}
	})
}
