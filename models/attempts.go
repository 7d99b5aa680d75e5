package models

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// Rule is a limit: Free attempts in Window, then a wait before each further
// one, which grows along Waits and stays at the last.
type Rule struct {
	Free   int
	Window time.Duration
	Waits  []time.Duration
	Streak int // failures in a row after which every attempt is refused; 0: no limit
}

// Take is one attempt to be counted in a bucket.
type Take struct {
	Bucket string
	Rule   Rule
}

// Verdict is the decision of a bucket about an attempt.
type Verdict struct {
	Allowed bool
	Until   time.Time // refused until then; zero when the Streak is used up: until someone clears it
}

// Attempts counts attempts in buckets, shared by every replica.
type Attempts struct{ store *Store }

type attempt struct {
	Count        int
	Streak       int
	BlockedUntil Time
}

// Take counts an attempt before it is made, in one statement for each bucket:
// however many attempts come at once, no more get through than the rules allow.
// It returns a verdict for each bucket. A bucket that refuses the attempt does
// not count it; the others do.
func (t *Attempts) Take(ctx context.Context, now time.Time, takes ...Take) ([]Verdict, error) {
	verdicts := make([]Verdict, len(takes))
	for i, take := range takes {
		rows, err := t.store.exec(ctx, "count attempt", takeQuery(take.Rule), map[string]any{
			"bucket": take.Bucket, "now": int64(At(now)), "since": int64(At(now.Add(-take.Rule.Window))),
			"first": int64(firstBlock(take.Rule, now)), "streak": take.Rule.Streak,
		})
		if err != nil {
			return nil, err
		}
		if verdicts[i].Allowed = rows == 1; verdicts[i].Allowed {
			continue
		}
		if verdicts[i], err = t.refused(ctx, take, now); err != nil {
			return nil, err
		}
	}
	return verdicts, nil
}

// takeQuery counts n, the attempts in the window including this one. From the
// last free attempt on, it blocks the next one for a while.
func takeQuery(rule Rule) string {
	const n = "CASE WHEN a.started_at <= @since THEN 1 ELSE a.count + 1 END"
	var block strings.Builder
	block.WriteString("CASE WHEN (" + n + ") < " + strconv.Itoa(rule.Free) + " THEN 0")
	for i, wait := range rule.Waits {
		until := "CAST(@now AS BIGINT) + " + strconv.FormatInt(wait.Microseconds(), 10)
		if i == len(rule.Waits)-1 {
			block.WriteString(" ELSE " + until + " END")
			break
		}
		block.WriteString(" WHEN (" + n + ") = " + strconv.Itoa(rule.Free+i) + " THEN " + until)
	}
	return `
		INSERT INTO login_attempts AS a (bucket, count, streak, started_at, blocked_until, updated_at)
		VALUES (@bucket, 1, 1, @now, @first, @now)
		ON CONFLICT (bucket) DO UPDATE SET
			count = ` + n + `, streak = a.streak + 1, updated_at = @now, blocked_until = ` + block.String() + `,
			started_at = CASE WHEN a.started_at <= @since THEN @now ELSE a.started_at END
		WHERE a.blocked_until <= @now AND (@streak = 0 OR a.streak < @streak)`
}

func firstBlock(rule Rule, now time.Time) Time {
	if rule.Free > 1 {
		return 0
	}
	return At(now.Add(rule.Waits[0]))
}

func (t *Attempts) refused(ctx context.Context, take Take, now time.Time) (Verdict, error) {
	row, err := t.get(ctx, take.Bucket)
	if err != nil {
		return Verdict{}, err
	}
	if take.Rule.Streak > 0 && row.Streak >= take.Rule.Streak {
		return Verdict{}, nil
	}
	// A success elsewhere may have cleared the bucket since: then try again at once.
	return Verdict{Until: max(row.BlockedUntil, At(now).Add(time.Second)).Time()}, nil
}

// Pause says until when a bucket refuses attempts.
type Pause struct {
	Until  time.Time
	Locked bool // its streak is used up: it does not end by itself, whatever Until is
}

// Paused returns the pauses of those buckets that refuse attempts. It reads
// them by key.
func (t *Attempts) Paused(ctx context.Context, buckets []string, streak int, now time.Time) (map[string]Pause, error) {
	paused := map[string]Pause{}
	if len(buckets) == 0 {
		return paused, nil
	}
	var rows []struct {
		Bucket       string
		Streak       int
		BlockedUntil Time
	}
	err := t.store.db.WithContext(ctx).
		Raw("SELECT bucket, streak, blocked_until FROM login_attempts WHERE bucket IN ?", buckets).Scan(&rows).Error
	for _, row := range rows {
		pause := Pause{Locked: row.Streak >= streak}
		if row.BlockedUntil > At(now) {
			pause.Until = row.BlockedUntil.Time()
		}
		if pause != (Pause{}) {
			paused[row.Bucket] = pause
		}
	}
	return paused, translate("read attempts", err)
}

func (t *Attempts) get(ctx context.Context, bucket string) (attempt, error) {
	var rows []attempt
	err := t.store.db.WithContext(ctx).
		Raw("SELECT count, streak, blocked_until FROM login_attempts WHERE bucket = ?", bucket).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return attempt{}, translate("read attempts", err)
	}
	return rows[0], nil
}

// Refund takes back an attempt in each of the buckets, in the order in which
// they are taken. A single statement could lock them in another order.
func (t *Attempts) Refund(ctx context.Context, buckets ...string) error {
	for _, bucket := range buckets {
		_, err := t.store.exec(ctx, "refund attempt", `
			UPDATE login_attempts SET count = count - 1, streak = streak - 1, blocked_until = 0
			WHERE bucket = ? AND count > 0 AND streak > 0`, bucket)
		if err != nil {
			return err
		}
	}
	return nil
}

// HalvePause halves the rest of the time for which a bucket refuses attempts.
func (t *Attempts) HalvePause(ctx context.Context, bucket string, now time.Time) error {
	_, err := t.store.exec(ctx, "halve a pause", `
		UPDATE login_attempts SET blocked_until = @now + (blocked_until - @now) / 2
		WHERE bucket = @bucket AND blocked_until > @now`, map[string]any{"bucket": bucket, "now": int64(At(now))})
	return err
}

// Clear deletes buckets.
func (t *Attempts) Clear(ctx context.Context, buckets ...string) error {
	_, err := t.store.exec(ctx, "clear attempts", "DELETE FROM login_attempts WHERE bucket IN ?", buckets)
	return err
}

// ClearPrefix deletes every bucket whose name starts with prefix.
func (t *Attempts) ClearPrefix(ctx context.Context, prefix string) error {
	_, err := t.store.exec(ctx, "clear attempts", "DELETE FROM login_attempts WHERE bucket >= ? AND bucket < ?",
		prefix, prefix+"\x7f")
	return err
}

// Purge removes at most limit buckets that were not touched since before. It
// leaves those whose names start with keep: the streak of an account does not
// expire.
func (t *Attempts) Purge(ctx context.Context, keep string, before time.Time, limit int) (int64, error) {
	return t.store.exec(ctx, "purge attempts", `
		DELETE FROM login_attempts WHERE bucket IN
			(SELECT bucket FROM login_attempts WHERE updated_at < ? AND NOT (bucket >= ? AND bucket < ?) LIMIT ?)`,
		At(before), keep, keep+"\x7f", limit)
}
