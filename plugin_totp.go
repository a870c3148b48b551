package auth

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A totp is a time-based one-time password (RFC 6238) with HMAC-SHA1, which is what
// all authenticator apps can do.
type totp struct {
	key    []byte
	digits int           // 1 to 8
	period time.Duration // of a code
}

// totpWindow is by how many time steps the clock of a device may be wrong, in either
// direction (RFC 6238 section 5.2).
const totpWindow = 1

// step is the number of the time step that a moment lies in (RFC 6238 section 4.2).
func (t totp) step(at time.Time) int64 { return at.UnixMilli() / t.period.Milliseconds() }

// code is the password of a time step: the HOTP of that counter (RFC 4226 section
// 5.3).
func (t totp) code(step int64) string {
	mac := hmac.New(sha1.New, t.key)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0xf
	number := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
	modulus := uint32(1)
	for range t.digits {
		modulus *= 10
	}
	return fmt.Sprintf("%0*d", t.digits, number%modulus)
}

// verify returns the time step whose password a code is, the newest one if there are
// several. How long it takes does not tell which, or how much of a code is right.
func (t totp) verify(code string, at time.Time) (step int64, ok bool) {
	now := t.step(at)
	for candidate := now - totpWindow; candidate <= now+totpWindow; candidate++ {
		if subtle.ConstantTimeCompare([]byte(code), []byte(t.code(candidate))) == 1 {
			step, ok = candidate, true
		}
	}
	return step, ok
}

// uri is what an authenticator app reads from a QR code. Label and query are encoded
// as the original does it.
func (t totp) uri(issuer, account string) string {
	return "otpauth://totp/" + labelEscape(issuer) + ":" + labelEscape(account) +
		"?secret=" + base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(t.key) +
		"&issuer=" + formEscape(issuer) +
		"&digits=" + strconv.Itoa(t.digits) +
		"&period=" + strconv.Itoa(int(t.period/time.Second))
}

// labelEscape is encodeURIComponent of JavaScript.
func labelEscape(text string) string {
	return strings.NewReplacer("+", "%20", "%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*").Replace(url.QueryEscape(text))
}

// formEscape is the encoding of application/x-www-form-urlencoded (URL Standard).
func formEscape(text string) string {
	return strings.NewReplacer("%2A", "*", "~", "%7E").Replace(url.QueryEscape(text))
}

// importedKey begins a secret that came from elsewhere; what follows is in base32.
const importedKey = "base32:"

// totpKey returns the key that a stored secret stands for: the bytes of the text
// itself, or those that an imported one encodes.
func totpKey(secret string) ([]byte, error) {
	encoded, imported := strings.CutPrefix(secret, importedKey)
	if !imported {
		return []byte(secret), nil
	}
	return decodeBase32(strings.ToUpper(encoded))
}

// decodeBase32 decodes what providers hand out as base32: of any length, with or
// without padding; bits that make no byte do not count.
func decodeBase32(text string) (decoded []byte, err error) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	text, _, _ = strings.Cut(text, "=")
	buffer, bits := uint32(0), 0
	for i := range len(text) {
		value := strings.IndexByte(alphabet, text[i])
		if value < 0 {
			return nil, fmt.Errorf("auth: the secret has a character that is not base32 at %d", i)
		}
		buffer, bits = buffer<<5|uint32(value), bits+5
		if bits >= 8 {
			bits -= 8
			decoded = append(decoded, byte(buffer>>bits))
		}
	}
	return decoded, nil
}
