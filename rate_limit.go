package auth

import (
	"cmp"
	"container/list"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// RateLimit bounds how often a client may call an endpoint over the network.
// Requests are counted per address and path. The zero value limits every path
// to 100 requests in 10 seconds, and these more strictly (contract section 10):
//
//	/sign-in…, /sign-up…, /change-password…, /change-email…   3 in 10 seconds
//	/request-password-reset, /send-verification-email,
//	/forget-password…, /email-otp/send-verification-otp,
//	/email-otp/request-password-reset                         3 in 60 seconds
//
// Every allowed request starts the window anew, denied ones do not. Plugins
// may set rules for their own paths, Rules override them all.
type RateLimit struct {
	// Disabled lets passwords and codes be guessed at any speed, unless
	// something in front of the server limits requests.
	Disabled bool

	// Window in which at most Max requests are allowed. Defaults: 10 seconds,
	// 100 requests.
	Window time.Duration
	Max    int

	// Rules for single paths. A key is a path without the base path, or a glob:
	// "/sign-in/*" for one more segment, "/two-factor/**" for any number. A
	// path as it is comes before globs, longer globs before shorter ones.
	Rules map[string]RateRule

	// RuleFunc may give a request another rule than the one that was found for its
	// path, by its headers for instance. The request is nil in a Call that passes
	// headers alone; its body is not to be read. It is called at the same time from
	// many goroutines. Default: none.
	RuleFunc func(r *http.Request, path string, rule RateRule) RateRule

	// Storage counts the requests. Default: Config.SecondaryStorage if that is a
	// [SecondaryCounter], otherwise the memory of this process, for up to 100000
	// pairs of address and path. In a secondary storage windows are fixed and
	// denied requests count too.
	Storage RateLimitStorage

	// StoreInDatabase counts them in Config.Store, table "rateLimit".
	StoreInDatabase bool
}

// A RateRule is the limit for one path. A zero Window or Max keeps that of the
// rule it replaces.
type RateRule struct {
	Window    time.Duration
	Max       int
	Unlimited bool // requests are not counted at all
}

// RateLimitStorage counts requests, for instance in a database that several
// processes share.
type RateLimitStorage interface {
	// Consume counts one request under the key and decides whether it is
	// allowed, in one atomic step: of any number of concurrent calls at most
	// rule.Max succeed in a window. If the request is denied, retryAfter is the
	// time until one will be allowed; zero stands for the whole window. Window
	// and Max are positive. An error fails the request.
	Consume(ctx context.Context, key string, rule RateRule) (retryAfter time.Duration, allowed bool, err error)
}

// limiter is the rate limiter of an instance. It is safe for concurrent use.
type limiter struct {
	disabled bool
	standard RateRule
	plugins  []rateRules
	custom   rateRules
	change   func(r *http.Request, path string, rule RateRule) RateRule // nil: as it was found
	storage  RateLimitStorage
}

// newLimiter takes the rules of the plugins in the order of the plugins; the
// first that has one for a path wins. All mistakes are reported together.
func newLimiter(config RateLimit, plugins ...map[string]RateRule) (*limiter, error) {
	standard := RateRule{Window: config.Window, Max: config.Max}
	l := &limiter{
		disabled: config.Disabled,
		standard: standard.over(RateRule{Window: 10 * time.Second, Max: 100}),
		change:   config.RuleFunc,
		storage:  config.Storage,
	}
	if l.storage == nil {
		l.storage = newRateMemory(100000)
	}
	var mistakes [3]error
	if !standard.valid() {
		mistakes[0] = errors.New("auth: RateLimit: negative Window or Max")
	}
	l.custom, mistakes[1] = newRateRules(config.Rules)
	for _, rules := range plugins {
		compiled, err := newRateRules(rules)
		l.plugins = append(l.plugins, compiled)
		mistakes[2] = errors.Join(mistakes[2], err)
	}
	if database, ok := l.storage.(*rateDatabase); ok {
		database.longest.Store(l.longestWindow().Milliseconds())
	}
	return l, errors.Join(mistakes[:]...)
}

// longestWindow is how long counts may be needed.
func (l *limiter) longestWindow() time.Duration {
	longest := max(l.standard.Window, guessRule.Window, mailRule.Window)
	for _, rules := range append([]rateRules{l.custom}, l.plugins...) {
		for _, rule := range rules.paths {
			longest = max(longest, rule.Window)
		}
		for _, g := range rules.globs {
			longest = max(longest, g.rule.Window)
		}
	}
	return longest
}

// allow counts a request and decides on it. The path is that of the matched
// route without the base path; one name should stand for all that match none.
// An empty address is unknown: all such clients share one count.
func (l *limiter) allow(ctx context.Context, r *http.Request, address, path string) (retryAfter time.Duration, ok bool, err error) {
	if l.disabled {
		return 0, true, nil
	}
	rule := l.rule(path)
	if l.change != nil {
		if rule = l.change(r, path, rule).over(rule); !rule.valid() {
			return 0, false, fmt.Errorf("auth: RateLimit.RuleFunc gave %s a negative Window or Max", path)
		}
	}
	if rule.Unlimited {
		return 0, true, nil
	}
	retryAfter, ok, err = l.storage.Consume(ctx, rateKey(address, path), rule)
	if !ok && retryAfter <= 0 {
		retryAfter = rule.Window
	}
	return retryAfter, ok && err == nil, err
}

// rateKey is the key of the original, so that both can count in one database.
func rateKey(address, path string) string {
	if address == "" {
		address = "no-trusted-ip"
	}
	return address + "|" + path
}

// tooManyRequests is the answer to a request that was not allowed. The header
// tells the time to wait in whole seconds.
func tooManyRequests(retryAfter time.Duration) *APIError {
	e := NewError(http.StatusTooManyRequests, "", "Too many requests. Please try again later.")
	seconds := (retryAfter + time.Second - 1) / time.Second
	e.Header = http.Header{"X-Retry-After": {strconv.FormatInt(int64(seconds), 10)}}
	return e
}

// rule returns the rule for a path: the standard or built-in one, replaced by
// that of a plugin, replaced by that of the configuration.
func (l *limiter) rule(path string) RateRule {
	rule := l.standard
	if i := slices.IndexFunc(builtInRules, func(b builtInRule) bool { return b.matches(path) }); i >= 0 {
		rule = builtInRules[i].rule
	}
	for _, rules := range l.plugins {
		if found, ok := rules.find(path); ok {
			rule = found.over(rule)
			break
		}
	}
	if found, ok := l.custom.find(path); ok {
		rule = found.over(rule)
	}
	return rule
}

// over fills in what the rule leaves open from the one it replaces.
func (r RateRule) over(replaced RateRule) RateRule {
	r.Window = cmp.Or(r.Window, replaced.Window)
	r.Max = cmp.Or(r.Max, replaced.Max)
	return r
}

func (r RateRule) valid() bool { return r.Window >= 0 && r.Max >= 0 }

// A builtInRule covers a path, or all paths with a prefix.
type builtInRule struct {
	path   string
	prefix bool
	rule   RateRule
}

func (b builtInRule) matches(path string) bool {
	return path == b.path || b.prefix && strings.HasPrefix(path, b.path)
}

var (
	guessRule = RateRule{Window: 10 * time.Second, Max: 3} // a credential is tried
	mailRule  = RateRule{Window: 60 * time.Second, Max: 3} // somebody else gets a mail
)

var builtInRules = []builtInRule{
	{"/sign-in", true, guessRule},
	{"/sign-up", true, guessRule},
	{"/change-password", true, guessRule},
	{"/change-email", true, guessRule},
	{"/request-password-reset", false, mailRule},
	{"/send-verification-email", false, mailRule},
	{"/forget-password", true, mailRule},
	{"/email-otp/send-verification-otp", false, mailRule},
	{"/email-otp/request-password-reset", false, mailRule},
}

// rateRules finds the rule for a path.
type rateRules struct {
	paths map[string]RateRule
	globs []globRule // longest first
}

type globRule struct {
	pattern string
	glob    glob
	rule    RateRule
}

func newRateRules(config map[string]RateRule) (rateRules, error) {
	rules := rateRules{paths: make(map[string]RateRule)}
	var mistakes []error
	for pattern, rule := range config {
		if !rule.valid() || !strings.HasPrefix(pattern, "/") && !strings.HasPrefix(pattern, "*") {
			mistakes = append(mistakes, fmt.Errorf("auth: rate limit rule %q: want a path that starts with a slash, no negative Window or Max", pattern))
			continue
		}
		if !strings.Contains(pattern, "*") {
			rules.paths[pattern] = rule
			continue
		}
		rules.globs = append(rules.globs, globRule{pattern, newGlob(pattern), rule})
	}
	slices.SortFunc(rules.globs, func(a, b globRule) int {
		return cmp.Or(cmp.Compare(len(b.pattern), len(a.pattern)), cmp.Compare(a.pattern, b.pattern))
	})
	slices.SortFunc(mistakes, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	return rules, errors.Join(mistakes...)
}

func (r rateRules) find(path string) (RateRule, bool) {
	if rule, ok := r.paths[path]; ok {
		return rule, true
	}
	for _, g := range r.globs {
		if g.glob.matches(path) {
			return g.rule, true
		}
	}
	return RateRule{}, false
}

// rateMemory counts in the memory of this process. It holds at most limit
// counts: each new one removes up to two that have expired, and the one that
// was counted up longest ago if there is no room.
type rateMemory struct {
	limit int

	mu     sync.Mutex
	counts map[string]*list.Element // of *rateCount
	oldest *list.List               // by time of the last allowed request
}

type rateCount struct {
	key     string
	count   int
	last    time.Time // of the last allowed request
	expires time.Time
}

func newRateMemory(limit int) *rateMemory {
	return &rateMemory{limit: limit, counts: make(map[string]*list.Element), oldest: list.New()}
}

// Consume never returns an error.
func (m *rateMemory) Consume(_ context.Context, key string, rule RateRule) (time.Duration, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	element, ok := m.counts[key]
	if !ok {
		m.makeRoom(now)
		element = m.oldest.PushBack(&rateCount{key: key})
		m.counts[key] = element
	}
	c := element.Value.(*rateCount)
	switch {
	case now.Sub(c.last) >= rule.Window:
		c.count = 0
	case c.count >= rule.Max:
		return c.last.Add(rule.Window).Sub(now), false, nil
	}
	c.count++
	c.last, c.expires = now, now.Add(rule.Window)
	m.oldest.MoveToBack(element)
	return 0, true, nil
}

func (m *rateMemory) makeRoom(now time.Time) {
	for range 2 {
		if front := m.oldest.Front(); front != nil && !now.Before(front.Value.(*rateCount).expires) {
			m.remove(front)
		}
	}
	if len(m.counts) >= m.limit {
		m.remove(m.oldest.Front())
	}
}

func (m *rateMemory) remove(element *list.Element) {
	delete(m.counts, element.Value.(*rateCount).key)
	m.oldest.Remove(element)
}
