package auth

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// A boundCondition is a Condition that fits its table: the column is a
// position, the value has the form in which rows hold it.
type boundCondition struct {
	column int
	op     string
	value  any   // nil for = and !=: IS (NOT) NULL
	list   []any // of in and not in, without duplicates
}

// bind checks conditions against the table and appends them to dst.
func (t *Table) bind(dst []boundCondition, where []Condition) ([]boundCondition, error) {
	for i := range where {
		bound, err := t.bindCondition(&where[i])
		if err != nil {
			return nil, err
		}
		dst = append(dst, bound)
	}
	return dst, nil
}

func (t *Table) bindCondition(c *Condition) (bound boundCondition, err error) {
	if bound.column, err = t.lookup(c.Column); err != nil {
		return bound, err
	}
	column := t.column(bound.column)
	value := dereference(c.Value)
	switch bound.op = c.Op; c.Op {
	case "":
		bound.op = "="
		fallthrough
	case "=", "!=":
		if value == nil {
			return bound, nil
		}
	case "in", "not in":
		bound.list, err = column.bindList(c.Value)
		return bound, err
	case "contains", "starts with", "ends with":
		if column.Type != TypeString {
			return bound, fmt.Errorf("auth: operator %q needs a string column, %q holds a %s", c.Op, c.Column, column.Type)
		}
	case "<", "<=", ">", ">=":
	default:
		return bound, fmt.Errorf("auth: unknown operator %q", c.Op)
	}
	bound.value, err = column.comparand(value)
	return bound, err
}

// comparand is the storable form of a value that a condition compares with.
func (c *Column) comparand(value any) (any, error) {
	if !c.Type.scalar() {
		return nil, fmt.Errorf("auth: column %q holds a %s and can only be compared with nil", c.Name, c.Type)
	}
	if value == nil {
		return nil, fmt.Errorf("auth: column %q cannot be compared with nil here", c.Name)
	}
	return c.convert(value)
}

func (c *Column) bindList(value any) ([]any, error) {
	v := reflect.ValueOf(value)
	if v.Kind() != reflect.Slice {
		return nil, fmt.Errorf("auth: column %q can be in a slice, not in this %T", c.Name, value)
	}
	list := make([]any, 0, v.Len())
	seen := make(map[any]bool, v.Len())
	for i := range v.Len() {
		element, err := c.comparand(dereference(v.Index(i).Interface()))
		if err != nil {
			return nil, err
		}
		if !seen[element] {
			seen[element] = true
			list = append(list, element)
		}
	}
	return list, nil
}

// matches reports whether a row meets the condition.
func (c *boundCondition) matches(row Row) bool {
	value := row[c.column]
	switch {
	case c.value == nil && c.op == "=":
		return value == nil
	case c.value == nil && c.op == "!=":
		return value != nil
	case value == nil:
		return false
	}
	switch c.op {
	case "=":
		return value == c.value
	case "!=":
		return value != c.value
	case "in":
		return slices.Contains(c.list, value)
	case "not in":
		return !slices.Contains(c.list, value)
	case "contains":
		return strings.Contains(value.(string), c.value.(string))
	case "starts with":
		return strings.HasPrefix(value.(string), c.value.(string))
	case "ends with":
		return strings.HasSuffix(value.(string), c.value.(string))
	}
	return c.ordered(compareStored(value, c.value))
}

// ordered is matches for the operators that ask for an order.
func (c *boundCondition) ordered(order int) bool {
	switch c.op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

// A boundOrder is an Order that fits its table.
type boundOrder struct {
	column int
	desc   bool
}

// bindOrder checks the order and the page of a query.
func (q *Query) bindOrder() ([]boundOrder, error) {
	if q.Limit < 0 || q.Offset < 0 {
		return nil, fmt.Errorf("auth: limit %d, offset %d: neither may be negative", q.Limit, q.Offset)
	}
	bound := make([]boundOrder, len(q.Order))
	for i, o := range q.Order {
		column, err := q.Table.lookup(o.Column)
		if err != nil {
			return nil, err
		}
		if !q.Table.column(column).Type.scalar() {
			return nil, fmt.Errorf("auth: column %q has no order", o.Column)
		}
		bound[i] = boundOrder{column, o.Desc}
	}
	return bound, nil
}

// bindJoin returns the position of the column that holds the partners' ids.
func (q *Query) bindJoin() (int, error) {
	column, err := q.Table.lookup(q.Join.Column)
	if err == nil && q.Table.column(column).Type != TypeString {
		err = fmt.Errorf("auth: column %q holds no ids to join by", q.Join.Column)
	}
	return column, err
}

// compareRows orders two rows as a query asks.
func compareRows(a, b Row, order []boundOrder) int {
	for _, o := range order {
		if c := compareStored(a[o.column], b[o.column]); c != 0 {
			if o.desc {
				return -c
			}
			return c
		}
	}
	return 0
}

// A boundValue is one column of an update with its new value.
type boundValue struct {
	column int
	value  any
}

// bindUpdate checks what an update sets.
func (t *Table) bindUpdate(set map[string]any) ([]boundValue, error) {
	values, err := t.bindSet(set)
	if err == nil && len(values) == 0 {
		err = fmt.Errorf("auth: an update of table %q sets nothing", t.Name)
	}
	return values, err
}

// bindIncrement checks what an increment sets and adds.
func (t *Table) bindIncrement(set map[string]any, add map[string]int64) (values, addends []boundValue, err error) {
	if values, err = t.bindSet(set); err == nil {
		addends, err = t.bindAdd(add, set)
	}
	return values, addends, err
}

// bindSet checks columns and their new values.
func (t *Table) bindSet(set map[string]any) ([]boundValue, error) {
	bound := make([]boundValue, 0, len(set))
	for name, v := range set {
		column, err := t.lookup(name)
		if err != nil {
			return nil, err
		}
		if column == len(t.Columns) {
			return nil, fmt.Errorf("auth: the id of a row of table %q cannot be changed", t.Name)
		}
		value, err := t.column(column).storable(v)
		if err != nil {
			return nil, err
		}
		bound = append(bound, boundValue{column, value})
	}
	return bound, nil
}

// bindAdd checks columns to add to; set says what else changes.
func (t *Table) bindAdd(add map[string]int64, set map[string]any) ([]boundValue, error) {
	bound := make([]boundValue, 0, len(add))
	for name, n := range add {
		column, err := t.lookup(name)
		if err != nil {
			return nil, err
		}
		if t.column(column).Type != TypeNumber {
			return nil, fmt.Errorf("auth: column %q holds no number to add to", name)
		}
		if _, both := set[name]; both {
			return nil, fmt.Errorf("auth: column %q cannot be set and added to at once", name)
		}
		bound = append(bound, boundValue{column, n})
	}
	return bound, nil
}
