package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"strings"
	"testing"
)

// makeJWK returns the JSON Web Key of a public key, with more members that
// replace or, if nil, remove others.
func makeJWK(t testing.TB, key crypto.PublicKey, more map[string]any) string {
	t.Helper()
	members := map[string]any{}
	switch key := key.(type) {
	case *rsa.PublicKey:
		e := big.NewInt(int64(key.E))
		members["kty"], members["n"], members["e"] = "RSA", encodeURL(string(key.N.Bytes())), encodeURL(string(e.Bytes()))
	case *ecdsa.PublicKey:
		point, err := key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		half := len(point) / 2
		members["kty"], members["crv"] = "EC", key.Params().Name
		members["x"], members["y"] = encodeURL(string(point[1:1+half])), encodeURL(string(point[1+half:]))
	case ed25519.PublicKey:
		members["kty"], members["crv"], members["x"] = "OKP", "Ed25519", encodeURL(string(key))
	default:
		t.Fatalf("no JWK for %T", key)
	}
	maps.Copy(members, more)
	maps.DeleteFunc(members, func(_ string, value any) bool { return value == nil })
	text, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func makeKeySet(keys ...string) []byte { return []byte(`{"keys":[` + strings.Join(keys, ",") + `]}`) }

func TestParseKeySet(t *testing.T) {
	var texts []string
	for _, alg := range asymmetricAlgs {
		texts = append(texts, makeJWK(t, testKeys()[alg].Public(), map[string]any{"kid": "k-" + alg, "alg": alg, "use": "sig"}))
	}
	keys, err := parseKeySet(makeKeySet(texts...))
	if err != nil || len(keys) != len(asymmetricAlgs) {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	for i, alg := range asymmetricAlgs {
		k := keys[i]
		public := testKeys()[alg].Public().(interface{ Equal(crypto.PublicKey) bool })
		if k.ID != "k-"+alg || k.Algorithm != alg || k.Use != "sig" || !public.Equal(k.Key) {
			t.Errorf("%s: %+v", alg, k)
		}
		if _, err := VerifyJWS(makeJWS(t, alg, `{"alg":"`+alg+`"}`, ""), keys, nil); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
}

// One key that is of no use does not spoil the others.
func TestParseKeySetLeavesOut(t *testing.T) {
	rsaKey, ecKey, edKey := testKeys()["RS256"].Public(), testKeys()["ES256"].Public(), testKeys()["EdDSA"].Public()
	good := makeJWK(t, ecKey, nil)
	with := func(key crypto.PublicKey, name string, value any) string {
		return makeJWK(t, key, map[string]any{name: value})
	}
	modulus := func(bits uint, low int64) string {
		n := new(big.Int).Lsh(big.NewInt(1), bits-1)
		return with(rsaKey, "n", encodeURL(string(n.Add(n, big.NewInt(low)).Bytes())))
	}
	exponent := func(bytes ...byte) string { return with(rsaKey, "e", encodeURL(string(bytes))) }
	var ec struct{ X, Y string }
	if err := json.Unmarshal([]byte(good), &ec); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		reason, key string
		kept        bool
	}{
		{"an EC key", good, true},
		{"an RSA key", makeJWK(t, rsaKey, nil), true},
		{"an Ed25519 key", makeJWK(t, edKey, nil), true},
		{"other members", with(ecKey, "x5t", []any{1, nil}), true},
		{"for signatures", with(ecKey, "use", "sig"), true},
		{"for encryption", with(ecKey, "use", "enc"), false},
		{"for something that is no string", with(ecKey, "use", []string{"sig"}), false},
		{"use null", `{"use":null,` + good[1:], false},
		{"it verifies", with(ecKey, "key_ops", []string{"sign", "verify"}), true},
		{"it does not verify", with(ecKey, "key_ops", []string{"encrypt"}), false},
		{"it does nothing", with(ecKey, "key_ops", []string{}), false},
		{"key_ops is a string", with(ecKey, "key_ops", "verify"), false},
		{"kid is a number", with(ecKey, "kid", 1), false},
		{"alg is a list", with(ecKey, "alg", []string{"ES256"}), false},
		{"symmetric", `{"kty":"oct","k":"c2VjcmV0"}`, false},
		{"a private key, which is not private any more", with(ecKey, "d", ec.X), false},
		{"kty of the future", with(ecKey, "kty", "AKP"), false},
		{"no kty", with(ecKey, "kty", nil), false},
		{"kty is case-sensitive", with(ecKey, "kty", "ec"), false},
		{"member names are case-sensitive", strings.Replace(good, `"kty"`, `"KTY"`, 1), false},
		{"no object", `"key"`, false},
		{"null", `null`, false},

		{"2048 bits", modulus(2048, 1), true},
		{"2047 bits", modulus(2047, 1), false},
		{"1024 bits", modulus(1024, 1), false},
		{"16384 bits", modulus(16384, 1), true},
		{"16385 bits", modulus(16385, 1), false},
		{"an even modulus", modulus(2048, 2), false},
		{"leading zeros of the modulus", with(rsaKey, "n", encodeURL("\x00"+string(rsaKey.(*rsa.PublicKey).N.Bytes()))), true},
		{"no modulus", with(rsaKey, "n", nil), false},
		{"modulus with padding", with(rsaKey, "n", "AQ=="), false},
		{"exponent 3", exponent(3), true},
		{"exponent 2^31-1", exponent(0x7f, 0xff, 0xff, 0xff), true},
		{"exponent 2^31+1", exponent(0x80, 0, 0, 1), false},
		{"exponent 2^64+3, which is 3 in 64 bits", exponent(1, 0, 0, 0, 0, 0, 0, 0, 3), false},
		{"exponent 1, under which every text signs itself", exponent(1), false},
		{"exponent 0", exponent(0), false},
		{"exponent even", exponent(1, 0, 0), false},
		{"no exponent", with(rsaKey, "e", nil), false},
		{"exponent is a number", with(rsaKey, "e", 65537), false},

		{"a curve of another family", with(ecKey, "crv", "Ed25519"), false},
		{"secp256k1", with(ecKey, "crv", "secp256k1"), false},
		{"no curve", with(ecKey, "crv", nil), false},
		{"the point is of another curve", with(ecKey, "crv", "P-384"), false},
		{"the point is on no curve", with(ecKey, "y", ec.X), false},
		{"infinity", makeJWK(t, ecKey, map[string]any{"x": encodeURL(strings.Repeat("\x00", 32)), "y": encodeURL(strings.Repeat("\x00", 32))}), false},
		{"half a point", with(ecKey, "y", nil), false},
		{"compressed", makeJWK(t, ecKey, map[string]any{"x": encodeURL("\x02") + ec.X, "y": ""}), false},
		{"coordinate with a leading zero", with(ecKey, "x", encodeURL("\x00"+string(mustDecode(t, ec.X)))), false},

		{"X25519 is for agreement", with(edKey, "crv", "X25519"), false},
		{"Ed448", with(edKey, "crv", "Ed448"), false},
		{"31 bytes", with(edKey, "x", encodeURL(strings.Repeat("x", 31))), false},
		{"33 bytes", with(edKey, "x", encodeURL(strings.Repeat("x", 33))), false},
		{"no bytes", with(edKey, "x", nil), false},
	} {
		keys, err := parseKeySet(makeKeySet(good, tt.key, good))
		want := 2
		if tt.kept {
			want = 3
		}
		if err != nil || len(keys) != want {
			t.Errorf("%s: %d keys, want %d, %v", tt.reason, len(keys), want, err)
		}
	}
}

func mustDecode(t *testing.T, text string) []byte {
	t.Helper()
	value, err := decodeBase64URL(text)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestParseKeySetShape(t *testing.T) {
	for _, tt := range []struct {
		reason, text string
		ok           bool
	}{
		{"no keys yet", `{"keys":[]}`, true},
		{"other members", `{"keys":[],"more":1}`, true},
		{"no member keys", `{}`, false},
		{"keys is null", `{"keys":null}`, false},
		{"keys is an object", `{"keys":{}}`, false},
		{"member names are case-sensitive", `{"KEYS":[]}`, false},
		{"a list", `[]`, false},
		{"null", `null`, false},
		{"a page", `<html>`, false},
		{"cut off", `{"keys":[`, false},
		{"more than JSON", `{"keys":[]}x`, false},
		{"not UTF-8", "{\"keys\":[],\"\xff\":1}", false},
		{"empty", ``, false},
	} {
		keys, err := parseKeySet([]byte(tt.text))
		if (err == nil) != tt.ok || len(keys) != 0 {
			t.Errorf("%s: %v, %v", tt.reason, keys, err)
		}
	}
}

func TestParseKeySetIsBounded(t *testing.T) {
	var texts []string
	for i := range maxKeys + 1 {
		texts = append(texts, makeJWK(t, testKeys()["EdDSA"].Public(), map[string]any{"kid": fmt.Sprint(i)}))
	}
	keys, err := parseKeySet(makeKeySet(texts...))
	if err != nil || len(keys) != maxKeys || keys[maxKeys-1].ID != fmt.Sprint(maxKeys-1) {
		t.Errorf("%d keys, %v", len(keys), err)
	}
}

// FuzzKeySet: whatever a provider publishes, its keys are ones to verify with.
func FuzzKeySet(f *testing.F) {
	for _, alg := range asymmetricAlgs {
		f.Add(makeKeySet(makeJWK(f, testKeys()[alg].Public(), map[string]any{"kid": "k", "alg": alg, "use": "sig", "key_ops": []string{"verify"}})))
	}
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"},{"kty":"EC","crv":"P-256","x":"","y":""},{"kty":"oct","k":""},null]}`))
	for _, bits := range []uint{minRSABits, maxRSABits} { // no product of two primes
		n := new(big.Int).Lsh(big.NewInt(1), bits-1)
		f.Add(makeKeySet(makeJWK(f, &rsa.PublicKey{N: n.Add(n, big.NewInt(1)), E: 1<<31 - 1}, nil)))
	}
	tokens := make(map[string]string)
	for _, alg := range asymmetricAlgs {
		tokens[alg] = makeJWS(f, alg, `{"alg":"`+alg+`"}`, "")
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := parseKeySet(text)
		if err != nil && keys != nil || len(keys) > maxKeys {
			t.Fatalf("%d keys, %v", len(keys), err)
		}
		for _, k := range keys {
			if k.Use != "" && k.Use != "sig" {
				t.Errorf("a key for %q", k.Use)
			}
			for alg, token := range tokens {
				checkFuzzedKey(t, k, alg, token)
			}
		}
	})
}

// checkFuzzedKey: a key verifies the signature of its other half and no other.
func checkFuzzedKey(t *testing.T, k JWK, alg, token string) {
	own := testKeys()[alg].Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(k.Key)
	payload, err := VerifyJWS(token, []JWK{k}, nil)
	if err == nil && (!own || k.Algorithm != "" && k.Algorithm != alg) || len(payload) > 0 {
		t.Errorf("%+v verifies %s", k, alg)
	}
	if err != nil && own && (k.Algorithm == "" || k.Algorithm == alg) {
		t.Errorf("%+v does not verify %s: %v", k, alg, err)
	}
}
