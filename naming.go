package auth

import (
	"maps"
	"strings"
	"unicode"
)

// A Naming says what a table or a column is called in a SQL database. The
// arguments are the logical names, those of [Table] and [Column]; column is
// empty when the name of the table itself is asked for. An empty answer leaves
// the question to the next Naming, in the end to the logical name.
type Naming func(table, column string) string

// Rename names some tables and columns:
//
//	auth.Rename(map[string]string{
//		"user":               "users",
//		"user.emailVerified": "email_verified",
//	})
//
// The keys use the logical names, also where the table is renamed.
func Rename(names map[string]string) Naming {
	names = maps.Clone(names)
	return func(table, column string) string {
		if column == "" {
			return names[table]
		}
		return names[table+"."+column]
	}
}

// SnakeCase writes the names of tables and columns in snake_case: emailVerified
// becomes email_verified.
func SnakeCase(table, column string) string {
	if column == "" {
		return snakeCase(table)
	}
	return snakeCase(column)
}

func snakeCase(name string) string {
	var snake strings.Builder
	afterLower := false
	for _, r := range name {
		if unicode.IsUpper(r) && afterLower {
			snake.WriteByte('_')
		}
		snake.WriteRune(unicode.ToLower(r))
		afterLower = !unicode.IsUpper(r) && r != '_'
	}
	return snake.String()
}
