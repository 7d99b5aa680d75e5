package models

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"gorm.io/gorm/logger"
)

// slowStatement is the duration from which a statement is logged.
const slowStatement = time.Second

// statementLogger logs slow and failed statements without their values.
// Duplicate values, strings that no row can hold and callers that disconnected
// are not failures.
type statementLogger struct {
	logger.Interface
	report func(op string, took time.Duration) // gets every statement; may be nil
}

func newStatementLogger(log *slog.Logger, report func(op string, took time.Duration)) logger.Interface {
	return statementLogger{report: report, Interface: logger.NewSlogLogger(log, logger.Config{
		SlowThreshold:             slowStatement,
		LogLevel:                  logger.Warn,
		IgnoreRecordNotFoundError: true,
		ParameterizedQueries:      true, // its default prints the values, password hashes too
	})}
}

// LogMode returns a statementLogger with another level.
func (l statementLogger) LogMode(level logger.LogLevel) logger.Interface {
	return statementLogger{l.Interface.LogMode(level), l.report}
}

// Trace reports a statement, and passes it on to the embedded logger.
func (l statementLogger) Trace(ctx context.Context, begin time.Time, statement func() (string, int64), err error) {
	if l.report != nil {
		query, _ := statement()
		l.report(opOf(query), time.Since(begin))
	}
	if _, taken := duplicate(err); taken || errors.Is(err, context.Canceled) || errors.Is(err, errNotText) {
		err = nil
	}
	l.Interface.Trace(ctx, begin, statement, err)
}
