package conformancetest

import (
	"bytes"
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed3b05b409/auth"
)

// words replaces what differs from one run to the next by what it stands for:
// signatures by whose they are, times by how far away they are, ids and tokens by
// numbers in the order in which they appear.
type words struct {
	t       testing.TB
	variant *variant

	provider *provider // nil if the variant has none
	states   []string  // of flows, member by member

	rows      func() []row      // of all tables; nil without a database
	published map[string]string // public keys by their id

	address string // of the client
	labels  map[string]string
	codes   []string  // that a server has made up and sent
	began   time.Time // the case
	now     time.Time
}

// begin is called before each step: its times are from then on.
func (w *words) begin() { w.now = time.Now() }

var (
	jwtForm    = regexp.MustCompile(`eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+`)
	jweForm    = regexp.MustCompile(`eyJ[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+`)
	signedForm = regexp.MustCompile(`([\w!-]+)\.([A-Za-z0-9+/%]{43,90}(?:%3D|=))`)
	isoForm    = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`)
	epochForm  = regexp.MustCompile(`\b1[789]\d{8}(?:\d{3})?\b`)
	uuidForm   = regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`)
	idForm     = regexp.MustCompile(`\b(?:[0-9A-Za-z]{32}|[0-9A-Za-z]{24})\b`)
	tokenForm  = regexp.MustCompile(`[\w-]{32,}`)
	hashForm   = regexp.MustCompile(`[\w-]{43}`)
	scryptForm = regexp.MustCompile(`\b[0-9a-f]{32}:[0-9a-f]{128}\b`)
)

// text replaces all of it in a text.
func (w *words) text(text string) string {
	text = w.provider.inWords(text)
	text = jweForm.ReplaceAllStringFunc(text, w.jwe)
	text = keyedForm.ReplaceAllStringFunc(text, w.keyed)
	text = jwtForm.ReplaceAllStringFunc(text, w.jwt)
	text = jwkForm.ReplaceAllStringFunc(text, w.jwk)
	text = authorizeForm.ReplaceAllStringFunc(text, w.authorization)
	text = w.flowState(text)
	text = sealedForm.ReplaceAllStringFunc(text, w.sealed)
	text = strings.ReplaceAll(text, w.address, "203.0.113.7")
	text = signedForm.ReplaceAllStringFunc(text, w.signed)
	text = w.secrets(text)
	text = scryptForm.ReplaceAllString(text, "<scrypt hash>")
	text = isoForm.ReplaceAllStringFunc(text, w.iso)
	text = epochForm.ReplaceAllStringFunc(text, w.epoch)
	text = w.secondFactor(text)
	for i, code := range w.codes {
		text = regexp.MustCompile(`\b`+regexp.QuoteMeta(code)+`\b`).ReplaceAllLiteralString(text, fmt.Sprintf("<code %d>", i+1))
	}
	text = hashForm.ReplaceAllStringFunc(text, w.hash)
	text = uuidForm.ReplaceAllStringFunc(text, w.label)
	text = tokenForm.ReplaceAllStringFunc(text, w.token)
	return idForm.ReplaceAllStringFunc(text, w.label)
}

// chance learns a code that is not the same on both sides.
func (w *words) chance(code any) {
	if text, ok := code.(string); ok && !slices.Contains(w.codes, text) {
		w.codes = append(w.codes, text)
	}
}

// token names one of the letters, digits, - and _ that the original draws from.
func (w *words) token(text string) string {
	if len(text) != 32 || strings.ToLower(text) == text || strings.ToUpper(text) == text {
		return text // words, or the name of a cookie
	}
	return w.label(text)
}

func (w *words) label(id string) string {
	if label := w.inCapitals(id); label != "" {
		return label + " in small letters"
	}
	if w.labels[id] == "" {
		kind := "id"
		if uuidForm.MatchString(id) {
			kind = "uuid"
		}
		w.labels[id] = fmt.Sprintf("<%s %d>", kind, len(w.labels)+1)
	}
	return w.labels[id]
}

// inCapitals returns the label of the token that an id is in small letters, if it is
// one.
func (w *words) inCapitals(id string) string {
	for token, label := range w.labels {
		if token != id && strings.ToLower(token) == id {
			return label
		}
	}
	return ""
}

// hash names the identifier whose hash a text is, if it contains a token that has
// appeared.
func (w *words) hash(text string) string {
	if name := w.secondFactorHash(text); name != "" {
		return name
	}
	for id, label := range w.labels {
		for _, purpose := range []string{"", "reset-password:", "delete-account-", "auth-state:", "one-time-token:", "magic-link:"} {
			if auth.HashIdentifier(purpose+id) == text {
				return "<hash of " + purpose + label + ">"
			}
			if auth.HashIdentifier(purpose+auth.HashIdentifier(id)) == text {
				return "<hash of " + purpose + "hash of " + label + ">"
			}
		}
	}
	return text
}

// away is how far a time is away, in minutes; what a step takes is no difference,
// nor what the case has taken until then.
func (w *words) away(at time.Time) string {
	if at.After(w.began) && at.Before(w.now) {
		return "<>"
	}
	return "<" + minutes(at.Sub(w.now)) + ">"
}

// minutes rounds a duration, a long one less exactly: on a slow machine the steps
// of a case take their time too.
func minutes(d time.Duration) string {
	unit := time.Minute
	if d.Abs() > 2*time.Hour {
		unit = 10 * time.Minute
	}
	return strings.TrimSuffix(d.Round(unit).String(), "0s")
}

func (w *words) iso(text string) string {
	at, err := time.Parse("2006-01-02T15:04:05.000Z", text)
	if err != nil || at.Sub(w.now).Abs() > 10*365*24*time.Hour {
		return text
	}
	return w.away(at)
}

func (w *words) epoch(text string) string {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return text
	}
	if len(text) == 10 {
		return `"` + w.away(time.Unix(n, 0)) + ` in seconds"`
	}
	return `"` + w.away(time.UnixMilli(n)) + ` in milliseconds"`
}

// signature names the key of a signature; that of nobody stays as it is.
func (w *words) signature(text string, signature []byte) (string, bool) {
	for i, key := range w.variant.keys() {
		if hmac.Equal(mac(key, text), signature) {
			return fmt.Sprintf("<signature %d>", i+1), true
		}
	}
	return "", false
}

func (w *words) signed(text string) string {
	parts := signedForm.FindStringSubmatch(text)
	signature, err := base64.StdEncoding.DecodeString(decoded(parts[2]))
	if err != nil {
		return text
	}
	if name, ok := w.signature(parts[1], signature); ok {
		if strings.Contains(parts[2], "%") == strings.Contains(parts[2], "=") {
			return text // encoded in part
		}
		return parts[1] + "." + name
	}
	return text
}

func (w *words) jwt(text string) string {
	parts := strings.Split(text, ".")
	header, _ := base64.RawURLEncoding.DecodeString(parts[0])
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	signature, _ := base64.RawURLEncoding.DecodeString(parts[2])
	if signer := w.provider.signer(parts[0]+"."+parts[1], signature); signer != "" {
		return w.idToken(signer, header, payload)
	}
	name, ok := w.signature(parts[0]+"."+parts[1], signature)
	if !ok {
		return text
	}
	if string(header) != `{"alg":"HS256"}` {
		return text
	}
	return fmt.Sprintf("<jwt %s %s>", payload, name)
}

// jwe lets the original open a copy: it then is what it has to be.
func (w *words) jwe(text string) string {
	for i, key := range w.variant.keys() {
		for _, salt := range []string{"better-auth-session", "better-auth-account"} {
			var opened struct{ Payload json.RawMessage }
			theOriginal(w.t).Ask(w.t, "open", object{"value": text, "secret": key, "salt": salt}, &opened)
			if len(opened.Payload) > 0 && string(opened.Payload) != "null" {
				return fmt.Sprintf("<jwe %s key %d %s>", uuidForm.ReplaceAll(opened.Payload, []byte("<random>")), i+1, salt)
			}
		}
	}
	return text
}

var copyName = regexp.MustCompile(`^([^=]*(?:session|account)_data)(\.\d+)?$`)

// cookies describes Set-Cookie lines: each as it is, a copy of a session as what
// it says. Chunks are put together.
func (w *words) cookies(lines []string) (described []string) {
	var name, joined string
	chunks := make(map[int]string)
	flush := func() {
		for i := range len(chunks) {
			joined += chunks[i]
		}
		if joined != "" {
			described = append(described, "copy "+name+" = "+w.copied(joined))
		}
		joined = ""
		clear(chunks)
	}
	for _, line := range lines {
		cookie, rest, _ := strings.Cut(line, "=")
		value, attributes, _ := strings.Cut(rest, ";")
		parts := copyName.FindStringSubmatch(cookie)
		switch {
		case parts == nil || value == "":
			flush()
			described = append(described, "set-cookie: "+w.text(line))
		case parts[2] == "":
			flush()
			name, joined = parts[1], value
			described = append(described, "set-cookie: "+cookie+"=<copy>;"+attributes)
		default:
			i, _ := strconv.Atoi(parts[2][1:])
			name, chunks[i] = parts[1], value
			described = append(described, fmt.Sprintf("set-cookie: %s=<%d bytes>;%s", cookie, len(value), attributes))
		}
	}
	flush()
	return described
}

// copied is what a copy of a session says, in any of its forms.
func (w *words) copied(value string) string {
	var compact struct {
		Session   json.RawMessage `json:"session"`
		ExpiresAt int64           `json:"expiresAt"`
		Signature string          `json:"signature"`
	}
	text, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil || json.Unmarshal(text, &compact) != nil {
		return w.text(value)
	}
	signature, _ := base64.RawURLEncoding.DecodeString(compact.Signature)
	signed := fmt.Sprintf(`%s,"expiresAt":%d}`, bytes.TrimSuffix(compact.Session, []byte("}")), compact.ExpiresAt)
	name, ok := w.signature(signed, signature)
	if !ok {
		return value
	}
	text = bytes.Replace(text, []byte(compact.Signature), []byte(name), 1)
	return w.text(string(text))
}
