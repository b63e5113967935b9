package node

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"coral/node/channel"
	"coral/node/proxy"
)

// TestWebPage: the page of a session, what it tells of sharing, and whose the
// button is.
func TestWebPage(t *testing.T) {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	status := func(s *Session) (st proxy.Status) {
		t.Helper()
		res, err := client.Get(strings.Replace(s.WebURL(), "/web/", "/status.json", 1))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if err := json.NewDecoder(res.Body).Decode(&st); err != nil {
			t.Fatal(res.Status, err)
		}
		return st
	}
	pause := func(s *Session, body string) {
		t.Helper()
		url := strings.Replace(s.WebURL(), "/web/", "/share", 1)
		req, err := http.NewRequest("POST", url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Origin", "http://"+req.Host)
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusNoContent {
			t.Fatal(res.Status)
		}
	}
	watch := func(change func(*Config)) (running, *Session) {
		cfg := sharing(t, "viewer")
		cfg.Web = fstest.MapFS{"index.html": {Data: []byte("hello")}}
		change(&cfg)
		n := run(t, cfg)
		s, err := n.Watch(t.Context(), &channel.Link{Name: "Reef", Playlist: "http://127.0.0.1:1/none.m3u8"})
		if err != nil {
			t.Fatal(err)
		}
		return n, s
	}

	n, s := watch(func(*Config) {})
	if st := status(s); st.Channel != "Reef" || st.Verified != "unsigned" || st.Sharing != "off" || st.UploadCap >= 0 {
		t.Errorf("%+v", st)
	}
	pause(s, `{"paused":true}`)
	if st := status(s); st.Sharing != "paused" || n.gate.open() {
		t.Errorf("after the button: %+v, the gate is open: %v", st, n.gate.open())
	}
	pause(s, `{"paused":false}`)
	if !n.gate.open() {
		t.Error("the pause does not end")
	}

	// Who only watches does not begin to share by a button.
	n, s = watch(func(c *Config) { c.Share = false })
	pause(s, `{"paused":true}`)
	pause(s, `{"paused":false}`)
	if st := status(s); st.Sharing != "watch-only" || n.gate.open() {
		t.Errorf("%+v, the gate is open: %v", st, n.gate.open())
	}

	// Where an app decides, it hears the button, and says why things are as they are.
	heard := make(chan bool, 1)
	n, s = watch(func(c *Config) { c.Paused = func(on bool) { heard <- on } })
	pause(s, `{"paused":true}`)
	if !<-heard || !n.gate.open() {
		t.Error("the button did it by itself")
	}
	s.SetShareState(ShareMetered)
	if st := status(s); st.Sharing != "metered" {
		t.Errorf("%+v", st)
	}

	// Without files there is no page.
	if _, s := watch(func(c *Config) { c.Web = nil }); s.WebURL() != "" {
		t.Error(s.WebURL())
	}
}
