package models

import "context"

// ListWithin is List with counting up to counted and walks of walk rows, to
// see with few users what happens with many.
func (u *Users) ListWithin(ctx context.Context, query UserQuery, counted, walk int) (UserPage, error) {
	return u.list(ctx, query, searchLimits{counted: counted, walkPrefix: walk, walkName: walk, walkTogether: walk})
}
