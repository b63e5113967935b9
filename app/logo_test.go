package app

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"coral/app/view"
	"coral/node/origin"
)

// A list's logos are fetched when they are in sight, once, from public addresses,
// and are there after the next start.
func TestLogos(t *testing.T) {
	asked := make(chan string, 100)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		if r.URL.Path == "/a.png" {
			png.Encode(w, image.NewRGBA(image.Rect(0, 0, 64, 64)))
		}
	}))
	t.Cleanup(srv.Close)
	dir := t.TempDir()
	list := filepath.Join(dir, "list.m3u")
	text := bytes.ReplaceAll([]byte("#EXTM3U\n#EXTINF:-1 tvg-logo=\"SRV/a.png\",A\nhttps://one.example/a.m3u8\n"+
		"#EXTINF:-1 tvg-logo=\"SRV/b.png\",B\nhttps://one.example/b.m3u8\n#EXTINF:-1,C\nhttps://one.example/c.m3u8\n"), []byte("SRV"), []byte(srv.URL))
	if err := os.WriteFile(list, text, 0o600); err != nil {
		t.Fatal(err)
	}
	open := func(t *testing.T, policy origin.Policy) *rig {
		r := openRig(t, dir)
		done := make(chan struct{})
		r.queue.post(func() { r.logos.policy = policy; close(done) })
		<-done
		r.say(view.Open{Text: list})
		m := r.until("three channels", func(m view.Model) bool { return len(m.Channels) == 3 })
		for _, c := range m.Channels {
			r.say(view.WantLogo{ID: c.ID})
		}
		return r
	}
	t.Run("of this network", func(t *testing.T) {
		r := open(t, newLogos().policy)
		r.until("two tried", func(view.Model) bool { return r.tried() == 2 })
	}) // its end waits for all that was begun
	if len(asked) != 0 {
		t.Fatalf("%s was asked for at a loopback address", <-asked)
	}
	t.Run("of one that may be asked", func(t *testing.T) {
		r := open(t, origin.Policy{Typed: []string{srv.URL}})
		m := r.until("a logo", func(m view.Model) bool { return m.Channels[0].Poster != nil })
		if m.Channels[1].Poster != nil || m.Channels[2].Poster != nil || m.Channels[2].Logo {
			t.Errorf("%+v", m.Channels)
		}
	})
	for len(asked) > 0 {
		<-asked
	}
	t.Run("again", func(t *testing.T) {
		r := open(t, newLogos().policy)
		r.until("the logo from the disk", func(m view.Model) bool { return m.Channels[0].Poster != nil })
	})
	for len(asked) > 0 {
		if path := <-asked; path == "/a.png" {
			t.Error("what is on the disk was asked for again")
		}
	}
}

// tried is how many logos were to be fetched.
func (r *rig) tried() int {
	n := make(chan int, 1)
	r.queue.post(func() { n <- r.logos.fetched })
	return <-n
}
