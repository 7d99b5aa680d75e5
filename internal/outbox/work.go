package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode"

	"latchkey/models"
)

// tooLate is the answer of a delivery that was not worth another attempt.
const tooLate = "It was no longer worth sending."

const (
	// markTries is how often a worker writes down a result while the database does
	// not answer, and markPause the time in between. A result that is lost means
	// that the delivery is repeated.
	markTries = 30
	markPause = time.Second
	// markTimeout bounds one of them. It also applies while the process stops.
	markTimeout = 5 * time.Second
)

// Run works on deliveries until ctx is done. Attempts that are being made then may
// take another grace; after that, Run gives their deliveries back, so that another
// process tries them soon. A failure of the database is logged.
func (o *Outbox) Run(ctx context.Context, grace time.Duration) error {
	attempts, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var group sync.WaitGroup
	defer group.Wait()
	ended := make(chan struct{}, parallel)
	tick := time.NewTicker(o.pollEvery)
	defer tick.Stop()
	busy, failing := 0, false
	for ctx.Err() == nil {
		list, err := o.take(ctx, parallel-busy)
		if err != nil && ctx.Err() == nil && !failing {
			o.logger.WarnContext(ctx, "look for deliveries", "error", err.Error())
		}
		failing = err != nil
		for _, row := range list {
			busy++
			group.Go(func() {
				defer func() { ended <- struct{}{} }()
				if err := o.deliver(attempts, row); err != nil {
					o.logger.Warn("write down the result of a delivery", "id", row.ID, "error", err.Error())
				}
			})
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-ended:
			busy--
		}
	}
	stop := time.AfterFunc(grace, cancel)
	defer stop.Stop()
	group.Wait()
	return nil
}

// Work tries the deliveries that are due, at most as many as fit at a time, and
// returns how many there were.
func (o *Outbox) Work(ctx context.Context) (int, error) {
	list, err := o.take(ctx, parallel)
	if err != nil {
		return 0, err
	}
	failures := make([]error, len(list))
	var group sync.WaitGroup
	for i, row := range list {
		group.Go(func() { failures[i] = o.deliver(ctx, row) })
	}
	group.Wait()
	return len(list), errors.Join(failures...)
}

func (o *Outbox) take(ctx context.Context, limit int) ([]models.Delivery, error) {
	if limit == 0 || len(o.kinds) == 0 {
		return nil, nil
	}
	now := o.now()
	return o.store.Deliveries.Take(ctx, o.kinds, limit, now, now.Add(o.lease))
}

// deliver makes one attempt and writes down its result.
func (o *Outbox) deliver(ctx context.Context, row models.Delivery) error {
	if models.At(o.now()) >= row.UselessAt {
		return o.finish(ctx, row, models.DeliveryFailed, strings.TrimSpace(tooLate+" "+row.Answer))
	}
	answer, err := o.handle(ctx, row)
	if err == nil {
		return o.finish(ctx, row, models.DeliverySent, answer)
	}
	if _, final := errors.AsType[Final](err); final {
		return o.finish(ctx, row, models.DeliveryFailed, err.Error())
	}
	if ctx.Err() != nil { // the process stops: another one tries it soon
		o.logger.Info("a delivery is given back", "id", row.ID, "kind", row.Kind, "topic", row.Topic)
		return o.postpone(ctx, row, row.Answer, o.now())
	}
	due := o.now().Add(pauses[min(row.Attempts, len(pauses))-1])
	if models.At(due) >= min(row.UselessAt, row.CreatedAt.Add(maxAge)) {
		return o.finish(ctx, row, models.DeliveryFailed, err.Error())
	}
	o.logger.Warn("a delivery did not arrive", "id", row.ID, "kind", row.Kind, "topic", row.Topic,
		"attempt", row.Attempts, "again", due.UTC(), "error", clean(err.Error()))
	return o.postpone(ctx, row, err.Error(), due)
}

// handle runs the handler. A handler that panics has not delivered: it must not take
// the portal with it.
func (o *Outbox) handle(ctx context.Context, row models.Delivery) (answer string, err error) {
	body, ok := o.sealer.Open(row.Body, purpose(row.ID))
	if !ok {
		return "", Final{errors.New("the message cannot be read: it was sealed with another master secret")}
	}
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("the handler of %s broke: %v", row.Kind, broken)
		}
	}()
	return o.handlers[row.Kind](ctx, Delivery{Delivery: row, Body: body})
}

func (o *Outbox) finish(ctx context.Context, row models.Delivery, state models.DeliveryState, answer string) error {
	level := slog.LevelInfo
	if state == models.DeliveryFailed {
		level = slog.LevelError
	}
	answer = clean(answer)
	o.logger.Log(ctx, level, "delivery "+string(state), "id", row.ID, "kind", row.Kind, "topic", row.Topic, "user_id", row.UserID,
		"attempts", row.Attempts, "answer", answer)
	return o.mark(ctx, row, func(ctx context.Context) (bool, error) {
		return o.store.Deliveries.Finish(ctx, row, state, answer, o.now())
	})
}

func (o *Outbox) postpone(ctx context.Context, row models.Delivery, answer string, due time.Time) error {
	return o.mark(ctx, row, func(ctx context.Context) (bool, error) {
		return o.store.Deliveries.Postpone(ctx, row, clean(answer), due)
	})
}

// mark writes down a result, also while the process stops. While the database does
// not answer it tries again, as long as the process does not stop.
func (o *Outbox) mark(ctx context.Context, row models.Delivery, write func(context.Context) (bool, error)) error {
	for try := 1; ; try++ {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), markTimeout)
		mine, err := write(bounded)
		cancel()
		switch {
		case err == nil && !mine:
			o.logger.Warn("an attempt took longer than its lease: the delivery may arrive twice", "id", row.ID)
			return nil
		case err == nil || try == markTries || ctx.Err() != nil:
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(o.markPause):
		}
	}
}

// maxAnswer bounds what is kept of an answer, in bytes.
const maxAnswer = 1000

// clean makes an answer one line that every database can store. Another machine
// wrote it: it can contain anything.
func clean(answer string) string {
	answer = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(answer, "\uFFFD"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
	if len(answer) > maxAnswer {
		answer = strings.ToValidUTF8(answer[:maxAnswer], "") + "…"
	}
	return answer
}
