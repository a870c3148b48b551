package auth

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"
)

// A SQLStore is a [Store] in a SQL database, in the very tables that the
// original makes: both can work on one database at the same time. The
// application opens the database with a driver of its choice, owns the pool and
// closes it.
//
//	db, err := sql.Open("pgx", "postgres://localhost/app")
//	store := auth.NewSQLStore(db, auth.PostgreSQL)
//
// The tables have to exist: [Auth.Migrate] creates what is missing. Statements
// are prepared once for each connection, those of transactions when the first
// one is over, and every statement gets the caller's context. Nothing of a
// statement's text comes from input: values are arguments, names are those of
// tables and columns.
//
// Transactions have the isolation level read committed, on SQLite serializable.
// The deletion of a row deletes the rows that reference it even where the
// database does not enforce its foreign keys (SQLite's foreign_keys is off by
// default, MySQL before 9.0 ignores them).
//
// SQLite: use a file in WAL mode with a busy timeout, since other processes may
// write too, for instance "file:app.db?_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)"
// with modernc.org/sqlite. Writes of this process wait for each other without
// the help of the timeout.
//
// MySQL: the character set of the connection must be utf8mb4 (the default of
// github.com/go-sql-driver/mysql) and sql_mode must be strict (the default of
// the servers). The options parseTime, loc and clientFoundRows make no
// difference.
//
// A SQLStore is safe for concurrent use and must be made by [NewSQLStore].
type SQLStore struct {
	db      *sql.DB
	dialect sqlDialect
	traits  sqlTraits
	names   []Naming
	err     error // what is wrong with the arguments of NewSQLStore

	turn chan struct{} // holds a token while something is written; nil: the database arbitrates

	mu         sync.RWMutex // guards what follows
	tables     map[string]*sqlTable
	statements map[string]*sql.Stmt
}

// NewSQLStore returns a store in a database. Names say what tables and columns
// are called there: by default as in [Table], which is what the original calls
// them; the first that answers counts. Mistakes in the arguments are reported by
// New and by every use of the store.
func NewSQLStore(db *sql.DB, dialect Dialect, names ...Naming) *SQLStore {
	s := &SQLStore{
		db:         db,
		names:      slices.Clone(names),
		tables:     make(map[string]*sqlTable),
		statements: make(map[string]*sql.Stmt),
	}
	s.dialect, s.err = dialect.sql()
	if db == nil {
		s.err = errors.Join(s.err, errors.New("auth: NewSQLStore got no database"))
	}
	if s.err != nil {
		return s
	}
	if s.traits = s.dialect.traits(); s.traits.oneWriter {
		s.turn = make(chan struct{}, 1)
	}
	return s
}

// OpenTables tells the store of tables in advance, those that are referenced
// before those that reference them. It does not look into the database. The
// store cannot delete the rows that reference a row from a table it has never
// heard of. Errors: descriptions and names that cannot be right.
func (s *SQLStore) OpenTables(tables []*Table) error {
	var errs []error
	for _, t := range tables {
		_, err := s.table(t)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Insert implements [Store].
func (s *SQLStore) Insert(ctx context.Context, t *Table, row Row) error {
	st, err := s.table(t)
	if err != nil {
		return err
	}
	values, err := t.storable(row)
	if err != nil {
		return err
	}
	return s.writing(ctx, func() error {
		b := s.newText()
		if err := st.insert(b, values); err != nil {
			return err
		}
		id, err := s.insert(ctx, st, b, values.id())
		if err == nil {
			row[len(row)-1] = id
		}
		return s.explain(st, values, err)
	})
}

// Select implements [Store].
func (s *SQLStore) Select(ctx context.Context, q Query) (rows []Row, err error) {
	b, err := s.selection(&q)
	if err != nil {
		return nil, err
	}
	err = s.step(ctx, func() error {
		rows, err = s.rows(ctx, b)
		return err
	})
	return rows, err
}

// scope returns the store's side of a table, and conditions that fit it.
func (s *SQLStore) scope(t *Table, where []Condition) (*sqlTable, []boundCondition, error) {
	st, err := s.table(t)
	if err != nil {
		return nil, nil, err
	}
	bound, err := t.bind(nil, where)
	return st, bound, err
}

// Count implements [Store].
func (s *SQLStore) Count(ctx context.Context, t *Table, where ...Condition) (n int64, err error) {
	st, bound, err := s.scope(t, where)
	if err != nil {
		return 0, err
	}
	err = s.step(ctx, func() error {
		n, err = s.countBound(ctx, st, bound)
		return err
	})
	return n, err
}

// Update implements [Store].
func (s *SQLStore) Update(ctx context.Context, t *Table, set map[string]any, where ...Condition) (n int64, err error) {
	st, bound, err := s.scope(t, where)
	if err != nil {
		return 0, err
	}
	values, err := t.bindUpdate(set)
	if err != nil {
		return 0, err
	}
	err = s.updating(ctx, st, values, func(ctx context.Context) error {
		n, err = s.update(ctx, st, values, bound)
		return err
	})
	return written(n, err)
}

// Delete implements [Store].
func (s *SQLStore) Delete(ctx context.Context, t *Table, where ...Condition) (n int64, err error) {
	st, bound, err := s.scope(t, where)
	if err != nil {
		return 0, err
	}
	if !s.referenced(st) {
		err = s.writing(ctx, func() error {
			n, err = s.deleteRows(ctx, st, bound)
			return err
		})
		return written(n, err)
	}
	err = s.again(ctx, func() error {
		return s.Transaction(ctx, func(ctx context.Context) error {
			return s.step(ctx, func() error {
				n, err = s.deleteWhole(ctx, st, bound)
				return err
			})
		})
	})
	return written(n, err)
}

// Consume implements [Store].
func (s *SQLStore) Consume(ctx context.Context, t *Table, where ...Condition) (row Row, err error) {
	st, bound, err := s.scope(t, where)
	if err != nil {
		return nil, err
	}
	if s.traits.deletesReturning && !s.referenced(st) {
		err = s.writing(ctx, func() error {
			row, err = s.deleteReturning(ctx, st, bound)
			return err
		})
		return written(row, err)
	}
	err = s.locked(ctx, st, bound, func(ctx context.Context, found Row) error {
		row = found
		_, err := s.Delete(ctx, t, Where(idColumn.Name, found.id()))
		return err
	})
	return written(row, err)
}

// Increment implements [Store].
func (s *SQLStore) Increment(ctx context.Context, t *Table, add map[string]int64, set map[string]any, where ...Condition) (row Row, err error) {
	st, bound, err := s.scope(t, where)
	if err != nil {
		return nil, err
	}
	values, addends, err := t.bindIncrement(set, add)
	if err != nil {
		return nil, err
	}
	if s.traits.updatesReturning && len(values)+len(addends) > 0 {
		row, err = s.updateReturning(ctx, st, values, addends, bound)
		return written(row, err)
	}
	err = s.locked(ctx, st, bound, func(ctx context.Context, found Row) (err error) {
		row, err = s.increment(ctx, st, found, values, addends)
		return err
	})
	return written(row, err)
}

// Transaction implements [Store].
func (s *SQLStore) Transaction(ctx context.Context, fn func(ctx context.Context) error) error {
	if s.err != nil {
		return s.err
	}
	if tx := s.transaction(ctx); tx != nil {
		return tx.join(ctx, fn)
	}
	return s.begin(ctx, fn)
}
