package auth

import "slices"

// A sqlText is a statement that is being written: its text, the values of its
// placeholders and the columns that it returns.
type sqlText struct {
	dialect sqlDialect
	text    []byte
	args    []any
	columns []*sqlColumn

	// once says that the text depends on the length of a list, so that it is
	// not worth being prepared.
	once bool
}

func (s *SQLStore) newText(parts ...string) *sqlText {
	b := &sqlText{dialect: s.dialect, text: make([]byte, 0, 1024)}
	return b.add(parts...)
}

func (b *sqlText) add(parts ...string) *sqlText {
	for _, part := range parts {
		b.text = append(b.text, part...)
	}
	return b
}

// argument adds a placeholder for a value.
func (b *sqlText) argument(value any) *sqlText {
	b.args = append(b.args, value)
	b.text = b.dialect.placeholder(b.text, len(b.args))
	return b
}

// value adds a placeholder for a value of a column, as encode made it.
func (b *sqlText) value(c *sqlColumn, value any) *sqlText {
	before, after := b.dialect.wraps(c, value)
	return b.add(before).argument(value).add(after)
}

// list adds things separated by commas.
func (b *sqlText) list(n int, add func(i int)) *sqlText {
	for i := range n {
		if i > 0 {
			b.add(", ")
		}
		add(i)
	}
	return b
}

// returns adds the expressions that read the columns of a table, and remembers the
// columns.
func (b *sqlText) returns(st *sqlTable) *sqlText {
	b.columns = st.all
	return b.add(st.reads)
}

// where adds the conditions, if there are any.
func (b *sqlText) where(st *sqlTable, where []boundCondition) error {
	for i := range where {
		if i == 0 {
			b.add(" WHERE ")
		} else {
			b.add(" AND ")
		}
		if err := b.condition(&st.columns[where[i].column], &where[i]); err != nil {
			return err
		}
	}
	return nil
}

// Conditions that need no look at the row.
const (
	sqlNever  = "1 = 0"
	sqlIsNull = " IS NULL"
	sqlExists = " IS NOT NULL"
)

func (b *sqlText) condition(c *sqlColumn, by *boundCondition) error {
	switch by.op {
	case "in", "not in":
		return b.membership(c, by)
	case "=", "!=":
		if by.value == nil {
			b.add(c.ref, map[string]string{"=": sqlIsNull, "!=": sqlExists}[by.op])
			return nil
		}
	case "contains", "starts with", "ends with":
		b.pattern(c, by.op, by.value.(string))
		return nil
	}
	value, ok, err := b.comparand(c, by.value)
	switch {
	case err != nil:
		return err
	case ok:
		b.compare(c, by.op, value)
	case by.op == "!=":
		b.add(c.ref, sqlExists)
	default:
		b.add(sqlNever)
	}
	return nil
}

// comparand encodes a value to compare with; ok is false for one that no row
// can have.
func (b *sqlText) comparand(c *sqlColumn, value any) (encoded any, ok bool, err error) {
	if !b.dialect.possible(c, value) {
		return nil, false, nil
	}
	encoded, err = b.dialect.encode(c, value)
	return encoded, true, err
}

// compare adds a comparison. Where a database finds texts equal that are not
// the same bytes, it uses an index to find candidates and then looks closely.
func (b *sqlText) compare(c *sqlColumn, op string, value any) {
	if op == "!=" {
		op = "<>"
	}
	if c.exact == c.ref || op == "=" {
		b.add(c.ref, " ", op, " ").value(c, value)
	}
	if c.exact == c.ref {
		return
	}
	if op == "=" {
		b.add(" AND ")
	}
	b.add(c.exact, " ", op, " ").exactly(c, value)
}

// exactly adds a placeholder to compare with what exact returns.
func (b *sqlText) exactly(c *sqlColumn, value any) {
	b.args = append(b.args, value)
	b.add(b.dialect.exact(c, string(b.dialect.placeholder(nil, len(b.args)))))
}

func (b *sqlText) membership(c *sqlColumn, by *boundCondition) error {
	b.once = true
	values := make([]any, 0, len(by.list))
	for _, v := range by.list {
		value, ok, err := b.comparand(c, v)
		if err != nil {
			return err
		}
		if ok {
			values = append(values, value)
		}
	}
	not := by.op == "not in"
	switch {
	case len(values) == 0 && not:
		b.add(c.ref, sqlExists)
	case len(values) == 0:
		b.add(sqlNever)
	default:
		b.among(c, not, values)
	}
	return nil
}

// among adds IN or NOT IN with a list that is not empty.
func (b *sqlText) among(c *sqlColumn, not bool, values []any) {
	in := " IN ("
	if not {
		in = " NOT IN ("
	}
	if c.exact == c.ref || !not {
		b.add(c.ref, in).list(len(values), func(i int) { b.value(c, values[i]) }).add(")")
	}
	if c.exact == c.ref {
		return
	}
	if !not {
		b.add(" AND ")
	}
	b.add(c.exact, in).list(len(values), func(i int) { b.exactly(c, values[i]) }).add(")")
}

// pattern adds a comparison with a part of a text. None of a database's
// pattern languages is used: in those, letters of the value have a meaning.
func (b *sqlText) pattern(c *sqlColumn, op, part string) {
	switch {
	case part == "":
		b.add(c.ref, sqlExists)
	case !b.dialect.possible(c, part):
		b.add(sqlNever)
	default:
		b.dialect.pattern(b, c, op, part)
	}
}

// selection writes the statement for a query.
func (s *SQLStore) selection(q *Query) (*sqlText, error) {
	st, err := s.table(q.Table)
	if err != nil {
		return nil, err
	}
	bound, err := q.Table.bind(nil, q.Where)
	if err != nil {
		return nil, err
	}
	order, err := q.bindOrder()
	if err != nil {
		return nil, err
	}
	b := s.newText("SELECT ").returns(st)
	if q.Join == nil {
		b.add(" FROM ", st.name)
	} else if err := s.join(b, st, q); err != nil {
		return nil, err
	}
	if err := b.where(st, bound); err != nil {
		return nil, err
	}
	b.order(st, order)
	b.page(q.Limit, q.Offset)
	if q.Lock && q.Join == nil {
		b.add(s.dialect.lock())
	}
	return b, nil
}

// partner is what the second table of a join is called in the statement: it may
// be the first one again.
const partner = "auth_partner"

// join adds the columns of the partners and both tables.
func (s *SQLStore) join(b *sqlText, st *sqlTable, q *Query) error {
	column, err := q.bindJoin()
	if err != nil {
		return err
	}
	other, err := s.table(q.Join.Table)
	if err != nil {
		return err
	}
	b.columns = slices.Concat(b.columns, other.all)
	b.add(", ", other.partnerReads, " FROM ", st.name, " JOIN ", other.name, " AS ", partner, " ON ", partner, ".", other.id().name, " = ", st.columns[column].ref)
	return nil
}

func (b *sqlText) order(st *sqlTable, order []boundOrder) {
	if len(order) == 0 {
		return
	}
	b.add(" ORDER BY ").list(len(order), func(i int) {
		b.add(b.dialect.orders(&st.columns[order[i].column], order[i].desc))
	})
}

// maxLimit stands for no limit where an offset needs one.
const maxLimit = 1<<63 - 1

func (b *sqlText) page(limit, offset int) {
	if limit == 0 && offset == 0 {
		return
	}
	if limit == 0 {
		limit = maxLimit
	}
	b.add(" LIMIT ").argument(limit)
	if offset > 0 {
		b.add(" OFFSET ").argument(offset)
	}
}

// insert adds the statement that inserts a row, unless a unique value is taken.
func (st *sqlTable) insert(b *sqlText, values Row) error {
	columns := st.all
	if st.IDs == IDSerial && values.id() == "" {
		columns = columns[:len(columns)-1]
	}
	b.add("INSERT INTO ", st.name, " (").list(len(columns), func(i int) { b.add(columns[i].name) }).add(") VALUES (")
	var failed error
	b.list(len(columns), func(i int) {
		value, err := b.dialect.encode(columns[i], values[i])
		if err != nil && failed == nil {
			failed = err
		}
		b.value(columns[i], value)
	})
	b.add(")", b.dialect.unlessTaken(st))
	return failed
}

// assign adds what an update sets, in the order of the table, so that the same
// update has the same text.
func (b *sqlText) assign(st *sqlTable, set, add []boundValue) error {
	byColumn := func(a, b boundValue) int { return a.column - b.column }
	slices.SortFunc(set, byColumn)
	slices.SortFunc(add, byColumn)
	var failed error
	b.add(" SET ").list(len(set)+len(add), func(i int) {
		if i >= len(set) {
			c, n := &st.columns[add[i-len(set)].column], add[i-len(set)].value
			b.add(c.name, " = ", c.ref, " + ").value(c, n)
			return
		}
		c := &st.columns[set[i].column]
		value, err := b.dialect.encode(c, set[i].value)
		if err != nil && failed == nil {
			failed = err
		}
		b.add(c.name, " = ").value(c, value)
	})
	return failed
}
