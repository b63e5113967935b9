package publish

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

type fixed Stats

func (f fixed) Stats() Stats { return Stats(f) }

func TestDashboard(t *testing.T) {
	stats := fixed{
		SegmentsSigned: 7, Consumed: 1000, SourceOK: true, LastError: "<script>alert(1)</script>",
		Audience:   Audience{Viewers: 3, Helpers: 1, Sent: 250, Watching: map[uint16]int{0: 3}},
		Renditions: []RenditionStats{{Rendition: 0, Segments: 7, Bytes: 70, Sequence: 12, LagMS: 41, Newest: time.Now()}},
	}
	d, err := NewDashboard(DashboardConfig{Addr: "127.0.0.1:0", Name: `A "name"`, Link: "magnet:?x"}, stats)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	defer func() { cancel(); <-done; http.DefaultClient.CloseIdleConnections() }()
	get := func(path string, change func(*http.Request)) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequest(http.MethodGet, d.URL()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if change != nil {
			change(r)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return resp, string(body)
	}
	for path := range files {
		if resp, body := get(strings.TrimPrefix(path, "/"), nil); resp.StatusCode != 200 || len(body) < 500 {
			t.Errorf("%s: %d, %d bytes", path, resp.StatusCode, len(body))
		}
	}
	resp, body := get("api/stats", nil)
	var got report
	if err := json.Unmarshal([]byte(body), &got); err != nil || got.Offload != 0.75 || got.Audience.Viewers != 3 || got.Link != "magnet:?x" || got.Renditions[0].Sequence != 12 {
		t.Errorf("%v %s", err, body)
	}
	for header, want := range map[string]string{"Access-Control-Allow-Origin": "", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"} {
		if v := resp.Header.Get(header); v != want {
			t.Errorf("%s: %q", header, v)
		}
	}
	d.sample(time.Now())
	if _, body := get("api/history", nil); !strings.Contains(body, `"sent":250`) {
		t.Errorf("history %s", body)
	}
	if _, body := get("metrics", nil); !strings.Contains(body, `coral_segments_signed_total{channel="A \"name\"",rendition="0"} 7`) || !strings.Contains(body, "\ncoral_offload_ratio_estimate{channel=\"A \\\"name\\\"\"} 0.75\n") {
		t.Errorf("metrics %s", body)
	}
	for name, c := range map[string]struct {
		path   string
		change func(*http.Request)
		want   int
	}{
		"another name":    {"", func(r *http.Request) { r.Host = "evil.example:80" }, 403},
		"another port":    {"", func(r *http.Request) { r.Host = "127.0.0.1" }, 403},
		"a web page":      {"api/stats", func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }, 403},
		"null origin":     {"api/stats", func(r *http.Request) { r.Header.Set("Origin", "null") }, 403},
		"a foreign image": {"api/stats", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403},
		"a followed link": {"", func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Sec-Fetch-Mode", "navigate")
			r.Header.Set("Sec-Fetch-Dest", "document")
		}, 200},
		"the page itself": {"api/stats", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-origin") }, 200},
		"POST":            {"api/stats", func(r *http.Request) { r.Method = http.MethodPost }, 405},
		"elsewhere":       {"page/index.html", nil, 404},
		"above":           {"..%2fdashboard.go", nil, 404},
	} {
		if resp, _ := get(c.path, c.change); resp.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", name, resp.StatusCode, c.want)
		}
	}
}

func TestDashboardBeyondThisMachine(t *testing.T) {
	d, err := NewDashboard(DashboardConfig{Addr: "0.0.0.0:0"}, fixed{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	r := httptest.NewRequest(http.MethodGet, "http://stats.example.org/api/stats", nil)
	w := httptest.NewRecorder()
	if d.ServeHTTP(w, r); w.Code != 200 {
		t.Errorf("%d", w.Code)
	}
}
