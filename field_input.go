package auth

import (
	"net/http"
	"slices"
)

// additional returns the columns that an application adds to a table. A value
// that a client may leave out is one that the table may lack.
func additional(columns []Column) []Column {
	columns = slices.Clone(columns)
	for i := range columns {
		columns[i].Nullable = columns[i].Nullable || columns[i].Optional
	}
	return columns
}

// parseFields takes the values of additional columns from what a client sent
// (contract section 15). Names that are no column are ignored. On creation
// missing values get their defaults.
func parseFields(columns []Column, sent map[string]any, creating bool) (map[string]any, error) {
	if len(columns) == 0 {
		return nil, nil
	}
	fields := make(map[string]any, len(columns))
	for i := range columns {
		if err := columns[i].parse(sent, creating, fields); err != nil {
			return nil, err
		}
	}
	return fields, nil
}

func (c *Column) parse(sent map[string]any, creating bool, fields map[string]any) error {
	value, present := sent[c.Name]
	switch {
	case present && c.ServerOnly:
		return c.refuse(value, creating, fields)
	case present:
		return c.take(value, creating, fields)
	case creating && c.Default != nil:
		fields[c.Name] = c.Default()
	case creating && !c.Optional:
		return NewError(http.StatusBadRequest, ErrMissingField, c.Name+" is required")
	}
	return nil
}

// refuse keeps a client from setting a column of the server. A value that
// JavaScript takes for false is ignored, one that would only be replaced by the
// default as well.
func (c *Column) refuse(value any, creating bool, fields map[string]any) error {
	if creating && c.Default != nil {
		fields[c.Name] = c.Default()
		return nil
	}
	if truthy(value) {
		return NewError(http.StatusBadRequest, ErrFieldNotAllowed, c.Name+" is not allowed to be set")
	}
	return nil
}

func (c *Column) take(value any, creating bool, fields map[string]any) error {
	if c.Validate != nil {
		if err := c.Validate(value); err != nil {
			return NewError(http.StatusBadRequest, ErrValidation, err.Error()).WithCause(err)
		}
	}
	if c.Transform != nil {
		value = c.Transform(value)
	}
	value, ok := c.accept(value, creating)
	if !ok {
		return NewError(http.StatusBadRequest, ErrValidation, "Invalid input: expected "+string(c.Type)+" for "+c.Name)
	}
	fields[c.Name] = value
	return nil
}

// accept brings a value that a client sent into the column's type. A null that a
// new row cannot have gives way to the default; without one the store refuses it.
func (c *Column) accept(value any, creating bool) (any, bool) {
	switch {
	case value != nil:
		return c.Type.parse(value)
	case creating && !c.Nullable && c.Default != nil:
		return c.Default(), true
	}
	return nil, creating || c.Nullable
}

// defaults are the values of additional columns that nobody gave.
func defaults(columns []Column) map[string]any {
	var fields map[string]any
	for i := range columns {
		if columns[i].Default == nil {
			continue
		}
		if fields == nil {
			fields = make(map[string]any, len(columns))
		}
		fields[columns[i].Name] = columns[i].Default()
	}
	return fields
}

// hiddenNames are the columns that clients never see.
func hiddenNames(columns []Column) []string {
	var names []string
	for i := range columns {
		if columns[i].Hidden {
			names = append(names, columns[i].Name)
		}
	}
	return names
}
