package models

import "context"

// ListWithin is List with smaller limits for counting and sorting, so that a test
// needs few users.
func (u *Users) ListWithin(ctx context.Context, query UserQuery, counted, sorted int) (UserPage, error) {
	return u.list(ctx, query, maxPage, counted, sorted)
}

// UnfillSearch turns an account into one of an earlier release.
func (u *Users) UnfillSearch(ctx context.Context, id, emailFolded string) error {
	return u.update(ctx, "unfill", id, map[string]any{"search": "", "email_folded": emailFolded})
}

// FillSome is one transaction of FillSearch.
func (u *Users) FillSome(ctx context.Context) (int, error) { return u.fillSome(ctx) }
