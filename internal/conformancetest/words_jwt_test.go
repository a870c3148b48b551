package conformancetest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
)

// What differs from run to run in keys and what they sign.
var (
	keyedForm  = regexp.MustCompile(`"?eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+"?`)
	jwkForm    = regexp.MustCompile(`\{[^{}]*"kty":[^{}]*\}`)
	jwkNumbers = regexp.MustCompile(`"(x|y|n|d|p|q|dp|dq|qi)":"([\w-]{22,})"`)
	jwkRow     = regexp.MustCompile(`^id='?([^' ]+)'? public_?[kK]ey='([^']*)'`)
)

// keyed describes a token that a key of the plugin jwt has signed, in JSON. It has to
// be verified with the key that it names, in the table or in a key set that was seen.
func (w *words) keyed(token string) string {
	parts := strings.Split(strings.Trim(token, `"`), ".")
	header, _ := base64.RawURLEncoding.DecodeString(parts[0])
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	signature, _ := base64.RawURLEncoding.DecodeString(parts[2])
	var named struct{ Alg, Kid string }
	if json.Unmarshal(header, &named) != nil || named.Kid == "" {
		return token
	}
	key := w.publicKey(named.Kid)
	if key == "" || !verified(key, named.Alg, parts[0]+"."+parts[1], signature) {
		return token
	}
	return fmt.Sprintf(`["JWT",%s,%s]`, header, payload)
}

// publicKey is the public JSON Web Key with an id, "" if there is none.
func (w *words) publicKey(kid string) string {
	if w.rows != nil {
		for _, r := range w.rows() {
			if parts := jwkRow.FindStringSubmatch(r.text); parts != nil && parts[1] == kid {
				return parts[2]
			}
		}
	}
	return w.published[kid]
}

// jwk describes a JSON Web Key: numbers by their length and, where they are those of a
// public key, by their name. Members of a private one are in no order.
func (w *words) jwk(text string) string {
	var members map[string]any
	if json.Unmarshal([]byte(text), &members) != nil {
		return text
	}
	if kid, ok := members["kid"].(string); ok {
		if w.published == nil {
			w.published = make(map[string]string)
		}
		w.published[kid] = text
	}
	if _, private := members["d"]; private {
		sorted, err := json.Marshal(members)
		if err != nil {
			return text
		}
		text = string(sorted)
	}
	return jwkNumbers.ReplaceAllStringFunc(text, func(member string) string {
		parts := jwkNumbers.FindStringSubmatch(member)
		raw, err := base64.RawURLEncoding.DecodeString(parts[2])
		switch {
		case err != nil:
			return member
		case parts[1] == "x" || parts[1] == "n":
			if w.labels[parts[2]] == "" {
				w.labels[parts[2]] = fmt.Sprintf("<public key %d of %d bytes>", len(w.labels)+1, len(raw))
			}
			return fmt.Sprintf(`"%s":"%s"`, parts[1], w.labels[parts[2]])
		case members["kty"] == "RSA":
			return fmt.Sprintf(`"%s":"<number>"`, parts[1]) // without zeros in front
		}
		return fmt.Sprintf(`"%s":"<%d bytes>"`, parts[1], len(raw))
	})
}

// verified checks a signature with nothing but the standard library.
func verified(jwk, alg, text string, signature []byte) bool {
	var key struct{ Kty, Crv, X, Y, N, E string }
	if json.Unmarshal([]byte(jwk), &key) != nil {
		return false
	}
	number := func(text string) *big.Int { return new(big.Int).SetBytes(decodeURL(text)) }
	digest := func(hash crypto.Hash) []byte {
		h := hash.New()
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	public := &rsa.PublicKey{N: number(key.N), E: int(number(key.E).Int64())}
	curves := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-521": elliptic.P521()}
	half := len(signature) / 2
	r, s := new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])
	switch alg + " " + key.Kty + " " + key.Crv {
	case "EdDSA OKP Ed25519":
		return ed25519.Verify(decodeURL(key.X), []byte(text), signature)
	case "ES256 EC P-256":
		return half == 32 && ecdsa.Verify(onCurve(curves[key.Crv], key.X, key.Y), digest(crypto.SHA256), r, s)
	case "ES512 EC P-521":
		return half == 66 && ecdsa.Verify(onCurve(curves[key.Crv], key.X, key.Y), digest(crypto.SHA512), r, s)
	case "RS256 RSA ":
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest(crypto.SHA256), signature) == nil
	case "PS256 RSA ":
		return rsa.VerifyPSS(public, crypto.SHA256, digest(crypto.SHA256), signature, &rsa.PSSOptions{SaltLength: 32}) == nil
	}
	return false
}

func onCurve(curve elliptic.Curve, x, y string) *ecdsa.PublicKey {
	key, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, decodeURL(x), decodeURL(y)))
	if err != nil {
		panic(err)
	}
	return key
}

func decodeURL(text string) []byte {
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		panic(err)
	}
	return raw
}

// knownKey is the private key of RFC 8037 appendix A.
func knownKey() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(decodeURL("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"))
}

// compactJWS makes a token of "header payload", two texts in JSON.
func compactJWS(argument string, sign func(text []byte) []byte) string {
	var header json.RawMessage
	dec := json.NewDecoder(strings.NewReader(argument))
	if err := dec.Decode(&header); err != nil {
		panic(err)
	}
	payload := offsetTimes(strings.TrimSpace(argument[dec.InputOffset():]))
	encode := base64.RawURLEncoding.EncodeToString
	text := encode(header) + "." + encode([]byte(payload))
	return text + "." + encode(sign([]byte(text)))
}
