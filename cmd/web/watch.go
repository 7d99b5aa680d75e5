package main

import (
	"context"
	"time"
)

const (
	watchEvery = time.Minute
	// retellEvery is how often the log says that the clocks still differ.
	retellEvery = time.Hour
	// countShare is how much of the time counting sessions may take: a hundredth.
	countShare = 100
)

// watched is what watch remembers between two looks.
type watched struct {
	told      time.Time // when the log said that the clocks differ; zero: they agree
	failed    bool      // the log says that the clocks cannot be compared
	nextCount time.Time // sessions are not counted before
}

// watch looks every minute until ctx is done.
func (o *portal) watch(ctx context.Context) error {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	var w watched
	for {
		o.look(ctx, &w, time.Now())
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// look compares the clocks, and counts the live sessions for the metrics.
func (o *portal) look(ctx context.Context, w *watched, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, watchEvery/2)
	defer cancel()
	skew, bad, err := o.auth.Skew(ctx)
	if ctx.Err() == nil {
		o.tellSkew(w, skew, bad, err, now)
	}
	if o.metrics == nil || err != nil {
		return
	}
	o.metrics.Skew(skew.Truncate(time.Millisecond), now) // less is the time of the query
	if now.Before(w.nextCount) {
		return
	}
	start := time.Now()
	n, err := o.auth.CountSessions(ctx)
	w.nextCount = now.Add(countShare * time.Since(start))
	if err == nil {
		o.metrics.Sessions(n)
	} else if ctx.Err() == nil {
		o.logger.Warn("count the live sessions", "error", err.Error())
	}
}

// tellSkew logs when the clocks begin to differ, every hour while they do, and when
// they agree again. A failed comparison is logged once.
func (o *portal) tellSkew(w *watched, skew time.Duration, bad bool, err error, now time.Time) {
	switch {
	case err != nil:
		if !w.failed {
			o.logger.Warn("compare clocks", "error", err.Error())
		}
		w.failed = true
		return
	case bad && now.Sub(w.told) >= retellEvery:
		o.logger.Error("this machine's clock and the database's differ: sessions end too early or too late", "ahead", skew.String())
		w.told = now
	case !bad && !w.told.IsZero():
		o.logger.Info("this machine's clock and the database's agree again")
		w.told = time.Time{}
	}
	w.failed = false
}
