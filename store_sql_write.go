package auth

import (
	"context"
	"fmt"
	"strconv"
)

// insert runs the statement that inserts a row and returns the row's id, which
// is empty before where the database counts.
func (s *SQLStore) insert(ctx context.Context, st *sqlTable, b *sqlText, id string) (string, error) {
	if st.IDs == IDSerial && id == "" {
		number, err := s.dialect.insertCounted(ctx, s, st, b)
		return strconv.FormatInt(number, 10), err
	}
	n, err := s.exec(ctx, b)
	if err == nil && n == 0 {
		err = ErrConflict
	}
	return id, err
}

// update sets columns and returns how many rows met the conditions.
func (s *SQLStore) update(ctx context.Context, st *sqlTable, set []boundValue, where []boundCondition) (n int64, err error) {
	taken := func(unique []boundValue) (bool, error) { return s.takenByOthers(ctx, st, unique, where) }
	err = s.guarded(ctx, st, set, taken, func() error {
		n, err = s.updateRows(ctx, st, set, where)
		return err
	})
	return n, err
}

func (s *SQLStore) updateRows(ctx context.Context, st *sqlTable, set []boundValue, where []boundCondition) (int64, error) {
	b := s.newText("UPDATE ", st.name)
	if err := b.assign(st, set, nil); err != nil {
		return 0, err
	}
	if err := b.where(st, where); err != nil {
		return 0, err
	}
	if s.traits.countsMatches {
		return s.exec(ctx, b)
	}
	if st.identifies(where) {
		if n, err := s.exec(ctx, b); n != 0 || err != nil {
			return n, err
		}
	}
	return s.countAndUpdate(ctx, st, b, where)
}

// countAndUpdate is for databases that count the rows that an update changed
// and not those that it found.
func (s *SQLStore) countAndUpdate(ctx context.Context, st *sqlTable, update *sqlText, where []boundCondition) (n int64, err error) {
	count := s.newText("SELECT COUNT(*) FROM ", st.name)
	if err := count.where(st, where); err != nil {
		return 0, err
	}
	count.add(s.dialect.lock())
	err = s.inTransaction(ctx, func(ctx context.Context) error {
		if n, err = s.number(ctx, count); err != nil || n == 0 {
			return err
		}
		_, err = s.exec(ctx, update)
		return err
	})
	return n, err
}

// updating is writing for updates. One that sets a unique value has a
// transaction: if its answer is lost, the value that is found afterwards could
// else be its own.
func (s *SQLStore) updating(ctx context.Context, st *sqlTable, set []boundValue, update func(ctx context.Context) error) error {
	run := func(ctx context.Context) error {
		return s.writing(ctx, func() error { return update(ctx) })
	}
	if len(st.unique(set)) == 0 {
		return run(ctx)
	}
	return s.inTransaction(ctx, run)
}

// unique returns the values that no two rows can have.
func (st *sqlTable) unique(set []boundValue) (unique []boundValue) {
	for _, v := range set {
		if v.value != nil && st.column(v.column).Unique {
			unique = append(unique, v)
		}
	}
	return unique
}

// guarded runs an update and finds out why it failed: ErrConflict if one of the
// unique values of set is taken. It asks the database for that and does not
// interpret the errors of drivers.
func (s *SQLStore) guarded(ctx context.Context, st *sqlTable, set []boundValue, taken func(unique []boundValue) (bool, error), update func() error) error {
	unique := st.unique(set)
	var err error
	if len(unique) > 0 && s.traits.spoils && s.transaction(ctx) != nil {
		err = s.savepoint(ctx, update)
	} else {
		err = update()
	}
	if err == nil || ctx.Err() != nil {
		return err
	}
	if len(unique) > 0 {
		if conflict, asking := taken(unique); asking == nil && conflict {
			return ErrConflict
		}
	}
	values := make(Row, st.width())
	for _, v := range set {
		values[v.column] = v.value
	}
	return s.explain(st, values, err)
}

// savepoint runs a statement whose failure does not end the transaction.
func (s *SQLStore) savepoint(ctx context.Context, statement func() error) error {
	if _, err := s.exec(ctx, s.newText("SAVEPOINT auth_update")); err != nil {
		return err
	}
	err := statement()
	if err == nil {
		_, err = s.exec(ctx, s.newText("RELEASE SAVEPOINT auth_update"))
	}
	if err != nil {
		if _, back := s.exec(ctx, s.newText("ROLLBACK TO SAVEPOINT auth_update")); back != nil {
			return fmt.Errorf("%w; and then: %w", err, back)
		}
	}
	return err
}

// takenByOthers reports whether a row that does not meet the conditions has one
// of the values, or two rows would get it.
func (s *SQLStore) takenByOthers(ctx context.Context, st *sqlTable, unique []boundValue, where []boundCondition) (bool, error) {
	if n, err := s.countBound(ctx, st, where); err != nil || n > 1 {
		return n > 1, err
	}
	for _, v := range unique {
		has := []boundCondition{{column: v.column, op: "=", value: v.value}}
		all, err := s.countBound(ctx, st, has)
		if err != nil {
			return false, err
		}
		own, err := s.countBound(ctx, st, append(has, where...))
		if err != nil || all > own {
			return all > own, err
		}
	}
	return false, nil
}

// taken reports whether any row has one of the values.
func (s *SQLStore) taken(ctx context.Context, st *sqlTable, unique []boundValue) (bool, error) {
	for _, v := range unique {
		n, err := s.countBound(ctx, st, []boundCondition{{column: v.column, op: "=", value: v.value}})
		if err != nil || n > 0 {
			return n > 0, err
		}
	}
	return false, nil
}

func (s *SQLStore) countBound(ctx context.Context, st *sqlTable, where []boundCondition) (int64, error) {
	b := s.newText("SELECT COUNT(*) FROM ", st.name)
	if err := b.where(st, where); err != nil {
		return 0, err
	}
	return s.number(ctx, b)
}

// explain marks the failure of a write as ErrInvalidValue if one of the values
// is more than the original's tables hold.
func (s *SQLStore) explain(st *sqlTable, values Row, err error) error {
	if err == nil {
		return nil
	}
	for i := range st.columns {
		if c := &st.columns[i]; values[i] != nil && !s.dialect.fits(c, values[i]) {
			return fmt.Errorf("auth: column %q of table %q: %w: %w", c.Name, st.Name, ErrInvalidValue, err)
		}
	}
	return err
}

// deleteWhole deletes rows and what references them.
func (s *SQLStore) deleteWhole(ctx context.Context, st *sqlTable, where []boundCondition) (int64, error) {
	if err := s.deleteReferences(ctx, st, where); err != nil {
		return 0, err
	}
	return s.deleteRows(ctx, st, where)
}

func (s *SQLStore) deleteRows(ctx context.Context, st *sqlTable, where []boundCondition) (int64, error) {
	b := s.newText("DELETE FROM ", st.name)
	if err := b.where(st, where); err != nil {
		return 0, err
	}
	return s.exec(ctx, b)
}

// deleteReferences deletes the rows that reference those that meet the
// conditions, those that reference them first. A table that references itself,
// over others or not, is left to the database.
func (s *SQLStore) deleteReferences(ctx context.Context, st *sqlTable, where []boundCondition) error {
	selected := s.newText()
	if err := selected.where(st, where); err != nil {
		return err
	}
	return s.deleteChildren(ctx, []*sqlTable{st}, selected)
}

// deleteChildren deletes what references the rows of the last table of a chain;
// each of the chain references the one before. The condition selects them.
func (s *SQLStore) deleteChildren(ctx context.Context, chain []*sqlTable, condition *sqlText) error {
	parent := chain[len(chain)-1]
	children, columns := s.references(parent)
	for i, child := range children {
		if containsTable(chain, child) {
			continue
		}
		nested := s.newText(" WHERE ", columns[i].ref, " IN (SELECT ", parent.id().ref, " FROM ", parent.name).
			add(string(condition.text), ")")
		nested.args, nested.once = condition.args, condition.once
		if err := s.deleteChildren(ctx, append(chain, child), nested); err != nil {
			return err
		}
		deletion := s.newText("DELETE FROM ", child.name, string(nested.text))
		deletion.args, deletion.once = nested.args, nested.once
		if _, err := s.exec(ctx, deletion); err != nil {
			return err
		}
	}
	return nil
}

func containsTable(chain []*sqlTable, st *sqlTable) bool {
	for _, t := range chain {
		if t.Name == st.Name {
			return true
		}
	}
	return false
}

// locked finds one row that meets the conditions, keeps it from changing and
// hands it to work. Nothing happens if there is none.
func (s *SQLStore) locked(ctx context.Context, st *sqlTable, where []boundCondition, work func(ctx context.Context, row Row) error) error {
	b := s.newText("SELECT ").returns(st).add(" FROM ", st.name)
	if err := b.where(st, where); err != nil {
		return err
	}
	b.page(1, 0)
	b.add(s.dialect.lock())
	return s.inTransaction(ctx, func(ctx context.Context) error {
		var row Row
		err := s.step(ctx, func() (err error) {
			row, err = s.row(ctx, b)
			return err
		})
		if err != nil || row == nil {
			return err
		}
		return work(ctx, row)
	})
}

// increment changes a locked row and returns its new state.
func (s *SQLStore) increment(ctx context.Context, st *sqlTable, row Row, set, add []boundValue) (Row, error) {
	for _, a := range add {
		sum, err := addStored(row[a.column], a.value.(int64))
		if err != nil {
			return nil, err
		}
		set = append(set, boundValue{a.column, sum})
	}
	for _, v := range set {
		row[v.column] = v.value
	}
	if len(set) == 0 {
		return row, nil
	}
	byID := []boundCondition{{column: len(st.Columns), op: "=", value: row.id()}}
	err := s.writing(ctx, func() error {
		_, err := s.update(ctx, st, set, byID)
		return err
	})
	return row, err
}

// deleteReturning deletes one row in one statement.
func (s *SQLStore) deleteReturning(ctx context.Context, st *sqlTable, where []boundCondition) (Row, error) {
	b := s.newText("DELETE FROM ", st.name)
	return s.oneReturning(ctx, st, b, where)
}

// updateReturning changes one row in one statement.
func (s *SQLStore) updateReturning(ctx context.Context, st *sqlTable, set, add []boundValue, where []boundCondition) (row Row, err error) {
	err = s.updating(ctx, st, set, func(ctx context.Context) error {
		b := s.newText("UPDATE ", st.name)
		if err := b.assign(st, set, add); err != nil {
			return err
		}
		taken := func(unique []boundValue) (bool, error) {
			if !st.identifies(where) {
				return s.taken(ctx, st, unique)
			}
			return s.takenByOthers(ctx, st, unique, where)
		}
		return s.guarded(ctx, st, set, taken, func() error {
			row, err = s.oneReturning(ctx, st, b, where)
			return err
		})
	})
	return row, err
}

// oneReturning completes a statement that writes, so that it touches one row
// that meets the conditions, and returns that row.
//
// A statement that had to wait for another one may find that its row does not
// meet the conditions any more. If others do it tries again.
func (s *SQLStore) oneReturning(ctx context.Context, st *sqlTable, b *sqlText, where []boundCondition) (Row, error) {
	identified := st.identifies(where)
	if !identified {
		b.add(" WHERE ", st.id().ref, " = (SELECT ", st.id().ref, " FROM ", st.name)
	}
	if err := b.where(st, where); err != nil {
		return nil, err
	}
	if !identified {
		b.page(1, 0)
		b.add(s.dialect.lock(), ")")
	}
	b.add(" RETURNING ").returns(st)
	for {
		row, err := s.row(ctx, b)
		if err != nil || row != nil || identified || !s.traits.rechecks {
			return row, err
		}
		if n, err := s.countBound(ctx, st, where); err != nil || n == 0 {
			return nil, err
		}
	}
}
