package auth

import (
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"
)

// A jsonSchema is a JSON Schema (2020-12) as far as documents need it. The zero value
// accepts everything.
type jsonSchema struct {
	Ref                  string                     `json:"$ref,omitempty"`
	Type                 jsonTypes                  `json:"type,omitempty"`
	Format               string                     `json:"format,omitempty"`
	ContentEncoding      string                     `json:"contentEncoding,omitempty"`
	Description          string                     `json:"description,omitempty"`
	Const                any                        `json:"const,omitempty"`
	Enum                 []any                      `json:"enum,omitempty"`
	Minimum              *int                       `json:"minimum,omitempty"`
	MinLength            int                        `json:"minLength,omitempty"`
	Items                *jsonSchema                `json:"items,omitempty"`
	MinItems             int                        `json:"minItems,omitempty"`
	MaxItems             *int                       `json:"maxItems,omitempty"`
	Properties           orderedObject[*jsonSchema] `json:"properties,omitempty"`
	Required             []string                   `json:"required,omitempty"`
	AdditionalProperties any                        `json:"additionalProperties,omitempty"` // *jsonSchema or bool
	AllOf                []*jsonSchema              `json:"allOf,omitempty"`
	AnyOf                []*jsonSchema              `json:"anyOf,omitempty"`
	ReadOnly             bool                       `json:"readOnly,omitempty"`
}

// jsonTypes are one type or several.
type jsonTypes []string

// MarshalJSON writes a single type without brackets.
func (t jsonTypes) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return appendMarshal(nil, t[0])
	}
	return appendMarshal(nil, []string(t))
}

func schemaOf(name string) *jsonSchema { return &jsonSchema{Type: jsonTypes{name}} }

func schemaRef(component string) *jsonSchema {
	return &jsonSchema{Ref: "#/components/schemas/" + component}
}

func dateSchema() *jsonSchema { return &jsonSchema{Type: jsonTypes{"string"}, Format: "date-time"} }

// require adds a property that has to be there.
func (s *jsonSchema) require(name string, property *jsonSchema) *jsonSchema {
	s.Required = append(s.Required, name)
	return s.allow(name, property)
}

// allow adds a property.
func (s *jsonSchema) allow(name string, property *jsonSchema) *jsonSchema {
	s.Properties.set(name, property)
	return s
}

// nullable returns a schema that accepts null too.
func (s *jsonSchema) nullable() *jsonSchema {
	switch {
	case s.acceptsAll(), slices.Contains(s.Type, "null"):
		return s
	case len(s.AnyOf) > 0:
		return &jsonSchema{AnyOf: append(slices.Clone(s.AnyOf), schemaOf("null"))}
	case len(s.Type) == 0:
		return &jsonSchema{AnyOf: []*jsonSchema{s, schemaOf("null")}}
	}
	copied := *s
	copied.Type = append(slices.Clone(s.Type), "null")
	if len(s.Enum) > 0 {
		copied.Enum = append(slices.Clone(s.Enum), nil)
	}
	return &copied
}

func (s *jsonSchema) acceptsAll() bool { return reflect.DeepEqual(s, &jsonSchema{}) }

// schemas makes the schemas of Go types by reflection, as encoding/json writes them.
// Structs with a name become components, each under one name.
type schemas struct {
	overrides  map[reflect.Type]func(s *schemas) *jsonSchema // of types that write themselves
	components orderedObject[*jsonSchema]
	names      map[schemaKey]string // of components
	input      bool                 // what is made now is for requests, where null stands for nothing
}

// A schemaKey is a struct as a result, or as a part of a request if the two differ.
type schemaKey struct {
	of    reflect.Type
	input bool
}

// of returns the schema of a type. A pointer has that of what it points to.
func (s *schemas) of(t reflect.Type) *jsonSchema {
	if override := s.overrides[t]; override != nil {
		return override(s)
	}
	if t.Kind() == reflect.Pointer {
		return s.of(t.Elem())
	}
	switch t {
	case reflect.TypeFor[time.Time](), reflect.TypeFor[DateTime]():
		return dateSchema()
	case reflect.TypeFor[json.Number]():
		return schemaOf("number")
	}
	switch {
	case t.Implements(reflect.TypeFor[optional]()):
		value, _ := t.FieldByName("Value")
		return s.of(value.Type).nullable()
	case writes[json.Marshaler](t):
		return &jsonSchema{} // whatever it writes
	case writes[encoding.TextMarshaler](t):
		return schemaOf("string")
	}
	return s.ofKind(t)
}

// optional is implemented by Optional.
type optional interface{ isOptional() }

func writes[M any](t reflect.Type) bool {
	return t.Implements(reflect.TypeFor[M]()) || reflect.PointerTo(t).Implements(reflect.TypeFor[M]())
}

func (s *schemas) ofKind(t reflect.Type) *jsonSchema {
	switch t.Kind() {
	case reflect.String:
		return schemaOf("string")
	case reflect.Bool:
		return schemaOf("boolean")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return schemaOf("integer")
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return &jsonSchema{Type: jsonTypes{"integer"}, Minimum: new(0)}
	case reflect.Float32, reflect.Float64:
		return schemaOf("number")
	case reflect.Slice, reflect.Array:
		return s.ofList(t)
	case reflect.Map:
		return &jsonSchema{Type: jsonTypes{"object"}, AdditionalProperties: s.of(t.Elem())}
	case reflect.Struct:
		return s.ofStruct(t)
	}
	return &jsonSchema{}
}

func (s *schemas) ofList(t reflect.Type) *jsonSchema {
	if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 && !writes[json.Marshaler](t.Elem()) {
		return &jsonSchema{Type: jsonTypes{"string"}, ContentEncoding: "base64"}
	}
	list := &jsonSchema{Type: jsonTypes{"array"}, Items: s.of(t.Elem())}
	if t.Kind() == reflect.Array {
		list.MinItems, list.MaxItems = t.Len(), new(t.Len())
	}
	return list
}

// ofStruct returns a reference to the component of a struct, or the schema itself if
// the type has no name.
func (s *schemas) ofStruct(t reflect.Type) *jsonSchema {
	if t.Name() == "" || t.NumField() == 0 {
		return s.object(t)
	}
	key := schemaKey{t, s.input && s.hasNulls(t, make(map[reflect.Type]bool))}
	name, known := s.names[key]
	if !known {
		name = s.newName(key)
		s.names[key] = name
		component := new(jsonSchema)
		s.components.set(name, component) // known now to what it contains
		*component = *s.object(t)
	}
	return schemaRef(name)
}

// component returns a reference to a component, which is built if it is not there.
func (s *schemas) component(name string, build func() *jsonSchema) *jsonSchema {
	if _, known := s.components.get(name); !known {
		s.components.set(name, build())
	}
	return schemaRef(name)
}

// hasNulls reports whether null may be somewhere in a result of the type, where a
// request may have none.
func (s *schemas) hasNulls(t reflect.Type, seen map[reflect.Type]bool) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return s.hasNulls(t.Elem(), seen)
	case reflect.Struct:
	default:
		return false
	}
	if seen[t] || s.overrides[t] != nil {
		return false
	}
	seen[t] = true
	for sf := range t.Fields() {
		if mayBeNull(sf) || s.hasNulls(sf.Type, seen) {
			return true
		}
	}
	return false
}

// mayBeNull reports whether null stands for a field that is nil.
func mayBeNull(sf reflect.StructField) bool {
	switch sf.Type.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		tag := sf.Tag.Get("json")
		return sf.IsExported() && !sf.Anonymous && tag != "-" && !strings.Contains(tag, ",omit") && sf.Tag.Get("check") != checkNonnull
	}
	return false
}

// newName returns a name that no component has: that of the type, behind the one of
// its package if another type is called the same.
func (s *schemas) newName(key schemaKey) string {
	name := componentName(key.of.Name())
	if key.input {
		name += "Input"
	}
	if _, taken := s.components.get(name); !taken {
		return name
	}
	pkg := key.of.PkgPath()
	name = componentName(pkg[strings.LastIndex(pkg, "/")+1:]) + "." + name
	for {
		if _, taken := s.components.get(name); !taken {
			return name
		}
		name += "_"
	}
}

// componentName leaves what the name of a component may consist of (section 4.8.7). Of
// the arguments of a generic type it leaves the last part of each.
func componentName(typeName string) string {
	name, args, _ := strings.Cut(strings.TrimSuffix(typeName, "]"), "[")
	for arg := range strings.SplitSeq(args, ",") {
		arg = arg[strings.LastIndexAny(arg, "./")+1:]
		if arg != "" {
			name += "_" + arg
		}
	}
	return strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._-", r)) {
			return r
		}
		return '_'
	}, name)
}

// object returns the schema of a struct as encoding/json writes it.
func (s *schemas) object(t reflect.Type) *jsonSchema {
	object := schemaOf("object")
	s.addFields(object, t)
	return object
}

func (s *schemas) addFields(object *jsonSchema, t reflect.Type) {
	for sf := range t.Fields() {
		tag := sf.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		switch embedded := indirect(sf.Type); {
		case tag == "-":
		case sf.Anonymous && name == "" && embedded.Kind() == reflect.Struct:
			s.addFields(object, embedded)
		case !sf.IsExported():
		default:
			if name == "" {
				name = sf.Name
			}
			s.addField(object, name, options, sf)
		}
	}
}

func (s *schemas) addField(object *jsonSchema, name, options string, sf reflect.StructField) {
	required := !strings.Contains(options, "omit")
	property := s.of(sf.Type)
	if hasOption(options, "string") {
		property = schemaOf("string")
	}
	if mayBeNull(sf) && !s.input {
		property = property.nullable()
	}
	property = constrained(property, sf.Tag.Get("check"))
	if required {
		object.require(name, property)
	} else {
		object.allow(name, property)
	}
}

func indirect(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

func hasOption(options, name string) bool { return slices.Contains(strings.Split(options, ","), name) }

// constrained adds what the tag check asks of a text.
func constrained(schema *jsonSchema, check string) *jsonSchema {
	if check == "" || check == checkNonnull {
		return schema
	}
	copied := *schema
	switch options, isOneOf := strings.CutPrefix(check, checkOneOf); {
	case isOneOf:
		for option := range strings.SplitSeq(options, "|") {
			copied.Enum = append(copied.Enum, option)
		}
	case check == "email":
		copied.Format = "email"
	case check == "nonempty":
		copied.MinLength = 1
	}
	return &copied
}
