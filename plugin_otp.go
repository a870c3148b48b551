package auth

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Error codes of plugins that send codes to an address or a telephone.
const (
	ErrOTPExpired      Code = "OTP_EXPIRED"
	ErrInvalidOTP      Code = "INVALID_OTP"
	ErrTooManyAttempts Code = "TOO_MANY_ATTEMPTS"
)

// OTPForm is a form in which one-time codes are stored.
type OTPForm int

const (
	PlainOTP     OTPForm = iota // as they are
	HashedOTP                   // as SHA-256 in base64url without padding
	EncryptedOTP                // encrypted under the secret of the instance
)

// OTPStorage says how one-time codes are stored until somebody brings them back.
// The zero value stores them as they are. Whoever reads a store with hashes of
// codes of six digits finds out the codes; only encryption keeps them.
//
// Its functions run while a transaction of the store is open, and must not wait for
// another one. Those that return an error end the request with status 500.
type OTPStorage struct {
	Form OTPForm

	// Hash takes the place of Form: it returns what is stored of a code, the same
	// for the same code. A code that is hashed cannot be sent again or read.
	Hash func(ctx context.Context, code string) (string, error)

	// Encrypt and Decrypt take the place of Form, both together.
	Encrypt func(ctx context.Context, code string) (string, error)
	Decrypt func(ctx context.Context, stored string) (string, error)
}

func (o *OTPStorage) check() error {
	ways := 0
	for _, chosen := range []bool{o.Form != PlainOTP, o.Hash != nil, o.Encrypt != nil || o.Decrypt != nil} {
		if chosen {
			ways++
		}
	}
	switch {
	case o.Form < PlainOTP || o.Form > EncryptedOTP:
		return errors.New("OTPStorage.Form is none of PlainOTP, HashedOTP and EncryptedOTP")
	case (o.Encrypt == nil) != (o.Decrypt == nil):
		return errors.New("OTPStorage needs Encrypt and Decrypt together")
	case ways > 1:
		return errors.New("OTPStorage stores codes in one way: Form, Hash, or Encrypt with Decrypt")
	}
	return nil
}

// otpCodes are the one-time codes of a plugin: verifications whose value is the
// stored code, a colon, and how often somebody brought a wrong one.
type otpCodes struct {
	services *Services
	storage  OTPStorage
	lifetime time.Duration
	attempts int // wrong codes that somebody may bring
}

// otpOutcome is what became of a code that somebody brought.
type otpOutcome int

const (
	otpMissing   otpOutcome = iota // there is none, or none any more
	otpExpired                     // there was one; it is gone
	otpExhausted                   // too many wrong ones came before; the code is gone
	otpWrong                       // counted
	otpRight
	otpTaken // by somebody else at this moment: try again
)

// refusal is what an outcome says to those whose code was refused.
func (o otpOutcome) refusal() error {
	switch o {
	case otpRight:
		return nil
	case otpExpired:
		return NewError(http.StatusBadRequest, ErrOTPExpired, "OTP expired")
	case otpExhausted:
		return NewError(http.StatusForbidden, ErrTooManyAttempts, "Too many attempts")
	}
	return NewError(http.StatusBadRequest, ErrInvalidOTP, "Invalid OTP")
}

// create stores a code. It counts in place of earlier ones.
func (c *otpCodes) create(ctx context.Context, purpose, token, code string) error {
	stored, err := c.store(ctx, code)
	if err != nil {
		return err
	}
	return c.services.CreateVerification(ctx, purpose, token, otpValue(stored, 0), c.lifetime)
}

// redeem compares a code with the one that is stored. A right one is gone then, and
// right runs in the same transaction: if it fails, the code is still there. The
// attempts are counted under the lock of the row, so that no two callers count as
// one, and a caller with the right code waits for those with wrong ones.
func (c *otpCodes) redeem(ctx context.Context, purpose, token, code string, right func(ctx context.Context) error) (otpOutcome, error) {
	return c.bring(ctx, purpose, token, code, func(ctx context.Context, _ *Verification) error { return right(ctx) })
}

// check is redeem for a code that is to be brought once more.
func (c *otpCodes) check(ctx context.Context, purpose, token, code string) (otpOutcome, error) {
	return c.bring(ctx, purpose, token, code, func(ctx context.Context, v *Verification) error {
		return c.services.RestoreVerification(ctx, v, v.Value)
	})
}

// bring tries again as often as others can have been faster with wrong codes.
func (c *otpCodes) bring(ctx context.Context, purpose, token, code string, right func(context.Context, *Verification) error) (outcome otpOutcome, err error) {
	for range c.attempts + 2 {
		err = c.services.Insist(ctx, func(ctx context.Context) (err error) {
			outcome, err = c.try(ctx, purpose, token, code, right)
			return err
		})
		if err != nil || outcome != otpTaken {
			return outcome, err
		}
	}
	return otpMissing, nil
}

func (c *otpCodes) try(ctx context.Context, purpose, token, code string, right func(context.Context, *Verification) error) (otpOutcome, error) {
	v, err := c.services.FindVerification(ctx, purpose, token)
	switch {
	case err != nil || v == nil:
		return otpMissing, err
	case v.ExpiresAt.Before(c.services.Now()):
		return otpExpired, c.services.DeleteVerifications(ctx, purpose, token)
	}
	v, err = c.services.ConsumeVerification(ctx, purpose, token)
	if err != nil || v == nil {
		return otpTaken, err
	}
	stored, wrong, ok := parseOTPValue(v.Value)
	if !ok || wrong >= c.attempts {
		return otpExhausted, nil
	}
	matches, err := c.matches(ctx, stored, code)
	switch {
	case err != nil:
		return otpWrong, err
	case !matches:
		return otpWrong, c.services.RestoreVerification(ctx, v, otpValue(stored, wrong+1))
	}
	return otpRight, right(ctx, v)
}

// current returns what is stored of the code that was created last, and how many
// wrong ones were brought; not ok if it has expired or there is none.
func (c *otpCodes) current(ctx context.Context, purpose, token string) (stored string, wrong int, ok bool, err error) {
	v, err := c.services.FindVerification(ctx, purpose, token)
	if err != nil || v == nil || v.ExpiresAt.Before(c.services.Now()) {
		return "", 0, false, err
	}
	stored, wrong, ok = parseOTPValue(v.Value)
	return stored, wrong, ok, nil
}

// otpValue is the value of a verification.
func otpValue(stored string, wrong int) string { return stored + ":" + strconv.Itoa(wrong) }

// parseOTPValue takes a value apart at its last colon. A value without a number is a
// code that nobody brought yet; one whose number cannot be right is not ok.
func parseOTPValue(value string) (stored string, wrong int, ok bool) {
	i := strings.LastIndexByte(value, ':')
	if i < 0 {
		return value, 0, true
	}
	wrong, err := strconv.Atoi(value[i+1:])
	return value[:i], wrong, err == nil && wrong >= 0
}

// store returns what is stored of a code.
func (c *otpCodes) store(ctx context.Context, code string) (string, error) {
	switch {
	case c.storage.Hash != nil:
		return c.storage.Hash(ctx, code)
	case c.storage.Encrypt != nil:
		return c.storage.Encrypt(ctx, code)
	case c.storage.Form == EncryptedOTP:
		return c.services.Encrypt("", code)
	case c.storage.Form == HashedOTP:
		return HashIdentifier(code), nil
	}
	return code, nil
}

// hashes reports whether a stored code cannot be read any more.
func (c *otpCodes) hashes() bool { return c.storage.Hash != nil || c.storage.Form == HashedOTP }

// open is the opposite of store. It is not ok for what was hashed, or encrypted
// under a secret that is gone.
func (c *otpCodes) open(ctx context.Context, stored string) (code string, ok bool, err error) {
	switch {
	case c.hashes():
		return "", false, nil
	case c.storage.Decrypt != nil:
		code, err = c.storage.Decrypt(ctx, stored)
		return code, err == nil, err
	case c.storage.Form == EncryptedOTP:
		code, err = c.services.Decrypt("", stored)
		return code, err == nil, nil
	}
	return stored, true, nil
}

// matches compares in constant time.
func (c *otpCodes) matches(ctx context.Context, stored, code string) (bool, error) {
	want, ok, err := c.open(ctx, stored)
	if c.hashes() {
		want, ok = stored, true
		code, err = c.store(ctx, code)
	}
	return ok && err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1, err
}
