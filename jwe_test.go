package auth

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
)

// The vector of contract section 8.4: what the original made under vectorSecret.
const (
	vectorJWE        = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2Q0JDLUhTNTEyIiwia2lkIjoia0VZQTktNUxlaVprLXVPdjlNTEFhckVaUTZWaHNXMndJUFMwcWZHWTFlcyJ9..n2CPSF1wHUy-xWZdS45Iqw.EhKksafZkOZzfTMNX1md5thrVbUj-JrOWr8pAG8VSj3Advn2wMVJfuhQsnVxsAxetyL6Efozp0Jbb_luGdfRpfXFlqtBAoAaR7hMYBtCt3cGKW6g7goVSpYj0YaPr_-m58Ns3ETGEKJjWQyRK_hFTw.Hpfc-HBsy10hUEuOcSo1JONIJKZ4vMi321SVY85XCPw"
	vectorJWEPayload = `{"hello":"world","iat":1795423792,"exp":2110783792,"jti":"31fc6327-8b2e-46a5-8ad1-0e7cba7f7771"}`
)

func testEncrypter(t testing.TB, secrets ...string) *encrypter {
	t.Helper()
	e, err := newEncrypter(sessionSalt, secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEncrypterOpensTheOriginals(t *testing.T) {
	payload, ok := testEncrypter(t, vectorSecret).decrypt(vectorJWE)
	if !ok || string(payload) != vectorJWEPayload {
		t.Errorf("decrypt = %s, %v", payload, ok)
	}
}

// Padding depends on the length, so every remainder is tried.
func TestEncrypterRoundTrip(t *testing.T) {
	e := testEncrypter(t, vectorSecret)
	for n := range 40 {
		payload := bytes.Repeat([]byte("x"), n)
		token := e.encrypt(payload)
		if got, ok := e.decrypt(token); !ok || !bytes.Equal(got, payload) {
			t.Errorf("%d bytes: %q, %v", n, got, ok)
		}
		if header, _, _ := strings.Cut(token, "."); header != strings.Split(vectorJWE, ".")[0] {
			t.Errorf("header %s", header)
		}
	}
	if first, second := e.encrypt(nil), e.encrypt(nil); first == second {
		t.Error("the same initialization vector twice")
	}
}

func TestEncrypterRotated(t *testing.T) {
	rotated := testEncrypter(t, "another secret", vectorSecret)
	if _, ok := rotated.decrypt(vectorJWE); !ok {
		t.Error("a token of an older secret was refused")
	}
	if _, ok := testEncrypter(t, vectorSecret).decrypt(rotated.encrypt([]byte("{}"))); ok {
		t.Error("a new token was made under the older secret")
	}
}

func TestEncrypterRefuses(t *testing.T) {
	header := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	parts := strings.Split(vectorJWE, ".")
	with := func(i int, part string) string {
		changed := append([]string(nil), parts...)
		changed[i] = part
		return strings.Join(changed, ".")
	}
	for reason, token := range map[string]string{
		"nothing":                    "",
		"a JWS":                      vectorJWT,
		"four parts":                 strings.Join(parts[:4], "."),
		"six parts":                  vectorJWE + ".",
		"an encrypted key":           with(1, "AAAA"),
		"another header":             with(0, header(`{"alg":"dir","enc":"A256CBC-HS512"}`)), // the tag covers it
		"another algorithm":          with(0, header(`{"alg":"none","enc":"A256CBC-HS512"}`)),
		"another encryption":         with(0, header(`{"alg":"dir","enc":"A256GCM"}`)),
		"an unknown key":             with(0, header(`{"alg":"dir","enc":"A256CBC-HS512","kid":"x"}`)),
		"a kid that is no text":      with(0, header(`{"alg":"dir","enc":"A256CBC-HS512","kid":5}`)),
		"a critical extension":       with(0, header(`{"alg":"dir","enc":"A256CBC-HS512","crit":["x"]}`)),
		"compression":                with(0, header(`{"alg":"dir","enc":"A256CBC-HS512","zip":"DEF"}`)),
		"a header that is no object": with(0, header(`null`)),
		"a short vector":             with(2, "AAAA"),
		"another vector":             with(2, "AAAAAAAAAAAAAAAAAAAAAA"),
		"no text":                    with(3, ""),
		"a cut text":                 with(3, parts[3][:len(parts[3])-4]),
		"a changed text":             with(3, "A"+parts[3][1:]),
		"no tag":                     with(4, ""),
		"a shorter tag":              with(4, parts[4][:22]),
		"padding":                    vectorJWE + "=",
	} {
		if payload, ok := testEncrypter(t, vectorSecret).decrypt(token); ok {
			t.Errorf("%s: opened as %s", reason, payload)
		}
	}
	if _, ok := testEncrypter(t, "another secret").decrypt(vectorJWE); ok {
		t.Error("opened with another secret")
	}
}

// A token without a key id may be of any secret.
func TestEncrypterWithoutKeyID(t *testing.T) {
	e := testEncrypter(t, "another secret", vectorSecret)
	anonymous := testEncrypter(t, vectorSecret)
	anonymous.keys[0].header = base64.RawURLEncoding.EncodeToString([]byte(`{"enc":"A256CBC-HS512","alg":"dir"}`))
	if payload, ok := e.decrypt(anonymous.encrypt([]byte(`{"a":1}`))); !ok || string(payload) != `{"a":1}` {
		t.Errorf("decrypt = %s, %v", payload, ok)
	}
}

func FuzzEncrypterDecrypt(f *testing.F) {
	e := testEncrypter(f, vectorSecret)
	f.Add(vectorJWE)
	f.Add("e30....")
	f.Fuzz(func(t *testing.T, token string) {
		if payload, ok := e.decrypt(token); ok && token != vectorJWE {
			t.Fatalf("opened %q as %q", token, payload)
		}
	})
}
