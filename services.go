package auth

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"
)

// services are what endpoints work with: the rows of the core, cookies,
// passwords, mails and guards. There is one for each Auth.
type services struct {
	home    *site       // the only site; nil where each request has its own
	sites   *siteFinder // nil where there is only one
	log     *slog.Logger
	onEvent func(ctx context.Context, e Event) // nil: nobody wants to know
	store   Store

	ids   IDType
	newID func(table string) string // nil: random ones

	users         *userStore
	sessions      *sessionStore
	accounts      *entities[Account]
	verifications *verificationStore
	rateCounts    *entities[rateRow] // nil unless the database counts requests

	userFields          []Column // additional ones
	hiddenUserFields    []string
	hiddenSessionFields []string

	providers       []*oauthProvider
	linking         AccountLinking
	keepTokens      bool
	skipStateCookie bool
	stateInCookie   bool
	stateSeal       *envelope // of StateInCookie
	linkSeal        *envelope // of the session that wants to link
	tokenSeal       *envelope // of accounts' tokens; nil: they are stored plain

	validateInfo func(ctx context.Context, user *User, source UserSource) error // nil: everybody may be a user

	session   SessionOptions
	signer    *signer
	passwords *passwords
	trusted   *trustedOrigins
	proxies   *addressResolver
	origin    *originCheck

	background func(task func())

	challenges    []func(ctx context.Context, in *SignIn) (answer any, err error) // of plugins
	unproven      []func(ctx context.Context, user *User) error                   // of plugins
	sessionTokens []func(h http.Header) string                                    // of plugins: where else a token may be
	pluginTables  []PluginTable
	envelopes     sync.Map // of plugins: by purpose
}

// commitQueue holds what waits for the end of a transaction.
type commitQueue struct {
	outer context.Context // of who began the transaction

	mu     sync.Mutex // against goroutines that the transaction started
	writes []func(ctx context.Context) error
	tasks  []func(ctx context.Context)
	undo   []func(ctx context.Context)
}

// commitQueueKey has the instance in it: a transaction of another one is none
// of this one's.
type commitQueueKey struct{ s *services }

// queueOf returns the queue of the transaction that ctx is in, nil outside.
func (s *services) queueOf(ctx context.Context) *commitQueue {
	queue, _ := ctx.Value(commitQueueKey{s}).(*commitQueue)
	return queue
}

// transact runs fn in a transaction, or in the one that ctx is already in,
// which then fails with fn. What fn and its callees hand to writeAfterCommit and
// afterCommit runs when all of it is stored, what they hand to afterRollback if
// nothing is. If the database rolls it back in favour of another transaction, fn is
// run again.
func (s *services) transact(ctx context.Context, fn func(ctx context.Context) error) (err error) {
	if s.queueOf(ctx) != nil {
		return s.store.Transaction(ctx, fn)
	}
	for range maxAttempts {
		if err = s.attempt(ctx, fn); !errors.Is(err, ErrRolledBack) {
			break
		}
	}
	return err
}

// attempt is transact for fn that is run once.
func (s *services) attempt(ctx context.Context, fn func(ctx context.Context) error) error {
	queue, committed := &commitQueue{outer: ctx}, false
	defer func() { // a panic of fn rolls back too
		if !committed {
			queue.rolledBack(context.WithoutCancel(ctx))
		}
	}()
	if err := s.store.Transaction(context.WithValue(ctx, commitQueueKey{s}, queue), fn); err != nil {
		return err
	}
	committed = true
	return queue.committed(ctx)
}

// insist is transact for fn that finds out whether somebody was faster: it is run
// again then. Errors: ErrConflict if it is not for that reason.
func (s *services) insist(ctx context.Context, fn func(ctx context.Context) error) (err error) {
	for range 3 { // the address may be taken first, the account then
		if err = s.transact(ctx, fn); !errors.Is(err, ErrConflict) {
			break
		}
	}
	return err
}

// committed makes the writes, even if the client is gone, and runs the tasks. It
// returns the errors of the writes.
func (q *commitQueue) committed(ctx context.Context) error {
	q.mu.Lock()
	writes, tasks := q.writes, q.tasks
	q.mu.Unlock()
	var errs []error
	for _, write := range writes {
		errs = append(errs, write(context.WithoutCancel(ctx)))
	}
	for _, task := range tasks {
		task(ctx)
	}
	return errors.Join(errs...)
}

func (q *commitQueue) rolledBack(ctx context.Context) {
	q.mu.Lock()
	undo := q.undo
	q.mu.Unlock()
	for _, task := range slices.Backward(undo) {
		task(ctx)
	}
}

// afterCommit runs task now, or after the transaction that ctx is in. The task
// gets a context that is outside of it.
func (s *services) afterCommit(ctx context.Context, task func(ctx context.Context)) {
	queue := s.queueOf(ctx)
	if queue == nil {
		task(ctx)
		return
	}
	queue.mu.Lock()
	defer queue.mu.Unlock()
	queue.tasks = append(queue.tasks, task)
}

// writeAfterCommit is afterCommit for what follows in other storage. It comes
// before all tasks. Its error is returned, or is that of the transaction, whose
// rows are stored all the same then.
func (s *services) writeAfterCommit(ctx context.Context, write func(ctx context.Context) error) error {
	queue := s.queueOf(ctx)
	if queue == nil {
		return write(ctx)
	}
	queue.mu.Lock()
	defer queue.mu.Unlock()
	queue.writes = append(queue.writes, write)
	return nil
}

// afterRollback runs undo if the transaction that ctx is in fails. Outside of
// one there is nothing to undo.
func (s *services) afterRollback(ctx context.Context, undo func(ctx context.Context)) {
	if queue := s.queueOf(ctx); queue != nil {
		queue.mu.Lock()
		defer queue.mu.Unlock()
		queue.undo = append(queue.undo, undo)
	}
}

// inBackground runs a task such as sending a mail when the transaction of ctx
// is committed: at once, or on Config.Background. Its failure, a panic too, is
// logged and never changes the answer, which could tell a stranger who has an
// account.
func (s *services) inBackground(ctx context.Context, what string, task func(ctx context.Context) error) {
	s.afterCommit(ctx, func(ctx context.Context) {
		detached := detach(ctx)
		s.background(func() {
			defer func() {
				if v := recover(); v != nil {
					s.log.ErrorContext(detached, "panic in background task", "task", what, "panic", v, "stack", string(debug.Stack()))
				}
			}()
			if err := task(detached); err != nil {
				s.log.ErrorContext(detached, "background task failed", "task", what, "error", err)
			}
		})
	})
}

// detach returns a context that outlives the request. Its Exchange has the
// request and nothing that the run still changes.
func detach(ctx context.Context) context.Context {
	ctx = context.WithoutCancel(ctx)
	x := ExchangeFrom(ctx)
	if x == nil {
		return ctx
	}
	return &Exchange{Context: ctx, op: x.op, direct: true, request: x.request, headers: x.headers, address: x.ClientAddress(), site: x.site}
}

// without returns a copy of fields that lacks some names.
func without(fields map[string]any, names []string) map[string]any {
	visible := maps.Clone(fields)
	for _, name := range names {
		delete(visible, name)
	}
	return visible
}
