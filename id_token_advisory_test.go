package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// refuses checks that a token is not accepted, whichever algorithms are said to be
// allowed.
func refuses(t *testing.T, r *idTokenRules, reason, token string) {
	t.Helper()
	for _, algs := range [][]string{nil, {"none", "HS256", "HS384", "HS512", "RS256", "ES256", "ES384", "ES512"}} {
		r.algs = algs
		if claims, err := r.verify(t.Context(), token, ""); !errors.Is(err, errIDToken) || claims != nil {
			t.Errorf("%s: %v, %v", reason, claims, err)
		}
	}
}

// A token that nobody signed was believed because it said so.
func TestAdvisory_GHSA_9h47_pqcx_hjr4_None(t *testing.T) {
	r := testRules(t, asymmetricAlgs...)
	payload := encodeURL(idTokenClaims(t, nil))
	signature := makeIDToken(t, "RS256", idTokenClaims(t, nil))
	signature = signature[strings.LastIndexByte(signature, '.'):]
	for _, alg := range []string{`"none"`, `"None"`, `"NONE"`, `"nOnE"`, `""`, `null`, `false`, `["none"]`} {
		for _, kid := range []string{``, `,"kid":"RS256"`, `,"kid":""`} {
			for _, end := range []string{".", ".e30", signature} {
				refuses(t, r, alg+kid+end, encodeURL(`{"alg":`+alg+kid+`}`)+"."+payload+end)
			}
		}
	}
	refuses(t, r, "no alg", encodeURL(`{}`)+"."+payload+".")
	for _, alg := range asymmetricAlgs {
		refuses(t, r, alg+" without a signature", encodeURL(`{"alg":"`+alg+`","kid":"`+alg+`"}`)+"."+payload+".")
	}
}

// The public key, which everybody has, was taken for the secret of an HMAC.
func TestAdvisory_GHSA_9h47_pqcx_hjr4_KeyConfusion(t *testing.T) {
	for _, alg := range []string{"RS256", "ES256", "EdDSA"} {
		r := testRules(t, alg)
		public := testKeys()[alg].Public()
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			t.Fatal(err)
		}
		text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
		jwk := makeJWK(t, public, map[string]any{"kid": alg})
		for form, secret := range map[string]string{
			"PEM": text, "PEM without its line end": strings.TrimSuffix(text, "\n"), "DER": string(der), "JWK": jwk, "nothing": "",
		} {
			for _, claimed := range []string{"HS256", alg} {
				signed := encodeURL(fmt.Sprintf(`{"alg":%q,"kid":%q}`, claimed, alg)) + "." + encodeURL(idTokenClaims(t, nil))
				mac := hmac.New(sha256.New, []byte(secret))
				mac.Write([]byte(signed))
				refuses(t, r, claimed+" with the "+form+" of a key for "+alg, signed+"."+encodeURL(string(mac.Sum(nil))))
			}
		}
	}
	// not even if the provider publishes the secret
	r := testRules(t)
	r.keys = newRemoteKeys("", publish(`{"keys":[{"kty":"oct","kid":"a","alg":"HS256","k":"c2VjcmV0"}]}`))
	signed := encodeURL(`{"alg":"HS256","kid":"a"}`) + "." + encodeURL(idTokenClaims(t, nil))
	mac := hmac.New(sha256.New, []byte("secret"))
	mac.Write([]byte(signed))
	refuses(t, r, "a published secret", signed+"."+encodeURL(string(mac.Sum(nil))))
}

// The header chose how a key is used. Here each key signs, correctly, for
// algorithms that are not its own: of another curve, hash or family.
func TestAdvisory_GHSA_9h47_pqcx_hjr4_WrongKey(t *testing.T) {
	for _, own := range asymmetricAlgs {
		r := testRules(t, own)
		for _, claimed := range asymmetricAlgs {
			if own == claimed || own[:2] == "Ed" && claimed[:2] == "Ed" {
				continue
			}
			for _, kid := range []string{``, `,"kid":"` + own + `"`} {
				text := encodeURL(`{"alg":"`+claimed+`"`+kid+`}`) + "." + encodeURL(idTokenClaims(t, nil))
				refuses(t, r, own+" called "+claimed+kid, text+"."+encodeURL(string(signJWS(t, testKeys()[own], own, text))))
				if hash := "ES" + claimed[2:]; own[:2] == "ES" && claimed[:2] != "Ed" { // the right hash with the wrong curve
					refuses(t, r, own+" used as "+claimed+kid, text+"."+encodeURL(string(signJWS(t, testKeys()[own], hash, text))))
				}
			}
		}
	}
	// a key that says what it is for is not used for anything else
	for _, claimed := range asymmetricAlgs[:6] {
		for _, said := range asymmetricAlgs[:6] {
			r := testRules(t)
			r.keys = newRemoteKeys("", publish(string(makeKeySet(makeJWK(t, testKeys()["RS256"].Public(), map[string]any{"kid": claimed, "alg": said})))))
			_, err := r.verify(t.Context(), makeIDToken(t, claimed, idTokenClaims(t, nil)), "")
			if (err == nil) != (said == claimed) {
				t.Errorf("a key for %s with %s: %v", said, claimed, err)
			}
		}
	}
	// and a stranger's key in the header is not the provider's
	r := testRules(t, "RS256")
	header := `{"alg":"ES256","kid":"RS256","jku":"https://evil.example","jwk":` + makeJWK(t, testKeys()["ES256"].Public(), nil) + `}`
	refuses(t, r, "a key in the header", makeJWS(t, "ES256", header, idTokenClaims(t, nil)))
}
