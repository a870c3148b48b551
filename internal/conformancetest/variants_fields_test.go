package conformancetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/seed3b05b409/auth"
)

// A field is an additional column in the words of both sides.
type field struct {
	column auth.Column
	option object
}

// plainFields are of every type, and a client may leave them all out.
var plainFields = []field{
	{auth.Column{Name: "nickname", Type: auth.TypeString, Optional: true}, object{"type": "string", "required": false}},
	{auth.Column{Name: "level", Type: auth.TypeNumber, Optional: true}, object{"type": "number", "required": false}},
	{auth.Column{Name: "distance", Type: auth.TypeNumber, Optional: true, BigInt: true}, object{"type": "number", "required": false, "bigint": true}},
	{auth.Column{Name: "newsletter", Type: auth.TypeBoolean, Optional: true}, object{"type": "boolean", "required": false}},
	{auth.Column{Name: "birthday", Type: auth.TypeDate, Optional: true}, object{"type": "date", "required": false}},
	{auth.Column{Name: "settings", Type: auth.TypeJSON, Optional: true}, object{"type": "json", "required": false}},
	{auth.Column{Name: "tags", Type: auth.TypeStrings, Optional: true}, object{"type": "string[]", "required": false}},
	{auth.Column{Name: "scores", Type: auth.TypeNumbers, Optional: true}, object{"type": "number[]", "required": false}},
}

// guardedFields differ in what clients may do with them.
var guardedFields = []field{
	{auth.Column{Name: "handle", Type: auth.TypeString, Optional: true, Unique: true}, object{"type": "string", "required": false, "unique": true}},
	{auth.Column{Name: "note", Type: auth.TypeString, Optional: true, Hidden: true}, object{"type": "string", "required": false, "returned": false}},
	{auth.Column{Name: "badge", Type: auth.TypeString, Optional: true, ServerOnly: true}, object{"type": "string", "required": false, "input": false}},
	{auth.Column{Name: "role", Type: auth.TypeString, ServerOnly: true, Default: constant("user")}, object{"type": "string", "input": false, "required": true, "defaultValue": "user"}},
	{auth.Column{Name: "score", Type: auth.TypeNumber, ServerOnly: true, Hidden: true, Default: constant(5)}, object{"type": "number", "input": false, "returned": false, "required": true, "defaultValue": 5}},
	{auth.Column{Name: "plan", Type: auth.TypeString, Default: constant("free")}, object{"type": "string", "required": true, "defaultValue": "free"}},
	{auth.Column{Name: "visits", Type: auth.TypeNumber, Default: constant(0)}, object{"type": "number", "required": true, "defaultValue": 0}},
	{auth.Column{Name: "beta", Type: auth.TypeBoolean, Default: constant(false)}, object{"type": "boolean", "required": true, "defaultValue": false}},
	{auth.Column{Name: "motto", Type: auth.TypeString, Optional: true, Default: func() any { return "made" }}, object{"type": "string", "required": false, "defaultValue": "$made"}},
	{auth.Column{Name: "since", Type: auth.TypeDate, Default: func() any { return time.Now() }}, object{"type": "date", "required": true, "defaultValue": "$now"}},
}

// requiredFields have to be sent.
var requiredFields = []field{
	{auth.Column{Name: "company", Type: auth.TypeString}, object{"type": "string", "required": true}},
	{auth.Column{Name: "age", Type: auth.TypeNumber}, object{"type": "number", "required": true}},
	{auth.Column{Name: "agreed", Type: auth.TypeBoolean}, object{"type": "boolean", "required": true}},
	{auth.Column{Name: "secret", Type: auth.TypeString, Hidden: true}, object{"type": "string", "required": true, "returned": false}},
}

// watchedFields have functions around them.
var watchedFields = []field{
	{auth.Column{Name: "shout", Type: auth.TypeString, Optional: true, Transform: upper}, object{"type": "string", "required": false, "transform": object{"input": "$upper"}}},
	{auth.Column{Name: "code", Type: auth.TypeString, Optional: true, Validate: lower}, object{"type": "string", "required": false, "validator": object{"input": "$lower"}}},
	{auth.Column{Name: "changed", Type: auth.TypeString, Optional: true, OnUpdate: func() any { return "updated" }}, object{"type": "string", "required": false, "onUpdate": "$updated"}},
	{auth.Column{Name: "polite", Type: auth.TypeString, Optional: true, TransformRead: polite}, object{"type": "string", "required": false, "transform": object{"output": "$polite"}}},
	{auth.Column{Name: "label", Type: auth.TypeString, Optional: true, Transform: upper, Validate: lower}, object{"type": "string", "required": false, "transform": object{"input": "$upper"}, "validator": object{"input": "$lower"}}},
	{auth.Column{Name: "color", Type: auth.TypeString, Optional: true}, object{"type": []string{"red", "green"}, "required": false}},
	{auth.Column{Name: "mood", Type: auth.TypeString, Optional: true, Hidden: true, Default: constant("calm"), OnUpdate: func() any { return "stirred" }},
		object{"type": "string", "required": false, "returned": false, "defaultValue": "calm", "onUpdate": "$stirred"}},
}

// stampedFields are set by the server, with a function.
var stampedFields = []field{
	{auth.Column{Name: "stamp", Type: auth.TypeString, Optional: true, ServerOnly: true, Default: constant("made")},
		object{"type": "string", "required": false, "input": false, "defaultValue": "$made"}},
}

// referringFields name other rows. Those of sessions have none: in the original a
// second reference to the user takes sessions and users apart.
var referringFields = []field{
	{auth.Column{Name: "friend", Type: auth.TypeString, Optional: true, References: "user"},
		object{"type": "string", "required": false, "references": object{"model": "user", "field": "id", "onDelete": "cascade"}}},
}

// upper is a transformation that can be applied twice.
func upper(value any) any {
	if text, ok := value.(string); ok {
		return strings.ToUpper(text)
	}
	return value
}

func polite(value any) any {
	if text, ok := value.(string); ok {
		return "dear " + text
	}
	return value
}

func lower(value any) error {
	if text, ok := value.(string); !ok || strings.ToLower(text) != text {
		return errors.New("small letters only")
	}
	return nil
}

func constant(value any) func() any { return func() any { return value } }

// fieldVariants are about additional columns of users and sessions.
var fieldVariants = []*variant{
	fields("fields", plainFields, plainFields),
	fields("fields-guarded", guardedFields, guardedFields),
	fields("fields-required", requiredFields, nil),
	fields("fields-watched", joined(watchedFields, stampedFields, referringFields), joined(watchedFields, stampedFields)),
	fields("fields-watched-cache", watchedFields, watchedFields).with(cookieCache("", auth.CacheJWT)),
	fields("fields-watched-secondary", watchedFields, watchedFields).with(secondary("", object{}, func(*auth.Config) {})),
	fields("fields-cache", joined(plainFields, guardedFields), joined(plainFields, guardedFields)).with(cookieCache("", auth.CacheCompact)),
	fields("fields-secondary", joined(plainFields, guardedFields), joined(plainFields, withoutHiddenDefaults(guardedFields))).with(secondary("", object{}, func(*auth.Config) {})),
	fields("fields-hidden-users", joined(plainFields, guardedFields), nil).with(&variant{
		options: object{"emailAndPassword": object{"requireEmailVerification": true}},
		config:  func(c *auth.Config, _ *ours) { c.EmailPassword.RequireEmailVerification = true },
	}),
	fields("fields-required-hidden-users", joined(requiredFields, watchedFields), nil).with(&variant{
		options: object{"emailAndPassword": object{"autoSignIn": false}},
		config:  func(c *auth.Config, _ *ours) { c.EmailPassword.NoAutoSignIn = true },
	}),
	fields("fields-renamed", []field{
		{auth.Column{Name: "nickname", Type: auth.TypeString, Optional: true, Unique: true}, object{"type": "string", "required": false, "unique": true, "fieldName": "nick_name"}},
		{auth.Column{Name: "tags", Type: auth.TypeStrings, Optional: true}, object{"type": "string[]", "required": false, "fieldName": "all tags"}},
	}, []field{
		{auth.Column{Name: "device", Type: auth.TypeString, Optional: true}, object{"type": "string", "required": false, "fieldName": "device_name"}},
	}).with(&variant{naming: []auth.Naming{auth.Rename(map[string]string{
		"user.nickname": "nick_name", "user.tags": "all tags", "session.device": "device_name",
	})}}),
}

// fields has additional columns of users and of sessions.
func fields(name string, users, sessions []field) *variant {
	return &variant{
		name: name,
		options: object{
			"user":    object{"additionalFields": fieldOptions(users)},
			"session": object{"additionalFields": fieldOptions(sessions)},
		},
		config: func(c *auth.Config, _ *ours) {
			c.User.Fields, c.Session.Fields = columns(users), columns(sessions)
		},
	}
}

// with adds the configuration of another variant.
func (v *variant) with(other *variant) *variant {
	config := v.config
	return &variant{
		name: v.name, options: together(v.options, other.options), naming: other.naming,
		config: func(c *auth.Config, o *ours) {
			config(c, o)
			if other.config != nil {
				other.config(c, o)
			}
		},
	}
}

func joined(lists ...[]field) (all []field) {
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}

// withoutHiddenDefaults is without the fields that the original loses whenever it
// changes a session in the secondary storage.
func withoutHiddenDefaults(fields []field) []field {
	return slices.DeleteFunc(slices.Clone(fields), func(f field) bool { return f.column.Hidden && f.column.Default != nil })
}

func columns(fields []field) (columns []auth.Column) {
	for _, f := range fields {
		columns = append(columns, f.column)
	}
	return columns
}

// fieldOptions keep the order of the fields: the original's tables have it.
type fieldOptions []field

func (o fieldOptions) MarshalJSON() ([]byte, error) {
	text := bytes.NewBufferString("{")
	for i, f := range o {
		option, err := json.Marshal(object{f.column.Name: f.option})
		if err != nil {
			return nil, err
		}
		if i > 0 {
			text.WriteByte(',')
		}
		text.Write(option[1 : len(option)-1])
	}
	text.WriteByte('}')
	return text.Bytes(), nil
}
