package models

import "context"

// PageOf returns a page of a person's sessions, live and over.
func (t *Sessions) PageOf(ctx context.Context, userID string, q NewestFirst) (list []Session, next string, err error) {
	list, next, _, err = newestFirst(t.store.db.WithContext(ctx).Where("user_id = ?", userID), "list sessions", "created_at", q,
		func(s Session) (Time, string) { return s.CreatedAt, s.ID })
	return list, next, err
}

// PageOf returns a page of a person's access tokens, working or not.
func (t *PersonalTokens) PageOf(ctx context.Context, userID string, q NewestFirst) (list []PersonalToken, next string, err error) {
	list, next, _, err = newestFirst(t.store.db.WithContext(ctx).Where("user_id = ?", userID), "list personal tokens", "created_at", q,
		func(p PersonalToken) (Time, string) { return p.CreatedAt, p.ID })
	return list, next, err
}

// PageOf returns a page of the deliveries about a person, without their bodies.
func (t *Deliveries) PageOf(ctx context.Context, userID string, q NewestFirst) (list []Delivery, next string, err error) {
	list, next, _, err = newestFirst(t.store.db.WithContext(ctx).Omit("body").Where("user_id = ?", userID), "list deliveries", "created_at", q,
		func(d Delivery) (Time, string) { return d.CreatedAt, d.ID })
	return list, next, err
}
