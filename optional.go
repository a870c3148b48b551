package auth

import "encoding/json"

// Optional is a member of a request that may be absent, null or a value. Its
// zero value is absent; tag it omitzero.
type Optional[T any] struct {
	Value T
	Set   bool // the member is there, with Value or as null
	Null  bool // it is null
}

// Some is an Optional with a value.
func Some[T any](value T) Optional[T] { return Optional[T]{Value: value, Set: true} }

// Null is an Optional that is there without a value: it clears what is stored.
func Null[T any]() Optional[T] { return Optional[T]{Set: true, Null: true} }

func (Optional[T]) isOptional() {}

// IsZero reports whether the member is absent, which omitzero asks.
func (o Optional[T]) IsZero() bool { return !o.Set }

// MarshalJSON writes the value, or null.
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	if !o.Set || o.Null {
		return []byte("null"), nil
	}
	return json.Marshal(o.Value)
}

// UnmarshalJSON reads a value or null.
func (o *Optional[T]) UnmarshalJSON(data []byte) error {
	o.Set, o.Null = true, string(data) == "null"
	if o.Null {
		return nil
	}
	return json.Unmarshal(data, &o.Value)
}
