package faulttest

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/seed3b05b409/auth"
)

// TestOneTimeTokensAtOnce: of any number of callers one gets the session.
func TestOneTimeTokensAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		plugin := &auth.OneTimeToken{}
		s := emptyStage(t, db, func(c *auth.Config) { c.Plugins = []auth.Plugin{plugin} })
		s.words["ANN"] = s.session(s.direct("/sign-up/email", `{"name":"Ann","email":"ann@example.com","password":"password of ann"}`))
		ann := s.request(http.MethodGet, "/one-time-token/generate", "", "ANN")
		for round := range rounds {
			out, err := plugin.Generate.Call(t.Context(), auth.Empty{}, auth.WithRequest(ann))
			if err != nil {
				t.Fatal(err)
			}
			s.words["OTT"] = out.Token
			var won atomic.Int32
			redeem := func() {
				if s.post("", "/one-time-token/verify", `{"token":"$OTT"}`) == http.StatusOK {
					won.Add(1)
				}
			}
			together(redeem, redeem, redeem, redeem, redeem, redeem)
			if won.Load() != 1 {
				t.Fatalf("round %d: %d callers got the session", round, won.Load())
			}
		}
	})
}
