package auth

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"sync"
	"testing"
)

// asymmetricAlgs are the algorithms that VerifyJWS knows.
var asymmetricAlgs = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}

// testKeys are private keys, made once, by the name of an algorithm that they
// are for.
var testKeys = sync.OnceValue(func() map[string]crypto.Signer {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	edKey := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)) // the same in all processes of a fuzzer
	keys := map[string]crypto.Signer{"EdDSA": edKey, "Ed25519": edKey}
	for _, alg := range asymmetricAlgs[:6] {
		keys[alg] = rsaKey
	}
	for alg, curve := range map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()} {
		if keys[alg], err = ecdsa.GenerateKey(curve, rand.Reader); err != nil {
			panic(err)
		}
	}
	return keys
})

// testPublic is the key that verifies what makeJWS signs.
func testPublic(alg, id string) JWK { return JWK{ID: id, Key: testKeys()[alg].Public()} }

// makeJWS signs a payload with the key of an algorithm under any header.
func makeJWS(t testing.TB, alg, header, payload string) string {
	t.Helper()
	text := encodeURL(header) + "." + encodeURL(payload)
	return text + "." + encodeURL(string(signJWS(t, testKeys()[alg], alg, text)))
}

func encodeURL(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// signJWS signs without the code under test.
func signJWS(t testing.TB, key crypto.Signer, alg, text string) []byte {
	t.Helper()
	hash := crypto.Hash(0)
	digest := []byte(text)
	if alg[:2] != "Ed" {
		hash = map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[alg[2:]]
		h := hash.New()
		h.Write(digest)
		digest = h.Sum(nil)
	}
	if key, ok := key.(*ecdsa.PrivateKey); ok {
		r, s, err := ecdsa.Sign(rand.Reader, key, digest)
		if err != nil {
			t.Fatal(err)
		}
		signature := make([]byte, 2*((key.Params().BitSize+7)/8))
		r.FillBytes(signature[:len(signature)/2])
		s.FillBytes(signature[len(signature)/2:])
		return signature
	}
	var options crypto.SignerOpts = hash
	if alg[:2] == "PS" {
		options = &rsa.PSSOptions{SaltLength: hash.Size(), Hash: hash}
	}
	signature, err := key.Sign(rand.Reader, digest, options)
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

// Every algorithm verifies what was signed with it, and nothing that was signed
// with another, whatever the header calls it.
func TestVerifyJWSAlgorithms(t *testing.T) {
	for _, alg := range asymmetricAlgs {
		for _, claimed := range asymmetricAlgs {
			token := makeJWS(t, alg, `{"alg":"`+claimed+`"}`, "payload of "+alg)
			same := alg == claimed || alg[:2] == "Ed" && claimed[:2] == "Ed" // two names of one algorithm
			payload, err := VerifyJWS(token, []JWK{testPublic(claimed, "")}, nil)
			if same != (err == nil) || same != (string(payload) == "payload of "+alg) {
				t.Errorf("%s called %s: %q, %v", alg, claimed, payload, err)
			}
			if !same {
				continue
			}
			for _, allowed := range asymmetricAlgs {
				if _, err := VerifyJWS(token, []JWK{testPublic(alg, "")}, []string{"none", allowed}); (err == nil) != (allowed == claimed) {
					t.Errorf("%s where %s is allowed: %v", claimed, allowed, err)
				}
			}
		}
	}
}

func TestVerifyJWSKeys(t *testing.T) {
	stranger := testPublic("RS256", "k1")
	stranger.Key = &rsa.PublicKey{N: stranger.Key.(*rsa.PublicKey).N, E: 3}
	named := func(k JWK, alg string) JWK { k.Algorithm = alg; return k }
	key := testPublic("RS256", "k1")
	const byID, anonymous = `{"alg":"RS256","kid":"k1"}`, `{"alg":"RS256"}`
	for _, tt := range []struct {
		reason, header string
		keys           []JWK
		ok             bool
	}{
		{"the only key", byID, []JWK{key}, true},
		{"the id decides", byID, []JWK{testPublic("RS256", "k2")}, false},
		{"the id is case-sensitive", `{"alg":"RS256","kid":"K1"}`, []JWK{key}, false},
		{"a key without id is not meant", byID, []JWK{testPublic("RS256", "")}, false},
		{"no keys", byID, nil, false},
		{"an id is not unique (RFC 7517 section 4.5)", byID, []JWK{stranger, testPublic("ES256", "k1"), key}, true},
		{"no id: each key is tried", anonymous, []JWK{testPublic("EdDSA", "a"), stranger, key}, true},
		{"no id, and none fits", anonymous, []JWK{testPublic("EdDSA", "a"), stranger}, false},
		{"the key is for this algorithm", byID, []JWK{named(key, "RS256")}, true},
		{"the key is for another", byID, []JWK{named(key, "RS512")}, false},
		{"the key is for another, and no id", anonymous, []JWK{named(key, "PS256")}, false},
		{"the key is for encryption", byID, []JWK{named(key, "RSA-OAEP")}, false},
		{"a key of no known type", byID, []JWK{{ID: "k1", Key: "secret"}}, false},
	} {
		payload, err := VerifyJWS(makeJWS(t, "RS256", tt.header, "p"), tt.keys, nil)
		if (err == nil) != tt.ok || (string(payload) == "p") != tt.ok {
			t.Errorf("%s: %q, %v", tt.reason, payload, err)
		}
	}
}

// What stands here is signed, correctly, under a header that must not be believed.
func TestVerifyJWSHeader(t *testing.T) {
	for _, tt := range []struct {
		reason, header string
		ok             bool
	}{
		{"plain", `{"alg":"RS256"}`, true},
		{"typ and others are hints", `{"typ":"at+jwt","alg":"RS256","cty":"x","jku":"https://evil.example"}`, true},
		{"an empty kid is none", `{"alg":"RS256","kid":""}`, true},
		{"the last of two members counts", `{"alg":"none","alg":"RS256"}`, true},
		{"the last of two members counts (2)", `{"alg":"RS256","alg":"none"}`, false},
		{"a key in the header is nobody's", `{"alg":"RS256","kid":"other","jwk":{}}`, false},
		{"kid is a number", `{"alg":"RS256","kid":1}`, false},
		{"kid is null", `{"alg":"RS256","kid":null}`, false},
		{"no alg", `{}`, false},
		{"alg is null", `{"alg":null}`, false},
		{"alg is a list", `{"alg":["RS256"]}`, false},
		{"alg in lower case", `{"alg":"rs256"}`, false},
		{"member names are case-sensitive", `{"ALG":"RS256"}`, false},
		{"alg with another hash of the family", `{"alg":"RS1"}`, false},
		{"crit", `{"alg":"RS256","crit":["exp"],"exp":1}`, false},
		{"empty crit", `{"alg":"RS256","crit":[]}`, false},
		{"b64 (RFC 7797)", `{"alg":"RS256","b64":false,"crit":["b64"]}`, false},
		{"b64 alone", `{"alg":"RS256","b64":true}`, false},
		{"not UTF-8", "{\"alg\":\"RS256\",\"x\":\"\xff\"}", false},
		{"null", `null`, false},
		{"a list", `["alg","RS256"]`, false},
		{"no JSON", `{"alg":"RS256"`, false},
		{"more than JSON", `{"alg":"RS256"}{}`, false},
		{"empty", ``, false},
	} {
		_, err := VerifyJWS(makeJWS(t, "RS256", tt.header, "{}"), []JWK{testPublic("RS256", "k1")}, nil)
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.reason, err)
		}
	}
}

// One token has one spelling.
func TestVerifyJWSShape(t *testing.T) {
	keys := []JWK{testPublic("ES256", "")}
	valid := makeJWS(t, "ES256", `{"alg":"ES256"}`, "{}")
	parts := strings.Split(valid, ".")
	signed := func(text string) string {
		return text + "." + encodeURL(string(signJWS(t, testKeys()["ES256"], "ES256", text)))
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	withSignature := func(signature []byte) string { return parts[0] + "." + parts[1] + "." + encodeURL(string(signature)) }
	if _, err := VerifyJWS(valid, keys, nil); err != nil {
		t.Fatalf("the token that all others derive from: %v", err)
	}
	for _, tt := range []struct{ reason, token string }{
		{"empty", ""},
		{"two parts", parts[0] + "." + parts[1]},
		{"four parts", valid + "."},
		{"five parts, as of a JWE", valid + ".." + parts[1]},
		{"no signature", parts[0] + "." + parts[1] + "."},
		{"padding", valid + "=="},
		{"white space", valid + "\n"},
		{"stray bits in the signature", valid[:len(valid)-1] + string(valid[len(valid)-1]+1)},
		{"padding of the payload", signed(parts[0] + "." + parts[1] + "=")},
		{"line break in the payload", signed(parts[0] + "." + parts[1][:1] + "\n" + parts[1][1:])},
		{"line break in the header", signed(parts[0][:1] + "\n" + parts[0][1:] + "." + parts[1])},
		{"header is no base64url", signed("{}." + parts[1])},
		{"payload is no base64url", signed(parts[0] + ".{}")},
		{"another payload", parts[0] + "." + encodeURL("[]") + "." + parts[2]},
		{"signature too short", withSignature(raw[:63])},
		{"signature too long", withSignature(append(slices.Clone(raw), 0))},
		{"halves with leading zeros", withSignature(slices.Concat([]byte{0}, raw[:32], []byte{0}, raw[32:]))},
		{"a zero before the second half", withSignature(slices.Concat(raw[:32], []byte{0}, raw[32:]))},
		{"halves exchanged", withSignature(slices.Concat(raw[32:], raw[:32]))},
		{"zeros (CVE-2022-21449)", withSignature(make([]byte, 64))},
		{"r and s beyond the order", withSignature(bytes.Repeat([]byte{0xff}, 64))},
		{"too long", makeJWS(t, "ES256", `{"alg":"ES256"}`, strings.Repeat(" ", maxJWS))},
	} {
		if payload, err := VerifyJWS(tt.token, keys, nil); err == nil {
			t.Errorf("%s: accepted, %q", tt.reason, payload)
		}
	}
	der, err := testKeys()["ES256"].Sign(rand.Reader, make([]byte, 32), crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := VerifyJWS(withSignature(der), keys, nil); err == nil {
		t.Error("a signature in ASN.1 was accepted")
	}
}

// TestVerifyJWSSalt: RFC 7518 section 3.5 has one length of salt.
func TestVerifyJWSSalt(t *testing.T) {
	key := testKeys()["PS256"]
	text := encodeURL(`{"alg":"PS256"}`) + ".e30"
	digest := sha256.Sum256([]byte(text))
	for length, ok := range map[int]bool{32: true, 1: false, 31: false, 33: false, rsa.PSSSaltLengthAuto: false} { // auto: all there is room for
		signature, err := key.Sign(rand.Reader, digest[:], &rsa.PSSOptions{SaltLength: length, Hash: crypto.SHA256})
		if err != nil {
			t.Fatal(err)
		}
		_, err = VerifyJWS(text+"."+encodeURL(string(signature)), []JWK{testPublic("PS256", "")}, nil)
		if (err == nil) != ok {
			t.Errorf("salt of length %d: %v", length, err)
		}
	}
}

// The examples of the standards.
func TestVerifyJWSVectors(t *testing.T) {
	const joe = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
	const joeClaims = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"
	for _, tt := range []struct{ source, alg, key, token, payload string }{
		{"RFC 7515 A.2", "RS256",
			`{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}`,
			"eyJhbGciOiJSUzI1NiJ9." + joe + ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
			joeClaims},
		{"RFC 7515 A.3", "ES256",
			`{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`,
			"eyJhbGciOiJFUzI1NiJ9." + joe + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
			joeClaims},
		{"RFC 7515 A.4", "ES512",
			`{"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"}`,
			"eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn",
			"Payload"},
		{"RFC 8037 A.4", "EdDSA",
			`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`,
			"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
			"Example of Ed25519 signing"},
	} {
		keys, err := parseKeySet([]byte(`{"keys":[` + tt.key + `]}`))
		if err != nil || len(keys) != 1 {
			t.Errorf("%s: keys %v, %v", tt.source, keys, err)
		}
		header, err := ParseJWSHeader(tt.token)
		if header != (JWSHeader{Algorithm: tt.alg}) || err != nil {
			t.Errorf("%s: header %+v, %v", tt.source, header, err)
		}
		payload, err := VerifyJWS(tt.token, keys, []string{tt.alg})
		if string(payload) != tt.payload || err != nil {
			t.Errorf("%s: %q, %v", tt.source, payload, err)
		}
	}
	// RFC 7515 A.5 is the unsecured one, with a key of A.2 or not
	if _, err := VerifyJWS("eyJhbGciOiJub25lIn0."+joe+".", []JWK{testPublic("RS256", "")}, nil); err == nil {
		t.Error("RFC 7515 A.5: accepted")
	}
}

func TestJWSHeader(t *testing.T) {
	header, err := ParseJWSHeader(encodeURL(`{"kid":"a\u0062","alg":"HS256","typ":5}`) + ".e30.")
	if header != (JWSHeader{Algorithm: "HS256", KeyID: "ab"}) || err != nil {
		t.Errorf("%+v %v: it reads and does not judge", header, err)
	}
}
