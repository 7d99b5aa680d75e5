package models

import "context"

// ListWithin is List with counting up to counted and sorting up to sorted users,
// to see with few users what happens with many.
func (u *Users) ListWithin(ctx context.Context, query UserQuery, counted, sorted int) (UserPage, error) {
	return u.list(ctx, query, maxPage, counted, sorted)
}

// UnfillSearch makes an account one of an earlier release.
func (u *Users) UnfillSearch(ctx context.Context, id, emailFolded string) error {
	return u.update(ctx, "unfill", id, map[string]any{"search": "", "email_folded": emailFolded})
}

// FillSome is one transaction of FillSearch.
func (u *Users) FillSome(ctx context.Context) (int, error) { return u.fillSome(ctx) }
