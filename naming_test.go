package auth

import (
	"strings"
	"testing"
)

func TestSnakeCase(t *testing.T) {
	for name, want := range map[string]string{
		"user": "user", "emailVerified": "email_verified", "userId": "user_id", "rateLimit": "rate_limit",
		"accessTokenExpiresAt": "access_token_expires_at", "user_id": "user_id", "ID": "id", "userID": "user_id",
		"is2FA": "is2_fa", "straßeName": "straße_name", "": "",
	} {
		if got := snakeCase(name); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
}

func TestNamesInOrder(t *testing.T) {
	names := map[string]string{"user": "people", "user.email": "mail"}
	store := NewSQLStore(nil, SQLite, Rename(names), SnakeCase)
	delete(names, "user") // the store has its own copy
	for _, tt := range []struct{ table, column, want string }{
		{"user", "", "people"},
		{"user", "email", "mail"},
		{"user", "emailVerified", "email_verified"},
		{"account", "email", "email"}, // another table's
		{"rateLimit", "", "rate_limit"},
	} {
		if got := store.physical(tt.table, tt.column); got != tt.want {
			t.Errorf("%s.%s is called %q, want %q", tt.table, tt.column, got, tt.want)
		}
	}
}

// TestIndexName: the names were made by the original.
func TestIndexName(t *testing.T) {
	for _, tt := range []struct{ table, column, kind, want string }{
		{"session", "userId", "idx", "session_userId_idx"},
		{"user", "email", "uidx", "user_email_uidx"},
		{strings.Repeat("x", 30), strings.Repeat("y", 28), "idx", strings.Repeat("x", 30) + "_" + strings.Repeat("y", 28) + "_idx"},
		{strings.Repeat("x", 30), strings.Repeat("y", 29), "idx", strings.Repeat("x", 30) + "_" + strings.Repeat("y", 19) + "_9093a005_idx"},
		{strings.Repeat("a", 40), strings.Repeat("b", 40), "uidx", strings.Repeat("a", 40) + "_" + strings.Repeat("b", 8) + "_b22b1c6d_uidx"},
		{strings.Repeat("ä", 20), strings.Repeat("ö", 20), "idx", strings.Repeat("ä", 20) + "_" + strings.Repeat("ö", 4) + "_0aa2335a_idx"},
	} {
		if got := indexName(tt.table, tt.column, tt.kind); got != tt.want || len(got) > maxIdentifier {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func FuzzIndexName(f *testing.F) {
	f.Add("session", "userId")
	f.Add(strings.Repeat("ä", 40), "x")
	f.Fuzz(func(t *testing.T, table, column string) {
		if got := indexName(table, column, "idx"); len(got) > maxIdentifier || !strings.HasSuffix(got, "_idx") {
			t.Errorf("%q", got)
		}
	})
}
