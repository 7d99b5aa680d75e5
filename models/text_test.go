package models_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// TestNoText calls every exported method of every table with strings that no row can
// hold. A lookup with them finds nothing, a write is refused as malformed, and the
// store still works.
func TestNoText(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		addSession(t, store, addUser(t, store, "ada"), nil)
		tables, called := reflect.ValueOf(store).Elem(), 0
		for i := range tables.NumField() {
			if !tables.Type().Field(i).IsExported() {
				continue
			}
			table := tables.Field(i)
			for m := range table.NumMethod() {
				name := tables.Type().Field(i).Name + "." + table.Type().Method(m).Name
				for _, bad := range []string{"a\x00b", "caf\xe9", "\xff"} {
					args, has := badArgs(t.Context(), table.Method(m).Type(), bad)
					if !has {
						break
					}
					called++
					checkNoText(t, name, bad, table.Method(m).Call(args))
				}
			}
		}
		if called < 3*60 {
			t.Errorf("%d calls, want at least 180", called)
		}
		bad := &models.User{ID: models.NewID(), Username: "b\x00b", Email: "b@example.org", Role: models.RoleUser, CreatedAt: 1, UpdatedAt: 1}
		wantKind(t, "create", store.Users.Create(t.Context(), bad), apperr.Malformed)
		ada, err := store.Users.ByName(t.Context(), "ada")
		must(t, err)
		wantKind(t, "disable for no reason", store.Users.Disable(t.Context(), ada.ID, "\xff", epoch), apperr.Malformed)
		_, err = store.Users.ByID(t.Context(), "\x00")
		wantKind(t, "look up", err, apperr.NotFound)
	})
}

// badArgs returns arguments for a method, with bad for every string, and whether
// there is one.
func badArgs(ctx context.Context, method reflect.Type, bad string) (args []reflect.Value, has bool) {
	for i := range method.NumIn() {
		in := method.In(i)
		if method.IsVariadic() && i == method.NumIn()-1 {
			in = in.Elem()
		}
		arg := reflect.New(in).Elem()
		if in == reflect.TypeFor[context.Context]() {
			arg.Set(reflect.ValueOf(ctx))
		} else if spoil(arg, bad) {
			has = true
		}
		args = append(args, arg)
	}
	return args, has
}

// spoil fills value, with bad for every string, and reports whether it has one.
func spoil(value reflect.Value, bad string) (has bool) {
	switch {
	case value.Type() == reflect.TypeFor[time.Time]():
		value.Set(reflect.ValueOf(epoch))
	case value.Kind() == reflect.String:
		value.SetString(bad)
		return true
	case value.CanInt():
		value.SetInt(5)
	case value.Kind() == reflect.Pointer:
		value.Set(reflect.New(value.Type().Elem()))
		return spoil(value.Elem(), bad)
	case value.Kind() == reflect.Slice:
		value.Set(reflect.MakeSlice(value.Type(), 1, 1))
		return spoil(value.Index(0), bad)
	case value.Kind() == reflect.Struct:
		for i := range value.NumField() {
			if value.Type().Field(i).IsExported() && spoil(value.Field(i), bad) {
				has = true
			}
		}
	}
	return has
}

// checkNoText checks the results of a method: an error that says so, or nothing.
func checkNoText(t *testing.T, name, bad string, results []reflect.Value) {
	t.Helper()
	last := len(results) - 1
	if err, _ := results[last].Interface().(error); err != nil {
		if kind := apperr.KindOf(err); kind != apperr.NotFound && kind != apperr.Malformed {
			t.Errorf("%s with %q: %v, want not found or malformed", name, bad, err)
		}
		return
	}
	for _, result := range results[:last] {
		if empty := result.IsZero() || result.Kind() == reflect.Slice && result.Len() == 0 || result.Kind() == reflect.Map && result.Len() == 0; !empty {
			t.Errorf("%s with %q: %+v, want nothing", name, bad, result)
		}
	}
}
