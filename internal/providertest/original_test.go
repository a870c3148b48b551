package providertest

import (
	"embed"
	"encoding/json"
	"sync"
	"testing"

	"github.com/seed3b05b409/auth/internal/testleak"
	"github.com/seed3b05b409/auth/internal/testnode"
)

//go:embed original.mjs
var scripts embed.FS

var running struct {
	sync.Mutex
	original *testnode.Process
}

func TestMain(m *testing.M) {
	testleak.Main(m, func() {
		if o := running.original; o != nil {
			o.Stop()
		}
	})
}

// theOriginal returns the process in which the npm package runs. The first test
// starts it.
func theOriginal(t *testing.T) *testnode.Process {
	t.Helper()
	running.Lock()
	defer running.Unlock()
	if running.original == nil {
		running.original = testnode.Start(t, testnode.Install(t, scripts), "original.mjs", func(json.RawMessage) {})
	}
	return running.original
}

// theirFlow is what flow of original.mjs returns.
type theirFlow struct {
	URL      attempt[string]        `json:"url"`
	Exchange attempt[*theirTokens]  `json:"exchange"`
	Profile  *attempt[*theirInfo]   `json:"profile"`
	Subject  *attempt[theirSubject] `json:"subject"`
	Refresh  *attempt[*theirTokens] `json:"refresh"`
}

type attempt[T any] struct {
	Value    T         `json:"value"`
	Thrown   string    `json:"thrown"`
	Requests []request `json:"requests"`
}

type theirTokens struct {
	AccessToken          any   `json:"accessToken"`
	RefreshToken         any   `json:"refreshToken"`
	IDToken              any   `json:"idToken"`
	AccessTokenExpiresAt any   `json:"accessTokenExpiresAt"`
	Scopes               []any `json:"scopes"`
}

type theirInfo struct {
	User map[string]any `json:"user"`
	Data any            `json:"data"`
}

type theirSubject struct {
	ID    string `json:"id"`
	Kind  string `json:"kind"`
	Valid bool   `json:"valid"`
}
