package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
)

// Passwords configures how passwords are stored. The zero value stores them as
// the original does, with scrypt, so that both can serve one database.
//
// Hashes of both built-in formats are always accepted; one that is not in the
// configured format is replaced when its owner next signs in.
type Passwords struct {
	// Normalize brings a password to one spelling before it is hashed. The
	// original uses NFKC: set norm.NFKC.String of golang.org/x/text to share a
	// database with it. Default: none, enough where passwords are ASCII.
	Normalize func(string) string

	// Argon2id makes new hashes with Argon2id (RFC 9106) in the PHC string
	// format, with 19 MiB, two passes and one lane. The original cannot
	// verify them. Until the scrypt hashes of a database have been replaced, the
	// time of a failed sign-in tells whether an account has one. Default: scrypt.
	Argon2id bool

	// Hasher replaces the built-in formats. Default: none.
	Hasher PasswordHasher

	// MaxConcurrent is how many hashes are computed at once, by whichever
	// hasher; a scrypt hash takes 32 MiB and one processor meanwhile.
	// Default: one less than GOMAXPROCS, at least one.
	MaxConcurrent int

	// MaxWaiting is how many calls may wait for their turn. A call beyond it,
	// or one whose deadline passes while it waits, fails with status 503 and
	// ErrServiceOverloaded. Default: 128 times MaxConcurrent, some ten seconds
	// of work.
	MaxWaiting int
}

// A PasswordHasher makes and checks the stored form of passwords. It must be
// safe for concurrent use. The passwords it gets have been normalized.
//
// If it also has a method Outdated(hash string) bool, then a hash for which
// that returns true is replaced when its owner next signs in.
type PasswordHasher interface {
	// Hash returns what to store for password, with a fresh salt in it.
	Hash(ctx context.Context, password string) (string, error)

	// Verify reports whether hash was made from password. A wrong password is
	// no error; a hash that cannot be read is.
	Verify(ctx context.Context, hash, password string) (bool, error)
}

// errMalformedHash reports a stored hash in neither built-in format.
var errMalformedHash = errors.New("auth: malformed password hash")

// errPasswordQueueFull is the cause of an overload that no deadline ended.
var errPasswordQueueFull = errors.New("auth: too many passwords are waiting to be hashed")

// retryAfterOverload is how many seconds an overloaded caller is told to wait.
const retryAfterOverload = "5"

// passwords hashes and verifies, a bounded number at a time, so that a burst of
// sign-ins exhausts neither memory nor the processors that serve sessions.
type passwords struct {
	normalize  func(string) string
	hasher     PasswordHasher
	slots      chan struct{} // holds one element for each hash being computed
	waiting    atomic.Int64
	maxWaiting int64
	overloaded func(ctx context.Context) // told of calls that got no turn; may be nil
}

// newPasswords validates the configuration. Errors: all mistakes, joined.
func newPasswords(c Passwords) (*passwords, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	if c.Normalize == nil {
		c.Normalize = func(password string) string { return password }
	}
	if c.Hasher == nil {
		c.Hasher = builtinHasher{argon2id: c.Argon2id}
	}
	if c.MaxConcurrent == 0 {
		c.MaxConcurrent = max(1, runtime.GOMAXPROCS(0)-1)
	}
	if c.MaxWaiting == 0 {
		c.MaxWaiting = 128 * c.MaxConcurrent
	}
	return &passwords{
		normalize:  c.Normalize,
		hasher:     c.Hasher,
		slots:      make(chan struct{}, c.MaxConcurrent),
		maxWaiting: int64(c.MaxWaiting),
	}, nil
}

func (c *Passwords) validate() error {
	var errs []error
	if c.Argon2id && c.Hasher != nil {
		errs = append(errs, errors.New("auth: Passwords has both Argon2id and Hasher"))
	}
	if c.MaxConcurrent < 0 {
		errs = append(errs, fmt.Errorf("auth: Passwords.MaxConcurrent is %d", c.MaxConcurrent))
	}
	if c.MaxWaiting < 0 {
		errs = append(errs, fmt.Errorf("auth: Passwords.MaxWaiting is %d", c.MaxWaiting))
	}
	return errors.Join(errs...)
}

// hash returns what to store for a password. Errors: those of acquire and of
// the hasher.
func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	if err := p.acquire(ctx); err != nil {
		return "", err
	}
	defer p.release()
	hash, err := p.hasher.Hash(ctx, p.normalize(password))
	if ctx.Err() != nil {
		return "", p.waitingEnded(ctx, ctx.Err())
	}
	return hash, err
}

// verify reports whether hash was made from password, and if so, whether it is
// outdated and should be replaced by a new one. Errors: those of acquire and of
// the hasher, errMalformedHash among them.
func (p *passwords) verify(ctx context.Context, hash, password string) (ok, outdated bool, err error) {
	if err := p.acquire(ctx); err != nil {
		return false, false, err
	}
	defer p.release()
	ok, err = p.hasher.Verify(ctx, hash, p.normalize(password))
	if ctx.Err() != nil {
		return false, false, p.waitingEnded(ctx, ctx.Err())
	}
	if !ok || err != nil {
		return false, false, err
	}
	h, can := p.hasher.(interface{ Outdated(hash string) bool })
	return true, can && h.Outdated(hash), nil
}

// burn spends what hashing password costs, so that the time of an answer does
// not tell whether an account exists.
func (p *passwords) burn(ctx context.Context, password string) error {
	_, err := p.hash(ctx, password)
	return err
}

// acquire waits, in the order of arrival, until one more hash may be computed.
// Errors: context.Canceled; an *APIError with ErrServiceOverloaded if the
// deadline passes first, or before the hash is there, or too many wait already.
func (p *passwords) acquire(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return p.waitingEnded(ctx, err)
	}
	select {
	case p.slots <- struct{}{}:
		return nil
	default:
	}
	defer p.waiting.Add(-1)
	if p.waiting.Add(1) > p.maxWaiting {
		return p.overload(ctx, errPasswordQueueFull)
	}
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return p.waitingEnded(ctx, ctx.Err())
	}
}

func (p *passwords) release() { <-p.slots }

func (p *passwords) waitingEnded(ctx context.Context, err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return p.overload(ctx, err)
	}
	return err
}

func (p *passwords) overload(ctx context.Context, cause error) error {
	if p.overloaded != nil {
		p.overloaded(ctx)
	}
	e := ErrServiceOverloaded.With(http.StatusServiceUnavailable).WithCause(cause)
	e.Header = http.Header{"Retry-After": {retryAfterOverload}}
	return e
}

// builtinHasher verifies both built-in formats and makes one of them.
type builtinHasher struct{ argon2id bool }

func (h builtinHasher) Hash(_ context.Context, password string) (string, error) {
	if h.argon2id {
		return newArgon2idHash(password), nil
	}
	return newScryptHash(password)
}

func (h builtinHasher) Verify(_ context.Context, hash, password string) (bool, error) {
	if strings.HasPrefix(hash, argon2idPrefix) {
		return verifyArgon2id(hash, password)
	}
	return verifyScrypt(hash, password)
}

// Outdated reports whether hash is in the format, or was made with the
// parameters, that new hashes do not have.
func (h builtinHasher) Outdated(hash string) bool {
	if h.argon2id {
		return !strings.HasPrefix(hash, argon2idPrefix+argon2idParams)
	}
	return strings.HasPrefix(hash, argon2idPrefix)
}
