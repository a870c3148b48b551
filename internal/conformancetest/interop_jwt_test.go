package conformancetest

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/seed3b05b409/auth"
)

// Both sides read the keys that the other has made, sign with them, publish them
// alike and verify what the other has signed.
func TestJWTKeysAreShared(t *testing.T) {
	for _, name := range []string{"jwt", "jwt-es256", "jwt-es512", "jwt-rs256", "jwt-ps256", "jwt-plain", "jwt-secrets", "jwt-uuid", "jwt-serial"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := variantNamed(t, name)
			for _, oursFirst := range []bool{false, true} {
				maker, other := site(serveOriginal(t, v, nil)), site(serveOurs(t, v, nil, nil))
				if oursFirst {
					maker, other = other, maker
				}
				first := signAt(t, maker)
				copyKeys(t, maker, other)
				second := signAt(t, other)
				if a, b := keysAt(t, maker), keysAt(t, other); !reflect.DeepEqual(a, b) {
					t.Errorf("ours first %v: keys\n%s\n%s", oursFirst, a, b)
				}
				for _, token := range []string{first, second} {
					for _, s := range []site{maker, other} {
						if payload := verifiedAt(t, s, token); payload["sub"] != "somebody" {
							t.Errorf("ours first %v: %T says %v about %s", oursFirst, s, payload, token)
						}
					}
				}
				a, err := auth.ParseJWSHeader(first)
				b, otherErr := auth.ParseJWSHeader(second)
				if err != nil || otherErr != nil || a != b {
					t.Errorf("ours first %v: headers %+v and %+v: another key was made", oursFirst, a, b)
				}
			}
		})
	}
}

func signAt(t *testing.T, s site) string {
	t.Helper()
	var signed struct{ Token string }
	valueAt(t, s, "signJWT", object{"payload": object{"sub": "somebody"}}, &signed)
	return signed.Token
}

func keysAt(t *testing.T, s site) (keys any) {
	t.Helper()
	valueAt(t, s, "getJwks", nil, &keys)
	return keys
}

func verifiedAt(t *testing.T, s site, token string) object {
	t.Helper()
	var out struct{ Payload object }
	valueAt(t, s, "verifyJWT", object{"token": token}, &out)
	return out.Payload
}

// valueAt calls an endpoint and decodes what it returns.
func valueAt(t *testing.T, s site, endpoint string, body object, into any) {
	t.Helper()
	var input callInput
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		input.Body = text
	}
	out := s.call(t, endpoint, input)
	if out.Failure != "" || out.Thrown != nil {
		t.Fatalf("%T: %s: %s %+v", s, endpoint, out.Failure, out.Thrown)
	}
	if err := json.Unmarshal(out.Value, into); err != nil {
		t.Fatal(err)
	}
}

// copyKeys writes the rows of one database into another.
func copyKeys(t *testing.T, from, to site) {
	t.Helper()
	rows, err := from.database().QueryContext(t.Context(), `SELECT id, publicKey, privateKey, createdAt, expiresAt, alg, crv FROM jwks`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		n++
		values := make([]any, 7)
		targets := make([]any, 7)
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		if _, err := to.database().ExecContext(t.Context(), `INSERT INTO jwks (id, publicKey, privateKey, createdAt, expiresAt, alg, crv) VALUES (?, ?, ?, ?, ?, ?, ?)`, values...); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil || n != 1 {
		t.Fatal(n, err)
	}
}
