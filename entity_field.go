package auth

import (
	"fmt"
	"reflect"
	"strconv"
	"time"
)

// fieldTypes lists the types that the field of a column may have; pointers to
// those of the first four column types stand for nullable columns.
func fieldTypes(c ColumnType) []reflect.Type {
	switch c {
	case TypeString:
		return []reflect.Type{reflect.TypeFor[string]()}
	case TypeNumber:
		return []reflect.Type{reflect.TypeFor[int64](), reflect.TypeFor[int](), reflect.TypeFor[float64]()}
	case TypeBoolean:
		return []reflect.Type{reflect.TypeFor[bool]()}
	case TypeDate:
		return []reflect.Type{reflect.TypeFor[time.Time]()}
	case TypeStrings:
		return []reflect.Type{reflect.TypeFor[[]string]()}
	case TypeNumbers:
		return []reflect.Type{reflect.TypeFor[[]float64]()}
	}
	return []reflect.Type{reflect.TypeFor[map[string]any](), reflect.TypeFor[any]()}
}

// checkFieldType reports whether a struct field can hold the column's values.
func checkFieldType(t reflect.Type, c *Column) error {
	for _, fits := range fieldTypes(c.Type) {
		if t == fits && (!c.Nullable || !c.Type.scalar()) || c.Type.scalar() && t == reflect.PointerTo(fits) {
			return nil
		}
	}
	null := ""
	if c.Nullable {
		null = " or NULL"
	}
	return fmt.Errorf("a field of type %v cannot hold column %q, a %s%s", t, c.Name, c.Type, null)
}

// loadField returns what a field, given by its address, holds, as a value of a
// Row.
func loadField(field any) any {
	switch p := field.(type) {
	case *string:
		return *p
	case *bool:
		return *p
	case *int64:
		return *p
	case *time.Time:
		return *p
	}
	return dereference(field)
}

// appendField appends what a field, given by its address, holds, as JSON. The
// common types are not boxed on the way.
func appendField(dst []byte, field any) ([]byte, error) {
	switch p := field.(type) {
	case *string:
		return appendJSONString(dst, *p), nil
	case **string:
		if *p != nil {
			return appendJSONString(dst, **p), nil
		}
	case *bool:
		return strconv.AppendBool(dst, *p), nil
	case *time.Time:
		return appendJSONDate(dst, *p), nil
	case **time.Time:
		if *p != nil {
			return appendJSONDate(dst, **p), nil
		}
	}
	return appendJSON(dst, loadField(field))
}

// storeField sets a field, given by its address, and reports whether the value
// fits.
func storeField(field, value any) bool {
	switch p := field.(type) {
	case *string:
		return assign(p, value)
	case **string:
		return assignNullable(p, value)
	case *bool:
		return assign(p, value)
	case **bool:
		return assignNullable(p, value)
	case *time.Time:
		return assign(p, value)
	case **time.Time:
		return assignNullable(p, value)
	case *[]string:
		return value == nil || assign(p, value)
	case *[]float64:
		return value == nil || assign(p, value)
	case *map[string]any:
		return value == nil || assign(p, value)
	case *any:
		*p = value
		return true
	}
	return storeNumber(field, value)
}

func assign[V any](field *V, value any) bool {
	v, ok := value.(V)
	if ok {
		*field = v
	}
	return ok
}

func assignNullable[V any](field **V, value any) bool {
	if value == nil {
		return true
	}
	v, ok := value.(V)
	if ok {
		*field = &v
	}
	return ok
}

// storeNumber is storeField for numbers.
func storeNumber(field, value any) bool {
	n, whole := value.(int64)
	f, fraction := value.(float64)
	if whole {
		f = float64(n)
	}
	i := int(n)
	switch p := field.(type) {
	case *int64:
		return whole && assign(p, any(n))
	case **int64:
		return value == nil || whole && assignNullable(p, any(n))
	case *int:
		return whole && assign(p, any(i))
	case **int:
		return value == nil || whole && assignNullable(p, any(i))
	case *float64:
		return (whole || fraction) && assign(p, any(f))
	case **float64:
		return value == nil || (whole || fraction) && assignNullable(p, any(f))
	}
	return false
}
