package uitest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// TestTrace: what goes wrong in a page is heard.
func TestTrace(t *testing.T) {
	findBrowser(t)
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, `<!doctype html><link rel="icon" href="data:,">done<script>
			console.error("said", 1);
			setTimeout(() => { throw new Error("thrown") });
			Promise.reject(new Error("rejected"));
			fetch("/broken?x=1", {method: "POST"});
			fetch("/cut").catch(() => {});
		</script>`)
	})
	mux.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	mux.HandleFunc("/cut", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)

	b := open(t, &site{origin: server.URL})
	b.goTo("/").sees("done").settle()
	exchanges, complaints := b.trace.take()
	slices.Sort(exchanges)
	if want := []string{"GET / 200", "POST /broken 500"}; !slices.Equal(exchanges, want) {
		t.Errorf("exchanges %q, want %q", exchanges, want)
	}
	said := strings.Join(complaints, "\n")
	for _, want := range []string{`console: "said"`, "Error: thrown", "Error: rejected", "GET /cut: net::ERR_EMPTY_RESPONSE"} {
		if !strings.Contains(said, want) {
			t.Errorf("nobody complains of %s:\n%s", want, said)
		}
	}
	if len(complaints) != 4 {
		t.Errorf("%d complaints:\n%s", len(complaints), said)
	}
	if exchanges, complaints = b.trace.take(); len(exchanges)+len(complaints) > 0 {
		t.Errorf("%q and %q are heard twice", exchanges, complaints)
	}
}
