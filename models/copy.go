package models

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// versionTable holds the applied migrations. readinessTable has one row, which the
// migration made and /readyz overwrites. Neither is copied: a target has its own.
const (
	versionTable   = "goose_db_version"
	readinessTable = "readiness"
)

// ErrRunning says that a server or a command uses the PostgreSQL database.
var ErrRunning = errors.New("a server or a command of Latchkey is connected to the database: stop it first")

// TargetError is an error of the database that is copied into, or of the values that
// its engine cannot store. Other errors of CopyTo are of the source.
type TargetError struct{ Err error }

func (e TargetError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e TargetError) Unwrap() error { return e.Err }

// NotUndoneError says that a copy failed, and that the target is not as it was before.
type NotUndoneError struct {
	Err  error // of the copy
	Undo error // why the target is not as it was
}

func (e NotUndoneError) Error() string {
	return fmt.Sprintf("%v; the target could not be emptied again: %v", e.Err, e.Undo)
}

// Unwrap returns the causes.
func (e NotUndoneError) Unwrap() []error { return []error{e.Err, e.Undo} }

// CopyProgress is a step of a copy.
type CopyProgress struct {
	Table     string
	Rows, Of  int64
	Comparing bool // the rows are read from the target again
}

// Copied says what CopyTo did.
type Copied struct {
	Tables  []CopiedTable
	LeftOut []string // tables of the source that Latchkey did not make
}

// CopiedTable is a table and its number of rows.
type CopiedTable struct {
	Name string
	Rows int64
}

// CopySource is a database that is copied. Until Close nothing can write to it.
type CopySource struct {
	end    *copyEnd
	tables []string
}

// OpenCopySource locks a database for copying. It refuses a file that does not exist,
// a schema of another version (ErrSchemaNewer, or a sentence that says to migrate),
// and a database that is in use (ErrInUse, ErrRunning). It changes nothing.
func OpenCopySource(ctx context.Context, options Options) (*CopySource, error) {
	end, err := openCopySource(ctx, options)
	if err != nil {
		return nil, err
	}
	s := &CopySource{end: end}
	if err := s.prepare(ctx); err != nil {
		end.close()
		return nil, err
	}
	return s, nil
}

func (s *CopySource) prepare(ctx context.Context) (err error) {
	if s.tables, err = s.end.tables(ctx); err != nil {
		return err
	}
	if err := s.end.checkVersion(ctx, s.tables); err != nil {
		return err
	}
	return s.end.begin(ctx, dataTables(s.tables), true)
}

// Close lets others write to the source again.
func (s *CopySource) Close() { s.end.close() }

// CopyTo copies every row into an empty database and compares both, in one
// transaction. The target must not exist, or have no tables, or have Latchkey's
// tables without rows. After an error it is as it was before, except after a
// NotUndoneError. step is called now and then, or is nil.
func (s *CopySource) CopyTo(ctx context.Context, target Options, step func(CopyProgress)) (*Copied, error) {
	if step == nil {
		step = func(CopyProgress) {}
	}
	to, err := s.openTarget(ctx, target)
	if err != nil {
		return nil, TargetError{err}
	}
	defer to.free()
	done, err := s.copyTo(ctx, to, step)
	to.close()
	if err != nil {
		if failure := to.undo(); failure != nil {
			err = NotUndoneError{Err: err, Undo: failure}
		}
		return nil, err
	}
	return done, nil
}

func (s *CopySource) copyTo(ctx context.Context, to *copyEnd, step func(CopyProgress)) (*Copied, error) {
	if err := to.migrate(ctx); err != nil {
		return nil, TargetError{err}
	}
	all, err := to.tables(ctx)
	if err != nil {
		return nil, TargetError{err}
	}
	names := dataTables(all)
	if err := to.begin(ctx, names, false); err != nil {
		return nil, TargetError{err}
	}
	if err := to.checkEmpty(ctx, names); err != nil { // nobody can write to it any more
		return nil, TargetError{err}
	}
	if names, err = to.inOrder(ctx, names); err != nil {
		return nil, TargetError{err}
	}
	done := &Copied{}
	for _, name := range s.tables {
		if !slices.Contains(all, name) {
			done.LeftOut = append(done.LeftOut, name)
		}
	}
	for _, name := range names {
		table, err := s.match(ctx, to, name)
		if err != nil {
			return nil, err
		}
		rows, err := s.copyTable(ctx, to, table, step)
		if err != nil {
			return nil, err
		}
		done.Tables = append(done.Tables, CopiedTable{Name: name, Rows: rows})
	}
	if err := to.commit(ctx, names); err != nil {
		return nil, TargetError{err}
	}
	return done, nil
}

// copyTable copies one table and compares it. It returns the number of rows.
func (s *CopySource) copyTable(ctx context.Context, to *copyEnd, table copyTable, step func(CopyProgress)) (int64, error) {
	progress := CopyProgress{Table: table.name}
	var err error
	if progress.Of, err = s.end.count(ctx, table.name); err != nil {
		return 0, err
	}
	step(progress)
	source, err := s.end.read(ctx, table)
	if err != nil {
		return 0, err
	}
	defer source.close()
	source.step = func(n int64) { progress.Rows = n; step(progress) }
	source.strict = to.dialect == dialectPostgres
	if err := to.write(ctx, table, source); err != nil {
		if source.err != nil {
			return 0, source.err
		}
		return 0, TargetError{translate("write the table "+table.name, err)}
	}
	progress.Comparing = true
	written, err := to.readAll(ctx, table, func(n int64) { progress.Rows = n; step(progress) })
	if err != nil {
		return 0, TargetError{err}
	}
	if written.rows != source.rows || written.sum() != source.sum() {
		return 0, TargetError{fmt.Errorf("the table %s has %d rows in the source and %d in the target, or different values: nothing was copied",
			table.name, source.rows, written.rows)}
	}
	return source.rows, nil
}

// dataTables returns the tables whose rows are copied.
func dataTables(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == versionTable || name == readinessTable })
}
