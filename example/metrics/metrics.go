package main

import (
	"context"
	"expvar"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/seed3b05b409/auth"
)

// metrics are the counters of one server. Their labels have few values: no user, no
// address, and of a path only that of an endpoint.
type metrics struct {
	registry *prometheus.Registry
	events   *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	vars     *expvar.Map // the same for expvar, not published under a name of the process
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "auth_events_total", Help: "Security events by name, method, provider and reason.",
		}, []string{"event", "method", "provider", "reason"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "auth_request_seconds", Help: "Time of requests by endpoint and status.", Buckets: prometheus.DefBuckets,
		}, []string{"endpoint", "status"}),
		vars: new(expvar.Map).Init(),
	}
	m.registry.MustRegister(m.events, m.seconds)
	return m
}

// event is Config.OnEvent.
func (m *metrics) event(_ context.Context, e auth.Event) {
	m.events.WithLabelValues(string(e.Name), e.Method, e.Provider, e.Reason).Inc()
	m.vars.Add(string(e.Name), 1)
}

// latency measures the requests to the endpoints of an instance. A middleware sees the
// answers of the rate limiter too, hooks would not.
func (m *metrics) latency(a *auth.Auth) http.Handler {
	known := endpointNames(a)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun, answer := time.Now(), &statusWriter{ResponseWriter: w, status: http.StatusOK}
		a.ServeHTTP(answer, r)
		m.seconds.WithLabelValues(known.of(r), strconv.Itoa(answer.status)).Observe(time.Since(begun).Seconds())
	})
}

// names finds the endpoint of a request. Strangers invent paths: all that are none of
// ours are one.
type names struct{ mux *http.ServeMux }

func endpointNames(a *auth.Auth) names {
	mux := http.NewServeMux()
	for _, op := range a.API.Operations() {
		if op.Path() == "" {
			continue
		}
		for _, method := range op.Methods() {
			mux.Handle(method+" /api/auth"+muxPattern(op.Path()), named(op.Name()))
		}
	}
	return names{mux}
}

// named is a handler that stands for its name.
type named string

func (named) ServeHTTP(http.ResponseWriter, *http.Request) {}

func (n names) of(r *http.Request) string {
	if handler, _ := n.mux.Handler(r); handler != nil {
		if name, ok := handler.(named); ok {
			return string(name)
		}
	}
	return "none"
}

// muxPattern writes the parameters of a path, /callback/:id, as those of a ServeMux.
func muxPattern(path string) string {
	var pattern []byte
	for i := 0; i < len(path); i++ {
		if path[i] != ':' {
			pattern = append(pattern, path[i])
			continue
		}
		pattern = append(pattern, '{')
		for i++; i < len(path) && path[i] != '/'; i++ {
			pattern = append(pattern, path[i])
		}
		pattern = append(pattern, '}')
		i--
	}
	return string(pattern)
}

// statusWriter remembers the status of a response.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// handler shows the counters.
func (m *metrics) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/vars", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = fmt.Fprintf(w, "{\"auth_events\": %s}\n", m.vars)
	})
	return mux
}
