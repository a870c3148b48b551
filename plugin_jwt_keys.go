package auth

import (
	"cmp"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

// A JWTKey is a key pair (table "jwks"). Its ID is the kid of tokens.
type JWTKey struct {
	ID         string     `db:"id"`
	PublicKey  string     `db:"publicKey"`  // a JSON Web Key (RFC 7517)
	PrivateKey string     `db:"privateKey"` // one, or a JSON string that has it encrypted
	CreatedAt  time.Time  `db:"createdAt"`
	ExpiresAt  *time.Time `db:"expiresAt"` // when it ceases to sign; nil: never
	Alg        *string    `db:"alg"`       // nil: that of JWT.KeyPair
	Crv        *string    `db:"crv"`       // the curve, nil if it has none
}

func jwtKeyTable() *Table {
	return &Table{Name: "jwks", Columns: []Column{
		{Name: "publicKey", Type: TypeString},
		{Name: "privateKey", Type: TypeString},
		{Name: "createdAt", Type: TypeDate},
		{Name: "expiresAt", Type: TypeDate, Nullable: true},
		{Name: "alg", Type: TypeString, Nullable: true},
		{Name: "crv", Type: TypeString, Nullable: true},
	}}
}

// signs reports whether the key may sign at a time.
func (k *JWTKey) signs(at time.Time) bool { return k.ExpiresAt == nil || k.ExpiresAt.After(at) }

// keys returns all keys. They are read each time: other processes make and remove
// some.
func (p *JWT) keys(ctx context.Context) ([]*JWTKey, error) {
	if p.FindKeys != nil {
		return p.FindKeys(ctx)
	}
	return p.rows.Find(ctx, Query{})
}

// algOf is the one algorithm of a key.
func (p *JWT) algOf(key *JWTKey) string {
	if key.Alg == nil || *key.Alg == "" {
		return p.keyPair().Algorithm
	}
	return *key.Alg
}

// verifies reports whether tokens of a key still count.
func (p *JWT) verifies(key *JWTKey) bool {
	return key.ExpiresAt == nil || key.ExpiresAt.Add(p.grace()).After(p.services.Now())
}

// publicOf returns the public half of a key, for its one algorithm. Errors: it is no
// public key, or one for another algorithm.
func (p *JWT) publicOf(key *JWTKey) (JWK, error) {
	public, err := p.public.get(key.PublicKey, func() (JWK, error) { return ParseJWK([]byte(key.PublicKey)) })
	if err == nil && !public.Verifies(p.algOf(key)) {
		err = fmt.Errorf("auth: key %s is not for %s", key.ID, p.algOf(key))
	}
	public.ID, public.Algorithm = key.ID, p.algOf(key)
	return public, err
}

// A JWTSigning asks for a key, or for a header. The zero value is the plugin's own
// choice.
type JWTSigning struct {
	KeyID     string // of a key that there is
	Algorithm string // of JWT.KeyPair, JWT.MoreKeyPairs or a key that there is
	Type      string // typ of the header, such as "logout+jwt"
}

// A jwtSigner is a key that signs.
type jwtSigner struct {
	crypto.Signer
	id, alg string
}

// signer returns the key to sign with, a new one if that is due.
func (p *JWT) signer(ctx context.Context, signing JWTSigning) (*jwtSigner, error) {
	keys, err := p.keys(ctx)
	if err != nil {
		return nil, err
	}
	key, err := p.choose(keys, signing)
	if err == nil && key == nil {
		key, err = p.provide(ctx, signing)
	}
	if err != nil {
		return nil, err
	}
	private, err := p.private.get(key.PrivateKey, func() (*jwtSigner, error) { return p.openPrivate(key) })
	if err != nil {
		return nil, err
	}
	return &jwtSigner{Signer: private.Signer, id: key.ID, alg: p.algOf(key)}, nil
}

// choose returns the key to sign with, nil if it is to be made. Errors: there is no
// such key and none can be made.
func (p *JWT) choose(keys []*JWTKey, signing JWTSigning) (*JWTKey, error) {
	if signing.KeyID != "" {
		return p.chooseByID(keys, signing)
	}
	alive := slices.DeleteFunc(slices.Clone(keys), func(k *JWTKey) bool { return !k.signs(p.services.Now()) })
	slices.SortStableFunc(alive, func(a, b *JWTKey) int { return b.CreatedAt.Compare(a.CreatedAt) })
	alg := cmp.Or(signing.Algorithm, p.keyPair().Algorithm)
	if i := slices.IndexFunc(alive, func(k *JWTKey) bool { return p.algOf(k) == alg }); i >= 0 {
		return alive[i], nil
	}
	if signing.Algorithm == "" && len(alive) > 0 {
		return alive[0], nil
	}
	if _, ok := p.pairFor(alg); !ok {
		return nil, fmt.Errorf("auth: no key signs with %q, and JWT.KeyPair and JWT.MoreKeyPairs have no such kind", alg)
	}
	return nil, nil
}

func (p *JWT) chooseByID(keys []*JWTKey, signing JWTSigning) (*JWTKey, error) {
	i := slices.IndexFunc(keys, func(k *JWTKey) bool { return k.ID == signing.KeyID })
	switch {
	case i < 0:
		return nil, fmt.Errorf("auth: there is no key %q", signing.KeyID)
	case signing.Algorithm != "" && p.algOf(keys[i]) != signing.Algorithm:
		return nil, fmt.Errorf("auth: key %q is for %s, not %s", signing.KeyID, p.algOf(keys[i]), signing.Algorithm)
	case !keys[i].signs(p.services.Now()):
		return nil, fmt.Errorf("auth: key %q has expired", signing.KeyID)
	}
	return keys[i], nil
}

// pairFor returns the kind of key for an algorithm, if one is configured.
func (p *JWT) pairFor(alg string) (JWTKeyPair, bool) {
	for _, pair := range append(slices.Clip(p.MoreKeyPairs), p.keyPair()) {
		if pair.Algorithm == alg {
			return pair, true
		}
	}
	return JWTKeyPair{}, false
}

// provide makes a key, unless somebody was faster. Where that cannot be seen, in
// another process at the same moment, there are two keys, and each verifies what it
// signed.
func (p *JWT) provide(ctx context.Context, signing JWTSigning) (key *JWTKey, err error) {
	pair, _ := p.pairFor(cmp.Or(signing.Algorithm, p.keyPair().Algorithm))
	minted, err := p.mint(pair)
	if err != nil {
		return nil, err
	}
	err = p.services.Transaction(ctx, func(ctx context.Context) error {
		keys, err := p.keys(ctx)
		if err != nil {
			return err
		}
		if key, err = p.choose(keys, signing); err != nil || key != nil {
			return err
		}
		if key, err = p.newKey(minted); err != nil {
			return err
		}
		return p.storeKey(ctx, key)
	})
	if err != nil {
		return nil, err
	}
	p.forget(minted)
	return key, nil
}

// A jwtMinted is a private key that is not stored yet.
type jwtMinted struct {
	pair JWTKeyPair
	key  crypto.Signer
}

func (p *JWT) storeKey(ctx context.Context, key *JWTKey) (err error) {
	if p.CreateKey != nil {
		err = p.CreateKey(ctx, key)
	} else {
		err = p.rows.Insert(ctx, key)
	}
	if err == nil {
		p.services.Event(ctx, Event{Name: EventKeyRotated, Attrs: []slog.Attr{slog.String("key", key.ID), slog.String("algorithm", p.algOf(key))}})
	}
	return err
}

// mint generates a key. Requests that need one at the same moment get the same: an
// RSA key takes a good part of a second.
func (p *JWT) mint(pair JWTKeyPair) (*jwtMinted, error) {
	p.minting.Lock()
	defer p.minting.Unlock()
	if p.minted == nil || p.minted.pair != pair {
		key, err := pair.generate()
		if err != nil {
			return nil, err
		}
		p.minted = &jwtMinted{pair, key}
	}
	return p.minted, nil
}

// forget lets the next key be another one.
func (p *JWT) forget(minted *jwtMinted) {
	p.minting.Lock()
	defer p.minting.Unlock()
	if p.minted == minted {
		p.minted = nil
	}
}

func (pair JWTKeyPair) generate() (crypto.Signer, error) {
	switch pair.Algorithm {
	case "ES256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES512":
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "RS256", "PS256":
		return rsa.GenerateKey(rand.Reader, cmp.Or(pair.RSABits, minJWTBits))
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return key, err
}

// newKey is a private key in the form in which it is stored.
func (p *JWT) newKey(minted *jwtMinted) (*JWTKey, error) {
	public, err := json.Marshal(JWK{Key: minted.key.Public()})
	if err != nil {
		return nil, err
	}
	private, err := MarshalPrivateJWK(minted.key)
	if err == nil {
		private, err = p.sealPrivate(private)
	}
	if err != nil {
		return nil, err
	}
	key := &JWTKey{PublicKey: string(public), PrivateKey: string(private), CreatedAt: p.services.Now(), Alg: &minted.pair.Algorithm}
	switch public := minted.key.Public().(type) {
	case *ecdsa.PublicKey:
		key.Crv = &public.Params().Name
	case ed25519.PublicKey:
		curve := "Ed25519"
		key.Crv = &curve
	}
	if p.RotationInterval > 0 {
		expires := key.CreatedAt.Add(p.RotationInterval)
		key.ExpiresAt = &expires
	}
	return key, nil
}

func (p *JWT) sealPrivate(private []byte) ([]byte, error) {
	if p.PlainPrivateKeys {
		return private, nil
	}
	sealed, err := p.services.Encrypt("", string(private))
	if err != nil {
		return nil, err
	}
	return json.Marshal(sealed)
}

// openPrivate reads a stored private key, encrypted or not. Errors: it is none, or
// was encrypted under a secret that the configuration does not have.
func (p *JWT) openPrivate(key *JWTKey) (*jwtSigner, error) {
	text := key.PrivateKey
	if strings.HasPrefix(text, `"`) {
		var sealed string
		err := json.Unmarshal([]byte(text), &sealed)
		if err == nil {
			text, err = p.services.Decrypt("", sealed)
		}
		if err != nil {
			return nil, fmt.Errorf("auth: the private key %s cannot be decrypted; is the secret another one? %w", key.ID, err)
		}
	}
	private, err := ParsePrivateJWK([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("auth: key %s: %w", key.ID, err)
	}
	return &jwtSigner{Signer: private}, nil
}

// A jwtMemo remembers what was read from a text, which takes long for RSA. The rows
// are read each time: only what has not changed is found here.
type jwtMemo[V any] struct {
	mu   sync.Mutex
	read map[string]V
}

const maxJWTMemo = 64 // keys that are in use at a time; more are read again

func (m *jwtMemo[V]) get(text string, read func() (V, error)) (V, error) {
	m.mu.Lock()
	value, ok := m.read[text]
	m.mu.Unlock()
	if ok {
		return value, nil
	}
	value, err := read()
	if err != nil {
		return value, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.read == nil || len(m.read) >= maxJWTMemo {
		m.read = make(map[string]V)
	}
	m.read[text] = value
	return value, nil
}
