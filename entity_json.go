package auth

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"
)

// unmarshalEntity reads the JSON of an entity, a pointer to a struct with db
// tags. Members without a field go to its extra map, as encoding/json decodes
// them.
func unmarshalEntity(data []byte, entity any) error {
	v := reflect.ValueOf(entity).Elem()
	plan, err := plainPlan(v.Type())
	if err != nil {
		return err
	}
	return plan.unmarshal(data, v)
}

func (p *entityPlan) unmarshal(data []byte, entity reflect.Value) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	for i := range p.fields {
		f := &p.fields[i]
		value, ok := members[f.name]
		if !ok || f.field < 0 {
			continue
		}
		delete(members, f.name)
		if err := unmarshalField(value, entity.Field(f.field).Addr().Interface()); err != nil {
			return err
		}
	}
	return p.unmarshalExtra(entity, members)
}

// unmarshalField reads a field, given by its address. Dates may be all that a row may
// have, and are what a row holds then.
func unmarshalField(data []byte, field any) error {
	switch p := field.(type) {
	case *time.Time:
		return unmarshalDate(data, p)
	case **time.Time:
		if *p = nil; string(data) == "null" {
			return nil
		}
		*p = new(time.Time)
		return unmarshalDate(data, *p)
	}
	return json.Unmarshal(data, field)
}

func unmarshalDate(data []byte, date *time.Time) error {
	if string(data) == "null" {
		return nil // as encoding/json has it
	}
	if date.UnmarshalJSON(data) == nil { // nearly always
		*date = storedDate(*date)
		return nil
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	value, ok := parseDate(text)
	if !ok {
		return fmt.Errorf("auth: %.100q is no date", text)
	}
	*date = value.(time.Time)
	return nil
}

func (p *entityPlan) unmarshalExtra(entity reflect.Value, members map[string]json.RawMessage) error {
	if p.extra < 0 || len(members) == 0 {
		return nil
	}
	extra := make(map[string]any, len(members))
	for name, raw := range members {
		var value any
		if err := json.Unmarshal(raw, &value); err != nil {
			return err
		}
		extra[name] = value
	}
	entity.Field(p.extra).Set(reflect.ValueOf(extra))
	return nil
}

// parseExtra brings the extra columns into their types.
func (p *entityPlan) parseExtra(entity reflect.Value) error {
	extra := p.extraMap(entity)
	for i := range p.fields {
		f := &p.fields[i]
		value, ok := extra[f.name]
		if f.field >= 0 || !ok || value == nil {
			continue
		}
		if extra[f.name], ok = p.table.column(i).Type.parse(value); !ok {
			return fmt.Errorf("auth: column %q of table %q cannot hold %v", f.name, p.table.Name, value)
		}
	}
	return nil
}
