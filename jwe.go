package auth

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"strings"
)

// jweInfo is the HKDF info of all content encryption keys (contract section 8.4).
const jweInfo = "BetterAuth.js Generated Encryption Key"

// Lengths of A256CBC-HS512 (RFC 7518 section 5.2.5), in bytes.
const (
	jweHalfKey = 32 // of the MAC and of the cipher
	jweTag     = 32
)

// An encrypter makes compact JWEs (RFC 7516) with a direct key and
// A256CBC-HS512 under the current secret and opens those of every secret that it
// knows. It is safe for concurrent use.
type encrypter struct {
	keys []*jweKey // the current one first
}

// A jweKey is what was derived from one secret.
type jweKey struct {
	id     string // RFC 7638 thumbprint
	header string // encoded protected header
	mac    []byte
	block  cipher.Block
}

// newEncrypter derives the keys from the secrets, the current one first, and from
// the salt, which names their purpose.
func newEncrypter(salt string, secrets ...string) (*encrypter, error) {
	e := &encrypter{keys: make([]*jweKey, len(secrets))}
	for i, secret := range secrets {
		key, err := hkdf.Key(sha256.New, []byte(secret), []byte(salt), jweInfo, 2*jweHalfKey)
		if err != nil {
			return nil, err
		}
		if e.keys[i], err = newJWEKey(key); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func newJWEKey(key []byte) (*jweKey, error) {
	block, err := aes.NewCipher(key[jweHalfKey:])
	if err != nil {
		return nil, err
	}
	id := sha256.Sum256([]byte(`{"k":"` + base64.RawURLEncoding.EncodeToString(key) + `","kty":"oct"}`))
	k := &jweKey{id: base64.RawURLEncoding.EncodeToString(id[:]), mac: key[:jweHalfKey], block: block}
	k.header = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"dir","enc":"A256CBC-HS512","kid":"` + k.id + `"}`))
	return k, nil
}

// encrypt returns the JWE of a payload.
func (e *encrypter) encrypt(payload []byte) string {
	key := e.keys[0]
	iv := make([]byte, aes.BlockSize)
	rand.Read(iv) // never fails
	padding := aes.BlockSize - len(payload)%aes.BlockSize
	text := append(bytes.Clone(payload), bytes.Repeat([]byte{byte(padding)}, padding)...)
	cipher.NewCBCEncrypter(key.block, iv).CryptBlocks(text, text)
	b64 := base64.RawURLEncoding
	return strings.Join([]string{
		key.header, "", b64.EncodeToString(iv), b64.EncodeToString(text), b64.EncodeToString(key.tag(key.header, iv, text)),
	}, ".")
}

// decrypt returns the payload of a JWE. Nothing is decrypted before its tag holds;
// ok is then true.
func (e *encrypter) decrypt(token string) (payload []byte, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 5 || parts[1] != "" {
		return nil, false
	}
	iv, ivErr := decodeBase64URL(parts[2])
	text, textErr := decodeBase64URL(parts[3])
	tag, tagErr := decodeBase64URL(parts[4])
	if ivErr != nil || textErr != nil || tagErr != nil || len(iv) != aes.BlockSize || len(text) == 0 || len(text)%aes.BlockSize != 0 {
		return nil, false
	}
	for _, key := range e.candidates(parts[0]) {
		if subtle.ConstantTimeCompare(key.tag(parts[0], iv, text), tag) == 1 {
			cipher.NewCBCDecrypter(key.block, iv).CryptBlocks(text, text)
			return withoutPadding(text)
		}
	}
	return nil, false
}

// candidates returns the keys that a protected header may mean: the one that it
// names, all if it names none, and none at all if it asks for something else.
func (e *encrypter) candidates(encoded string) []*jweKey {
	for i, key := range e.keys {
		if key.header == encoded {
			return e.keys[i : i+1]
		}
	}
	text, err := decodeBase64URL(encoded)
	if err != nil {
		return nil
	}
	header, err := jsonMembers(text)
	_, critical := header["crit"]
	_, compressed := header["zip"]
	if err != nil || critical || compressed || string(header["alg"]) != `"dir"` || string(header["enc"]) != `"A256CBC-HS512"` {
		return nil
	}
	kid, named := header["kid"]
	if !named {
		return e.keys
	}
	var id string
	if json.Unmarshal(kid, &id) != nil {
		return nil
	}
	for i, key := range e.keys {
		if key.id == id {
			return e.keys[i : i+1]
		}
	}
	return nil
}

// tag is the authentication tag over the header, the initialization vector and
// the ciphertext (RFC 7518 section 5.2.2.1).
func (k *jweKey) tag(header string, iv, text []byte) []byte {
	mac := hmac.New(sha512.New, k.mac)
	mac.Write([]byte(header))
	mac.Write(iv)
	mac.Write(text)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(header))*8))
	return mac.Sum(nil)[:jweTag]
}

// withoutPadding removes the padding of PKCS #7 from a text whose tag holds, so
// that the time it takes tells nobody anything.
func withoutPadding(text []byte) (_ []byte, ok bool) {
	n := int(text[len(text)-1])
	if n < 1 || n > aes.BlockSize || !bytes.Equal(text[len(text)-n:], bytes.Repeat([]byte{byte(n)}, n)) {
		return nil, false
	}
	return text[:len(text)-n], true
}
