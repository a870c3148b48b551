package faulttest

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"sync"
	"time"
)

// A Kind says what database/sql asks of a driver.
type Kind string

// The kinds of steps.
const (
	Connect  Kind = "connect"
	Prepare  Kind = "prepare"
	Begin    Kind = "begin"
	Exec     Kind = "exec"
	Query    Kind = "query"
	Commit   Kind = "commit"
	Rollback Kind = "rollback"
	Ping     Kind = "ping"
)

// Statement reports whether a step of this kind is work for the database that
// somebody asked for. Connections are made, statements prepared and failed
// transactions rolled back behind the caller's back.
func (k Kind) Statement() bool { return k == Begin || k == Exec || k == Query || k == Commit }

// A Step is one exchange with the database.
type Step struct {
	Kind Kind
	SQL  string // of Prepare, Exec and Query
	N    int    // counted from 1 since the last Reset
}

// A Fault is what goes wrong with a step. The zero value is no fault.
type Fault struct {
	// Err is what the caller gets. Without Done the database never hears of
	// the step.
	Err error

	// Done lets the database do the step first: only its answer is lost.
	Done bool

	// Reading is for a Query that is Done: its answer begins well and breaks
	// off with Err while the rows are read.
	Reading bool

	// Cut closes the connection: before the step, or after it if Done is set.
	// With Done and no Err the caller learns of it with the next step only.
	Cut bool

	// Meanwhile is called before the step, or after it if Done is set.
	Meanwhile func()
}

// A Wire is the way to a database: whatever connections its Connector makes are
// counted, recorded and disturbed together. It is safe for concurrent use.
type Wire struct {
	mu    sync.Mutex
	steps []Step
	plan  func(Step) Fault
	delay time.Duration
}

// Connector wraps a driver's connector.
func (w *Wire) Connector(inner driver.Connector) driver.Connector { return &connector{w, inner} }

// Open wraps a driver that has no connector for a data source name.
func (w *Wire) Open(d driver.Driver, name string) (driver.Connector, error) {
	if dc, ok := d.(driver.DriverContext); ok {
		inner, err := dc.OpenConnector(name)
		if err != nil {
			return nil, err
		}
		return w.Connector(inner), nil
	}
	return w.Connector(dsn{d, name}), nil
}

// Reset forgets the steps so far. Plan, which may be nil, says what happens to
// each of the next ones.
func (w *Wire) Reset(plan func(Step) Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.steps, w.plan = nil, plan
}

// Delay adds latency to every step.
func (w *Wire) Delay(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.delay = d
}

// Steps returns what has passed since the last Reset.
func (w *Wire) Steps() []Step {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.steps)
}

// Statements is the number of those steps that are statements.
func (w *Wire) Statements() (n int) {
	for _, step := range w.Steps() {
		if step.Kind.Statement() {
			n++
		}
	}
	return n
}

// step records a step and says what is to happen to it.
func (w *Wire) step(ctx context.Context, kind Kind, text string) (Fault, error) {
	w.mu.Lock()
	step := Step{kind, text, len(w.steps) + 1}
	w.steps = append(w.steps, step)
	plan, delay := w.plan, w.delay
	w.mu.Unlock()
	if err := sleep(ctx, delay); err != nil {
		return Fault{}, err
	}
	if plan == nil {
		return Fault{}, nil
	}
	return plan(step), nil
}

// unstep takes back the last step of a kind: the driver passed it on.
func (w *Wire) unstep(kind Kind) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if last := len(w.steps) - 1; last >= 0 && w.steps[last].Kind == kind {
		w.steps = w.steps[:last]
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// disturb runs one step of a connection, which is nil while it is being made.
func disturb[T any](ctx context.Context, w *Wire, c *conn, kind Kind, text string, do func() (T, error)) (out T, err error) {
	if c != nil && c.broken() {
		return out, driver.ErrBadConn
	}
	fault, err := w.step(ctx, kind, text)
	if err != nil {
		return out, err
	}
	if !fault.Done {
		fault.strike(c)
		if fault.Err == nil && fault.Cut && c != nil {
			fault.Err = driver.ErrBadConn
		}
		if fault.Err != nil {
			return out, fault.Err
		}
	}
	out, err = do()
	if errors.Is(err, driver.ErrSkip) {
		w.unstep(kind)
	}
	if err != nil || !fault.Done {
		return out, err
	}
	return lose(out, fault, c)
}

// strike is the part of a fault that the caller does not see.
func (f *Fault) strike(c *conn) {
	if f.Meanwhile != nil {
		f.Meanwhile()
	}
	if f.Cut && c != nil {
		c.cut()
	}
}

// lose spoils the answer to a step that the database has done.
func lose[T any](out T, fault Fault, c *conn) (T, error) {
	if rows, ok := any(out).(driver.Rows); ok {
		drained, err := drain(rows)
		if err != nil {
			return out, err
		}
		if fault.Reading {
			drained.rows, drained.err, fault.Err = nil, fault.Err, nil
		}
		out = any(drained).(T)
	}
	fault.strike(c)
	if fault.Err != nil {
		var none T
		return none, fault.Err
	}
	return out, nil
}
