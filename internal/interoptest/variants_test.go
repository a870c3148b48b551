package interoptest

import (
	"strings"
	"time"

	"github.com/seed3b05b409/auth"
)

// core is the plain configuration.
var core = &variant{name: "core"}

// field is an additional field in the words of both sides.
type field struct {
	column auth.Column
	option map[string]any
}

// userFields are of every type.
var userFields = []field{
	{auth.Column{Name: "nickname", Type: auth.TypeString, Optional: true}, map[string]any{"type": "string", "required": false}},
	{auth.Column{Name: "handle", Type: auth.TypeString, Optional: true, Unique: true}, map[string]any{"type": "string", "required": false, "unique": true}},
	{auth.Column{Name: "referrer", Type: auth.TypeString, Optional: true, Index: true}, map[string]any{"type": "string", "required": false, "index": true}},
	{auth.Column{Name: "note", Type: auth.TypeString, Optional: true, Hidden: true}, map[string]any{"type": "string", "required": false, "returned": false}},
	{auth.Column{Name: "plan", Type: auth.TypeString, Default: constant("free")}, map[string]any{"type": "string", "defaultValue": "free"}},
	{auth.Column{Name: "level", Type: auth.TypeNumber, Default: constant(1)}, map[string]any{"type": "number", "defaultValue": 1}},
	{auth.Column{Name: "distance", Type: auth.TypeNumber, Optional: true, BigInt: true}, map[string]any{"type": "number", "required": false, "bigint": true}},
	{auth.Column{Name: "newsletter", Type: auth.TypeBoolean, Default: constant(false)}, map[string]any{"type": "boolean", "defaultValue": false}},
	{auth.Column{Name: "birthday", Type: auth.TypeDate, Optional: true}, map[string]any{"type": "date", "required": false}},
	{auth.Column{Name: "settings", Type: auth.TypeJSON, Optional: true}, map[string]any{"type": "json", "required": false}},
	{auth.Column{Name: "tags", Type: auth.TypeStrings, Optional: true}, map[string]any{"type": "string[]", "required": false}},
	{auth.Column{Name: "scores", Type: auth.TypeNumbers, Optional: true}, map[string]any{"type": "number[]", "required": false}},
}

var sessionFields = []field{
	{auth.Column{Name: "device", Type: auth.TypeString, Optional: true}, map[string]any{"type": "string", "required": false}},
	{auth.Column{Name: "trusted", Type: auth.TypeBoolean, Optional: true}, map[string]any{"type": "boolean", "required": false}},
	{auth.Column{Name: "visits", Type: auth.TypeNumber, Default: constant(0)}, map[string]any{"type": "number", "defaultValue": 0}},
	{auth.Column{Name: "seen", Type: auth.TypeDate, Optional: true}, map[string]any{"type": "date", "required": false}},
	{auth.Column{Name: "place", Type: auth.TypeJSON, Optional: true}, map[string]any{"type": "json", "required": false}},
}

// userValues are what a client sends for the additional fields of a user.
var userValues = map[string]any{
	"nickname": "Countess", "referrer": "Charles", "note": "Enchantress of Number",
	"plan": "paid", "level": 7, "distance": int64(9007199254740991), "newsletter": true,
	"birthday": "1980-12-10T01:02:03.456Z",
	"settings": map[string]any{"a": 1.5, "b": []any{true, nil, "é<&>"}, "c": map[string]any{}},
	"tags":     []string{"mathematics", "é, \"x\""}, "scores": []float64{1, 2.5, -3},
}

var sessionValues = map[string]any{
	"device": "loom", "trusted": true, "visits": 3, "seen": "2026-01-02T03:04:05.006Z",
	"place": map[string]any{"a": "London", "b": nil},
}

// extended has additional fields of every type.
var extended = &variant{
	name: "additional fields",
	options: map[string]any{
		"user":    map[string]any{"additionalFields": options(userFields)},
		"session": map[string]any{"additionalFields": options(sessionFields)},
	},
	config: func(c *auth.Config) {
		c.User.Fields = columns(userFields)
		c.Session.Fields = columns(sessionFields)
	},
}

// withUserFields has additional fields of users only.
func withUserFields(name string, fields []field) *variant {
	return &variant{
		name:    name,
		options: map[string]any{"user": map[string]any{"additionalFields": options(fields)}},
		config:  func(c *auth.Config) { c.User.Fields = columns(fields) },
	}
}

// everyField has each type in each of the ways that a column can be made in.
var everyField = &variant{
	name: "every field",
	options: map[string]any{
		"user":    map[string]any{"additionalFields": options(everyKind())},
		"session": map[string]any{"additionalFields": options(everyKind())},
	},
	config: func(c *auth.Config) {
		c.User.Fields = columns(everyKind())
		c.Session.Fields = columns(everyKind())
	},
}

// everyKind returns fields of each type: with and without a value, unique,
// indexed, with a default.
func everyKind() (fields []field) {
	for _, kind := range []struct {
		column auth.ColumnType
		value  any
	}{
		{auth.TypeString, "it's \\ \"free\""}, {auth.TypeNumber, 7}, {auth.TypeBoolean, true}, {auth.TypeDate, "$now"},
		{auth.TypeJSON, nil}, {auth.TypeStrings, nil}, {auth.TypeNumbers, nil},
	} {
		add := func(suffix string, c auth.Column, option map[string]any) {
			c.Name, c.Type = strings.TrimSuffix(string(kind.column), "[]")+suffix, kind.column
			if kind.column == auth.TypeStrings || kind.column == auth.TypeNumbers {
				c.Name += "s"
			}
			option["type"] = string(kind.column)
			fields = append(fields, field{c, option})
		}
		add("Needed", auth.Column{}, map[string]any{})
		add("Optional", auth.Column{Optional: true}, map[string]any{"required": false})
		if kind.value == nil {
			continue // such columns can have no index
		}
		add("Unique", auth.Column{Unique: true}, map[string]any{"unique": true})
		add("UniqueOptional", auth.Column{Unique: true, Optional: true}, map[string]any{"unique": true, "required": false})
		add("Indexed", auth.Column{Index: true}, map[string]any{"index": true})
		add("UniqueIndexed", auth.Column{Unique: true, Index: true}, map[string]any{"unique": true, "index": true})
		add("Default", auth.Column{Default: constant(standard(kind.value))}, map[string]any{"defaultValue": kind.value})
		add("DefaultOptional", auth.Column{Default: constant(standard(kind.value)), Optional: true}, map[string]any{"defaultValue": kind.value, "required": false})
	}
	return append(fields,
		field{auth.Column{Name: "sorted", Type: auth.TypeString, Sortable: true}, map[string]any{"type": "string", "sortable": true}},
		field{auth.Column{Name: "big", Type: auth.TypeNumber, BigInt: true}, map[string]any{"type": "number", "bigint": true}},
		field{auth.Column{Name: "friend", Type: auth.TypeString, References: "user", Optional: true},
			map[string]any{"type": "string", "required": false, "references": map[string]any{"model": "user", "field": "id", "onDelete": "cascade"}}},
		field{auth.Column{Name: longName, Type: auth.TypeString, Index: true}, map[string]any{"type": "string", "index": true}},
	)
}

// The name of this column's index is longer than a database takes.
const longName = "aColumnWhoseNameIsNearlyAsLongAsADatabaseAllowsIt"

// standard is a default value in the words of this library.
func standard(value any) any {
	if value == "$now" {
		return time.Now()
	}
	return value
}

func columns(fields []field) (columns []auth.Column) {
	for _, f := range fields {
		columns = append(columns, f.column)
	}
	return columns
}

// options keeps the order of the fields: the original's tables have it.
func options(fields []field) ordered {
	var o ordered
	for _, f := range fields {
		o = append(o, member{f.column.Name, f.option})
	}
	return o
}

func constant(value any) func() any { return func() any { return value } }

// caching keeps copies of sessions in cookies and prolongs a session at every
// use.
var caching = &variant{
	name: "cookie cache",
	options: map[string]any{"session": map[string]any{
		"updateAge": 0, "cookieCache": map[string]any{"enabled": true},
	}},
	config: func(c *auth.Config) {
		c.Session.RefreshAlways = true
		c.Session.CookieCache.Enabled = true
	},
}

var uuids = &variant{
	name:    "uuid",
	options: map[string]any{"advanced": map[string]any{"database": map[string]any{"generateId": "uuid"}}},
	config:  func(c *auth.Config) { c.IDs = auth.IDUUID },
}

var serials = &variant{
	name:    "serial",
	options: map[string]any{"advanced": map[string]any{"database": map[string]any{"generateId": "serial"}}},
	config:  func(c *auth.Config) { c.IDs = auth.IDSerial },
}

// renamed has other names for some tables and columns.
var renamed = &variant{
	name: "renamed",
	options: map[string]any{
		"user":         map[string]any{"modelName": "users", "fields": map[string]any{"emailVerified": "email_verified", "name": "full name"}},
		"session":      map[string]any{"modelName": "logins", "fields": map[string]any{"token": "secret", "userId": "owner"}},
		"verification": map[string]any{"fields": map[string]any{"identifier": "purpose"}},
	},
	naming: []auth.Naming{auth.Rename(map[string]string{
		"user": "users", "user.emailVerified": "email_verified", "user.name": "full name",
		"session": "logins", "session.token": "secret", "session.userId": "owner",
		"verification.identifier": "purpose",
	})},
}

// snake has the names that are usual in SQL.
var snake = &variant{
	name: "snake case",
	options: map[string]any{
		"user": map[string]any{"fields": map[string]any{
			"emailVerified": "email_verified", "createdAt": "created_at", "updatedAt": "updated_at",
		}},
		"session": map[string]any{"fields": map[string]any{
			"expiresAt": "expires_at", "createdAt": "created_at", "updatedAt": "updated_at",
			"ipAddress": "ip_address", "userAgent": "user_agent", "userId": "user_id",
		}},
		"account": map[string]any{"fields": map[string]any{
			"accountId": "account_id", "providerId": "provider_id", "userId": "user_id",
			"accessToken": "access_token", "refreshToken": "refresh_token", "idToken": "id_token",
			"accessTokenExpiresAt": "access_token_expires_at", "refreshTokenExpiresAt": "refresh_token_expires_at",
			"createdAt": "created_at", "updatedAt": "updated_at",
		}},
		"verification": map[string]any{"fields": map[string]any{
			"expiresAt": "expires_at", "createdAt": "created_at", "updatedAt": "updated_at",
		}},
	},
	naming: []auth.Naming{auth.SnakeCase},
}

// counting counts requests in the database.
var counting = &variant{
	name: "rate limit",
	options: map[string]any{"rateLimit": map[string]any{
		"enabled": true, "storage": "database",
		"customRules": map[string]any{"/ok": map[string]any{"window": 3600, "max": 4}},
	}},
	config: func(c *auth.Config) {
		c.RateLimit = auth.RateLimit{StoreInDatabase: true, Rules: map[string]auth.RateRule{"/ok": {Window: time.Hour, Max: 4}}}
	},
}
