package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// JWTClaims are the claims of tokens whose payload does not have them.
type JWTClaims struct {
	Issuer   string   // iss; default: scheme and host of the base URL
	Audience []string // aud, a text if it is one; default: as Issuer

	// ExpiresIn is the time from iat to exp, in whole seconds; default 15 minutes.
	// ExpiresAt is exp itself. One of both.
	ExpiresIn time.Duration
	ExpiresAt time.Time
}

const defaultJWTLifetime = 15 * time.Minute

// UnmarshalJSON reads the original's form: issuer, audience, a text or a list, and
// expirationTime, a span such as "15m" or a number, which is exp itself.
func (c *JWTClaims) UnmarshalJSON(text []byte) error {
	var sent struct {
		Issuer         string          `json:"issuer"`
		Audience       json.RawMessage `json:"audience"`
		ExpirationTime any             `json:"expirationTime"`
	}
	if err := json.Unmarshal(text, &sent); err != nil {
		return err
	}
	*c = JWTClaims{Issuer: sent.Issuer}
	if one := ""; json.Unmarshal(sent.Audience, &one) == nil && one != "" {
		c.Audience = []string{one}
	} else if err := json.Unmarshal(sent.Audience, &c.Audience); sent.Audience != nil && err != nil {
		return err
	}
	return c.readExpirationTime(sent.ExpirationTime)
}

func (c *JWTClaims) readExpirationTime(sent any) (err error) {
	switch sent := sent.(type) {
	case float64:
		c.ExpiresAt = time.Unix(int64(sent), 0)
	case string:
		c.ExpiresIn, err = parseJWTSpan(sent)
	}
	return err
}

// expiry is exp for a token that was issued at a time in seconds.
func (c *JWTClaims) expiry(issued float64) float64 {
	switch {
	case !c.ExpiresAt.IsZero():
		return float64(c.ExpiresAt.Unix())
	case c.ExpiresIn == 0:
		return issued + defaultJWTLifetime.Seconds()
	}
	return issued + math.Round(c.ExpiresIn.Seconds())
}

var (
	jwtSpan      = regexp.MustCompile(`(?i)^([+-])? ?(\d+(?:\.\d+)?) ?(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?|mo|months?|y|yrs?|years?)(?: (ago|from now))?$`)
	jwtSpanUnits = []struct {
		prefix string
		length time.Duration
	}{
		{"s", time.Second}, {"mo", 30 * 24 * time.Hour}, {"m", time.Minute}, {"h", time.Hour},
		{"d", 24 * time.Hour}, {"w", 7 * 24 * time.Hour}, {"y", 8766 * time.Hour},
	}
)

// maxJWTSpan is how many seconds a Duration holds.
const maxJWTSpan = math.MaxInt64 / int64(time.Second)

// parseJWTSpan reads a span of time as the original writes it (contract section
// 10.1): "15m", "2 hours", "1 day ago". A month has 30 days, a year 365.25.
func parseJWTSpan(text string) (time.Duration, error) {
	parts := jwtSpan.FindStringSubmatch(text)
	if parts == nil || parts[1] != "" && parts[4] != "" {
		return 0, fmt.Errorf("auth: %q is no span of time", text)
	}
	n, err := strconv.ParseFloat(parts[2], 64)
	if err != nil {
		return 0, err
	}
	for _, unit := range jwtSpanUnits {
		if strings.HasPrefix(strings.ToLower(parts[3]), unit.prefix) {
			n *= unit.length.Seconds()
			break
		}
	}
	if n = math.Round(n); n > float64(maxJWTSpan) {
		return 0, fmt.Errorf("auth: %q is too long", text)
	}
	span := time.Duration(n) * time.Second
	if parts[1] == "-" || strings.EqualFold(parts[4], "ago") {
		span = -span
	}
	return span, nil
}

// A jwtObject is a JSON object whose members keep their order.
type jwtObject []jwtMember

type jwtMember struct {
	name  string
	value json.RawMessage
}

// newJWTObject returns the members of a value that is a JSON object. nil is one
// without members.
func newJWTObject(value any) (o jwtObject, err error) {
	text, err := encodeJWT(value)
	if err != nil || string(text) == "null" {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	if start, err := dec.Token(); err != nil || start != json.Delim('{') {
		return nil, fmt.Errorf("auth: the payload of a JWT is a JSON object, not a %T", value)
	}
	for dec.More() {
		name, err := dec.Token()
		var member json.RawMessage
		if err == nil {
			err = dec.Decode(&member)
		}
		if err != nil {
			return nil, err
		}
		o.set(name.(string), member)
	}
	return o, nil
}

// encodeJWT writes JSON as JavaScript does, without escapes for HTML.
func encodeJWT(value any) ([]byte, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	err := enc.Encode(value)
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), err
}

// get returns a member, nil if it is missing or null.
func (o jwtObject) get(name string) json.RawMessage {
	for _, m := range o {
		if m.name == name && string(m.value) != "null" {
			return m.value
		}
	}
	return nil
}

// set replaces a member where it stands, or appends it.
func (o *jwtObject) set(name string, value json.RawMessage) {
	for i := range *o {
		if (*o)[i].name == name {
			(*o)[i].value = value
			return
		}
	}
	*o = append(*o, jwtMember{name, value})
}

// put is set for a value that JSON can express.
func (o *jwtObject) put(name string, value any) error {
	text, err := encodeJWT(value)
	if err == nil {
		o.set(name, text)
	}
	return err
}

// text is the object in JSON.
func (o jwtObject) text() ([]byte, error) {
	text := []byte("{")
	for i, m := range o {
		name, err := encodeJWT(m.name)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(append(text, name...), ':'), m.value...)
	}
	return append(text, '}'), nil
}

// complete gives a payload exp, iss and aud unless it has them, and makes numbers of
// its times. Errors: a registered claim of the wrong type (RFC 7519 section 4.1).
func (o *jwtObject) complete(claims JWTClaims) error {
	issued := float64(time.Now().Unix())
	for _, name := range []string{"iat", "exp", "nbf"} {
		if raw := o.get(name); raw != nil {
			seconds, err := jwtSeconds(name, raw)
			if err != nil {
				return err
			}
			if name == "iat" {
				issued = seconds
			}
			if err := o.put(name, seconds); err != nil {
				return err
			}
		}
	}
	for _, missing := range []struct {
		name  string
		value any
	}{{"exp", claims.expiry(issued)}, {"iss", claims.Issuer}, {"aud", oneOrList(claims.Audience)}} {
		if o.get(missing.name) == nil {
			if err := o.put(missing.name, missing.value); err != nil {
				return err
			}
		}
	}
	return o.checkTexts()
}

func oneOrList(audience []string) any {
	if len(audience) == 1 {
		return audience[0]
	}
	return audience
}

// checkTexts wants iss, sub and jti to be texts, and aud one or a list of them.
func (o jwtObject) checkTexts() error {
	var list []string
	for _, name := range []string{"iss", "sub", "jti", "aud"} {
		raw, text := o.get(name), ""
		if raw == nil || json.Unmarshal(raw, &text) == nil {
			continue
		}
		if name != "aud" || json.Unmarshal(raw, &list) != nil {
			return fmt.Errorf("auth: the claim %s of a JWT is no text", name)
		}
	}
	return nil
}

// jwtSeconds reads a time in a payload: a number of seconds, a time, or a span from
// now.
func jwtSeconds(name string, raw json.RawMessage) (float64, error) {
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return 0, err
	}
	switch value := value.(type) {
	case float64:
		return value, nil
	case string:
		if at, err := time.Parse(time.RFC3339Nano, value); err == nil {
			return float64(at.Unix()), nil
		}
		span, err := parseJWTSpan(value)
		return float64(time.Now().Unix()) + span.Seconds(), err
	}
	return 0, errors.New("auth: the claim " + name + " of a JWT is no time")
}
