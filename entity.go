package auth

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// planned is embedded in entities. It remembers the table that an entity came
// from, so that MarshalJSON knows the order and the secrecy of its columns.
type planned struct{ plan *entityPlan }

func (p *planned) setPlan(plan *entityPlan) { p.plan = plan }

type planner interface{ setPlan(*entityPlan) }

// An entityPlan says where the values of an entity are, found by reflection
// once for each struct and table. Its fields are in the order of JSON; if it
// was made for a table, this is the order of a Row.
type entityPlan struct {
	table  *Table // nil: made for the struct alone
	fields []entityField
	extra  int // position in the struct of the extra map, -1 if it has none
	extras int // fields whose place is that map
}

// An entityField is one column of an entity.
type entityField struct {
	name   string
	key    string // "name": as in JSON
	field  int    // position in the struct, -1: in the extra map
	hidden bool
	read   func(any) any // of a value in the extra map; nil: as it is stored
}

// newEntityPlan makes the plan of a struct type, for a table if that is not
// nil. A tag is the column's name, ",extra" for the map of the other columns;
// `db:"name,hidden"` hides a field from clients whatever the table says.
func newEntityPlan(t reflect.Type, table *Table) (*entityPlan, error) {
	plan := &entityPlan{table: table, extra: -1}
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("auth: %v is no struct and so no entity", t)
	}
	for i := range t.NumField() {
		if err := plan.addField(i, t.Field(i)); err != nil {
			return nil, fmt.Errorf("auth: %v.%s: %w", t, t.Field(i).Name, err)
		}
	}
	if !plan.idLast() {
		return nil, fmt.Errorf("auth: %v has no field for the id", t)
	}
	if table == nil {
		return plan, nil
	}
	if err := plan.fit(t, table); err != nil {
		return nil, fmt.Errorf("auth: %v: %w", t, err)
	}
	return plan, nil
}

// plainPlans are plans for structs alone, each made once.
var plainPlans sync.Map // of *entityPlan, by reflect.Type

// plainPlan returns the plan of a struct type whose table is not known.
func plainPlan(t reflect.Type) (*entityPlan, error) {
	if made, ok := plainPlans.Load(t); ok {
		return made.(*entityPlan), nil
	}
	plan, err := newEntityPlan(t, nil)
	if err == nil {
		plainPlans.Store(t, plan)
	}
	return plan, err
}

func (p *entityPlan) addField(i int, f reflect.StructField) error {
	tag, ok := f.Tag.Lookup("db")
	if !ok {
		return nil
	}
	name, option, _ := strings.Cut(tag, ",")
	switch {
	case !f.IsExported():
		return errors.New("an unexported field cannot hold a column")
	case option == "extra" && f.Type == reflect.TypeFor[map[string]any]():
		p.extra = i
	case name == "" || option != "" && option != "hidden":
		return fmt.Errorf("the tag %q is unknown", tag)
	case p.position(name) >= 0:
		return fmt.Errorf("column %q has two fields", name)
	default:
		p.fields = append(p.fields, newEntityField(name, i, option == "hidden"))
	}
	return nil
}

func newEntityField(name string, field int, hidden bool) entityField {
	return entityField{name: name, key: string(appendJSONString(nil, name)) + ":", field: field, hidden: hidden}
}

func (p *entityPlan) position(name string) int {
	return slices.IndexFunc(p.fields, func(f entityField) bool { return f.name == name })
}

// idLast moves the id behind the other fields and reports whether there is one.
func (p *entityPlan) idLast() bool {
	i := p.position(idColumn.Name)
	if i >= 0 {
		id := p.fields[i]
		p.fields = append(slices.Delete(p.fields, i, i+1), id)
	}
	return i >= 0
}

// fit puts the fields in the order of the table.
func (p *entityPlan) fit(t reflect.Type, table *Table) error {
	for _, f := range p.fields {
		if _, err := table.lookup(f.name); err != nil {
			return err
		}
	}
	fields := make([]entityField, table.width())
	for i := range fields {
		c := table.column(i)
		at := p.position(c.Name)
		if at < 0 {
			if p.extra < 0 {
				return fmt.Errorf("no field for column %q", c.Name)
			}
			fields[i] = newEntityField(c.Name, -1, c.Hidden)
			fields[i].read = c.TransformRead
			p.extras++
			continue
		}
		fields[i] = p.fields[at]
		fields[i].hidden = fields[i].hidden || c.Hidden
		if err := checkFieldType(t.Field(fields[i].field).Type, c); err != nil {
			return err
		}
	}
	p.fields = fields
	return nil
}

// extraMap returns the entity's extra map, nil if it has none.
func (p *entityPlan) extraMap(entity reflect.Value) map[string]any {
	if p.extra < 0 {
		return nil
	}
	return *entity.Field(p.extra).Addr().Interface().(*map[string]any)
}

// id returns the place of an entity's id.
func (p *entityPlan) id(entity any) *string {
	field := p.fields[len(p.fields)-1].field
	return reflect.ValueOf(entity).Elem().Field(field).Addr().Interface().(*string)
}

// complete gives an entity that is about to be stored what it lacks: the plan
// and defaults for the absent extra columns.
func (p *entityPlan) complete(entity any) {
	if e, ok := entity.(planner); ok {
		e.setPlan(p)
	}
	if p.extras == 0 {
		return
	}
	field := reflect.ValueOf(entity).Elem().Field(p.extra).Addr().Interface().(*map[string]any)
	full := make(map[string]any, p.extras)
	maps.Copy(full, *field)
	for i, f := range p.fields {
		if _, given := full[f.name]; f.field < 0 && !given {
			full[f.name] = nil
			if c := p.table.column(i); c.Default != nil {
				full[f.name] = c.Default()
			}
		}
	}
	*field = full
}

// makeRoom gives an entity the map of its extra columns, so that a hook can set one.
func (p *entityPlan) makeRoom(entity any) {
	if v := reflect.ValueOf(entity).Elem(); p.extras > 0 && v.Field(p.extra).IsNil() {
		v.Field(p.extra).Set(reflect.ValueOf(make(map[string]any)))
	}
}

// set gives one column of an entity a value in the form of a Row.
func (p *entityPlan) set(entity reflect.Value, column int, value any) error {
	f := &p.fields[column]
	if f.field >= 0 {
		field := entity.Field(f.field)
		field.SetZero()
		if !storeField(field.Addr().Interface(), value) {
			return fmt.Errorf("auth: column %q of table %q: a %T does not fit the field", f.name, p.table.Name, value)
		}
		return nil
	}
	extra := maps.Clone(p.extraMap(entity))
	if extra == nil {
		extra = make(map[string]any, 1)
	}
	extra[f.name] = value
	entity.Field(p.extra).Set(reflect.ValueOf(extra))
	return nil
}

// revealed returns a plan that writes hidden columns too: for what no client
// sees.
func (p *entityPlan) revealed() *entityPlan {
	all := *p
	all.fields = slices.Clone(p.fields)
	for i := range all.fields {
		all.fields[i].hidden = false
	}
	return &all
}

func (p *entityPlan) toRow(entity reflect.Value) Row {
	row, extra := make(Row, len(p.fields)), p.extraMap(entity)
	for i := range p.fields {
		if f := &p.fields[i]; f.field >= 0 {
			row[i] = loadField(entity.Field(f.field).Addr().Interface())
		} else {
			row[i] = extra[f.name]
		}
	}
	return row
}

func (p *entityPlan) fromRow(entity reflect.Value, row Row) error {
	if len(row) != len(p.fields) {
		return fmt.Errorf("auth: a row of table %q has %d values, not %d", p.table.Name, len(row), len(p.fields))
	}
	var extra map[string]any
	if p.extras > 0 {
		extra = make(map[string]any, p.extras)
		*entity.Field(p.extra).Addr().Interface().(*map[string]any) = extra
	}
	for i := range p.fields {
		f := &p.fields[i]
		if f.field < 0 {
			extra[f.name] = f.present(row[i])
		} else if !storeField(entity.Field(f.field).Addr().Interface(), row[i]) {
			return fmt.Errorf("auth: column %q of table %q: a %T does not fit the field", f.name, p.table.Name, row[i])
		}
	}
	return nil
}

// present gives a stored value the form in which it is read.
func (f *entityField) present(value any) any {
	if f.read == nil {
		return value
	}
	return f.read(value)
}

// presentAll is present for an entity that was just stored.
func (p *entityPlan) presentAll(entity any) {
	extra := p.extraMap(reflect.ValueOf(entity).Elem())
	for i := range p.fields {
		if f := &p.fields[i]; f.field < 0 && extra != nil {
			extra[f.name] = f.present(extra[f.name])
		}
	}
}

// marshal returns the JSON of an entity, a pointer to a struct: hidden columns
// are left out, id is the last key. An entity that was made by hand has no plan
// (p is nil); its fields come in the order of the struct. Keys of the extra map
// that no column accounts for follow in sorted order.
func (p *entityPlan) marshal(entity any) ([]byte, error) {
	return p.appendObject(make([]byte, 0, 512), entity)
}

// appendObject is marshal for a buffer that exists.
func (p *entityPlan) appendObject(dst []byte, entity any) (_ []byte, err error) {
	v := reflect.ValueOf(entity).Elem()
	if p == nil {
		if p, err = plainPlan(v.Type()); err != nil {
			return nil, err
		}
	}
	dst = append(dst, '{')
	extra, id := p.extraMap(v), len(p.fields)-1
	for i := range p.fields[:id] {
		if dst, err = p.fields[i].append(dst, v, extra); err != nil {
			return nil, err
		}
	}
	if len(extra) > 0 {
		if dst, err = p.appendUnknown(dst, extra); err != nil {
			return nil, err
		}
	}
	if dst, err = p.fields[id].append(dst, v, nil); err != nil {
		return nil, err
	}
	return append(dst, '}'), nil
}

// append appends the column's key and value, unless it is hidden or absent.
func (f *entityField) append(dst []byte, entity reflect.Value, extra map[string]any) ([]byte, error) {
	if f.hidden {
		return dst, nil
	}
	if f.field >= 0 {
		return appendField(appendJSONKey(dst, f.key), entity.Field(f.field).Addr().Interface())
	}
	value, present := extra[f.name]
	if !present {
		return dst, nil
	}
	return appendJSON(appendJSONKey(dst, f.key), value)
}

// appendUnknown appends the keys of the extra map that are no columns.
func (p *entityPlan) appendUnknown(dst []byte, extra map[string]any) (_ []byte, err error) {
	unknown := len(extra)
	for _, f := range p.fields {
		if _, present := extra[f.name]; present {
			unknown--
		}
	}
	if unknown == 0 {
		return dst, nil
	}
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		if p.position(name) >= 0 {
			continue
		}
		dst = appendJSONKey(dst, string(appendJSONString(nil, name))+":")
		if dst, err = appendJSON(dst, extra[name]); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// appendJSONKey appends a quoted key with its colon inside of an object.
func appendJSONKey(dst []byte, key string) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	return append(dst, key...)
}
