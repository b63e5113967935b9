package publish

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

//go:embed page
var page embed.FS

const (
	// sampleEvery and keepSamples say how much the page's chart shows: the last
	// ten minutes.
	sampleEvery = 2 * time.Second
	keepSamples = 300
	// dashboardConns bounds connections: a few people and a Prometheus.
	dashboardConns = 64
)

// Provider is who knows what the dashboard shows.
type Provider interface {
	Stats() Stats
}

// DashboardConfig says what a Dashboard shows, and where.
type DashboardConfig struct {
	// Addr is HOST:PORT. On a loopback address only this machine's browsers are
	// answered; beyond it, everyone is: the page needs no password, since it
	// tells counts and a public link.
	Addr string
	Name string // of the channel
	// Link is shown for copying. Leave it empty for a private channel, whose
	// link is a secret.
	Link string
	Log  *slog.Logger // nil: none
}

// Dashboard is the organiser's page, at /; its figures as JSON at /api/stats, for
// the chart at /api/history, and for Prometheus at /metrics. All of it is
// read-only.
type Dashboard struct {
	cfg      DashboardConfig
	from     Provider
	listener net.Listener
	guard    *guard

	mu      sync.Mutex
	samples []sample
}

// sample is the totals at one time.
type sample struct {
	At       int64 `json:"at"` // Unix milliseconds
	Viewers  int   `json:"viewers"`
	Consumed int64 `json:"consumed"`
	Sent     int64 `json:"sent"`
}

// NewDashboard listens; Run serves.
func NewDashboard(cfg DashboardConfig, from Provider) (*Dashboard, error) {
	l, err := net.Listen("tcp", cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("open dashboard: %w", err)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Dashboard{cfg: cfg, from: from, listener: l, guard: newGuard(l.Addr())}, nil
}

// Addr is where it listens.
func (d *Dashboard) Addr() net.Addr { return d.listener.Addr() }

// URL is what to open in a browser.
func (d *Dashboard) URL() string { return "http://" + d.listener.Addr().String() + "/" }

// Close stops listening, if Run was never called.
func (d *Dashboard) Close() error { return d.listener.Close() }

// Run serves until ctx ends.
func (d *Dashboard) Run(ctx context.Context) error {
	s := &http.Server{
		Handler: d, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: quietLog(),
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(limitConns(d.listener, dashboardConns)) }()
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("serve dashboard: %w", err)
		case <-tick.C:
			d.sample(time.Now())
		case <-ctx.Done():
			s.Close()
			<-done
			return nil
		}
	}
}

// sample notes the totals for the chart.
func (d *Dashboard) sample(now time.Time) {
	s := d.from.Stats()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.samples) == keepSamples {
		d.samples = append(d.samples[:0], d.samples[1:]...)
	}
	d.samples = append(d.samples, sample{now.UnixMilli(), s.Audience.Viewers, s.Consumed, s.Audience.Sent})
}

// files are the page's parts. Nothing else is served from the embedded folder.
var files = map[string]struct{ name, contentType string }{
	"/":              {"page/index.html", "text/html; charset=utf-8"},
	"/dashboard.css": {"page/dashboard.css", "text/css; charset=utf-8"},
	"/dashboard.js":  {"page/dashboard.js", "text/javascript; charset=utf-8"},
}

func (d *Dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "+
		"img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	switch {
	case !d.guard.pass(r) && !(d.guard.host(r.Host) && followed(r)):
		http.Error(w, "forbidden", http.StatusForbidden)
		return
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "GET only", http.StatusMethodNotAllowed)
		return
	}
	if f, ok := files[r.URL.Path]; ok {
		body, err := page.ReadFile(f.name)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		h.Set("Content-Type", f.contentType)
		w.Write(body)
		return
	}
	switch r.URL.Path {
	case "/api/stats":
		d.writeJSON(w, d.report())
	case "/api/history":
		d.mu.Lock()
		list := append([]sample{}, d.samples...)
		d.mu.Unlock()
		d.writeJSON(w, list)
	case "/metrics":
		h.Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		s := d.from.Stats()
		w.Write([]byte(metrics(d.cfg.Name, &s)))
	default:
		http.NotFound(w, r)
	}
}

// followed reports a person who follows a link to the page from another site.
func followed(r *http.Request) bool {
	return r.URL.Path == "/" && len(r.Header.Values("Origin")) == 0 &&
		r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

// report is what /api/stats says.
type report struct {
	Name    string  `json:"name"`
	Link    string  `json:"link,omitempty"`
	Offload float64 `json:"offload_estimate"`
	Stats
}

func (d *Dashboard) report() report {
	s := d.from.Stats()
	if s.Audience.Watching == nil {
		s.Audience.Watching = map[uint16]int{}
	}
	return report{Name: d.cfg.Name, Link: d.cfg.Link, Offload: s.Offload(), Stats: s}
}

func (d *Dashboard) writeJSON(w http.ResponseWriter, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "not available", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(append(body, '\n'))
}

// metrics is the Prometheus text format, version 0.0.4.
func metrics(name string, s *Stats) string {
	var b strings.Builder
	channel := fmt.Sprintf("channel=\"%s\"", strings.NewReplacer("\\", `\\`, "\"", `\"`, "\n", `\n`).Replace(name))
	put := func(metric, kind, help string, v any) {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n%s{%s} %v\n", metric, help, metric, kind, metric, channel, v)
	}
	each := func(metric, kind, help string, v func(*RenditionStats) any) {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", metric, help, metric, kind)
		for i := range s.Renditions {
			fmt.Fprintf(&b, "%s{%s,rendition=\"%d\"} %v\n", metric, channel, s.Renditions[i].Rendition, v(&s.Renditions[i]))
		}
	}
	up := 0
	if s.SourceOK {
		up = 1
	}
	put("coral_viewers", "gauge", "Viewers connected to the publisher.", s.Audience.Viewers)
	put("coral_helpers", "gauge", "Helpers connected to the publisher.", s.Audience.Helpers)
	put("coral_sent_bytes_total", "counter", "Bytes sent to peers, on the wire.", s.Audience.Sent)
	put("coral_consumed_bytes_estimate_total", "counter", "Bytes that connected viewers played, estimated from what they watched.", s.Consumed)
	put("coral_offload_ratio_estimate", "gauge", "Part of what viewers played that the publisher did not send.", s.Offload())
	put("coral_segments_skipped_total", "counter", "Segments left out: missing at the source, or too slow.", s.SegmentsSkipped)
	put("coral_source_up", "gauge", "Whether the source's last answer was good.", up)
	put("coral_source_errors_total", "counter", "Failures of the source or the state folder.", s.SourceErrors)
	put("coral_source_restarts_total", "counter", "How often the source began anew.", s.SourceRestarts)
	put("coral_source_fetched_bytes_total", "counter", "Bytes of segments fetched from the source.", s.BytesFetched)
	each("coral_segments_signed_total", "counter", "Segments signed and handed on.", func(r *RenditionStats) any { return r.Segments })
	each("coral_signed_bytes_total", "counter", "Bytes of the segments signed.", func(r *RenditionStats) any { return r.Bytes })
	each("coral_publish_lag_seconds", "gauge", "From noticing the newest segment to handing it on.", func(r *RenditionStats) any { return float64(r.LagMS) / 1000 })
	each("coral_newest_segment_timestamp_seconds", "gauge", "When the newest segment was signed.", func(r *RenditionStats) any { return float64(r.Newest.UnixMilli()) / 1000 })
	return b.String()
}
