package conformancetest

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/seed3b05b409/auth"
)

// What the second factor makes up by chance: secrets of apps, backup codes, names of
// challenges and of devices.

var (
	otpauthForm   = regexp.MustCompile(`otpauth://totp/[^"\s]+`)
	backupForm    = regexp.MustCompile(`"backupCodes":(\[[^\]]*\])`)
	challengeForm = regexp.MustCompile(`\b2fa-((?:attempts-2fa-|otp-2fa-)?)([\w-]{20})([^\w-]|$)`)
	trustForm     = regexp.MustCompile(`([\w-]{43})!trust-device-([\w-]{32})`)
	codeForm      = regexp.MustCompile(`"code":"\d{6,8}"`)
	deviceForm    = regexp.MustCompile(`trust-device-([\w-]{32})`)
	unpadded      = base32.StdEncoding.WithPadding(base32.NoPadding)
)

// secondFactor replaces it.
func (w *words) secondFactor(text string) string {
	text = otpauthForm.ReplaceAllStringFunc(text, w.appURI)
	for _, found := range backupForm.FindAllStringSubmatch(text, -1) {
		var codes []any
		if json.Unmarshal([]byte(found[1]), &codes) == nil {
			for _, code := range codes {
				w.chance(code)
			}
		}
	}
	text = codeForm.ReplaceAllStringFunc(text, shown)
	text = challengeForm.ReplaceAllStringFunc(text, func(found string) string {
		parts := challengeForm.FindStringSubmatch(found)
		return "2fa-" + parts[1] + w.label(parts[2]) + parts[3]
	})
	text = trustForm.ReplaceAllStringFunc(text, w.device)
	return deviceForm.ReplaceAllStringFunc(text, func(found string) string {
		return "trust-device-" + w.label(strings.TrimPrefix(found, "trust-device-"))
	})
}

// secondFactorHash names what a text is the hash of: a code, the name of a challenge
// or a device, or of a code for one or for a session.
func (w *words) secondFactorHash(text string) string {
	for i, code := range w.codes {
		if auth.HashIdentifier(code) == text {
			return fmt.Sprintf("<hash of code %d>", i+1)
		}
	}
	for id, label := range w.labels {
		for _, purpose := range []string{"2fa-", "2fa-attempts-2fa-", "2fa-otp-2fa-", "trust-device-"} {
			if auth.HashIdentifier(purpose+id) == text {
				return "<hash of " + purpose + label + ">"
			}
		}
		for other, label2 := range w.labels {
			if auth.HashIdentifier("2fa-otp-"+id+"!"+other) == text {
				return "<hash of 2fa-otp-" + label + "!" + label2 + ">"
			}
		}
	}
	return ""
}

// appURI names the secret in the URI of an app.
func (w *words) appURI(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return text
	}
	encoded := u.Query().Get("secret")
	secret, err := unpadded.DecodeString(encoded)
	if err != nil || len(secret) != 32 {
		return text
	}
	return strings.Replace(text, encoded, "<base32 of "+w.label(string(secret))+">", 1)
}

// device names the user in whose name a device was signed.
func (w *words) device(text string) string {
	parts := trustForm.FindStringSubmatch(text)
	for i, key := range w.variant.keys() {
		for id, label := range w.labels {
			if base64.RawURLEncoding.EncodeToString(mac(key, id+"!trust-device-"+parts[2])) == parts[1] {
				return fmt.Sprintf("<signature %d of %s>!trust-device-%s", i+1, label, parts[2])
			}
		}
	}
	return text
}

// totp is what an app shows of a URI, and of the number of steps from now behind a
// comma: another program than the library's.
func totp(argument string) string {
	text, offset, _ := strings.Cut(argument, ",")
	u, err := url.Parse(text)
	if err != nil {
		panic(err)
	}
	query := u.Query()
	key, err := unpadded.DecodeString(query.Get("secret"))
	if err != nil {
		panic(err)
	}
	digits, _ := strconv.Atoi(query.Get("digits"))
	period, _ := strconv.Atoi(query.Get("period"))
	steps, _ := strconv.Atoi(offset)
	if digits == 0 || period == 0 {
		return argument // there is no URI: both sides get the same
	}
	return hotp(key, time.Now().Unix()/int64(period)+int64(steps), digits)
}

// appSecret is one of which both sides make codes.
const appSecret = "abcdefghijklmnopqrstuvwxyz012345"

// shown names a code that an app with that secret shows, or did a moment ago.
func shown(text string) string {
	code := strings.Trim(strings.TrimPrefix(text, `"code":`), `"`)
	for _, period := range []int64{30, 60} {
		for ago := range int64(2) {
			if hotp([]byte(appSecret), time.Now().Unix()/period-ago, len(code)) == code {
				return fmt.Sprintf(`"code":"<%d digits for %d seconds>"`, len(code), period)
			}
		}
	}
	return text
}

func hotp(key []byte, counter int64, digits int) string {
	h := hmac.New(sha1.New, key)
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(counter)))
	sum := h.Sum(nil)
	number := binary.BigEndian.Uint32(sum[sum[19]&15:]) &^ (1 << 31)
	code := fmt.Sprintf("%010d", number)
	return code[len(code)-digits:]
}
