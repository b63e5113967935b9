package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// live serves a film's segments as an endless live channel in MPEG-TS, as a
// packager would that begins anew with a discontinuity.
type live struct {
	epoch    time.Time
	duration time.Duration // of a segment
	window   int           // segments that the playlist shows
	segments [][]byte
}

// livePath is where a live origin has its playlist.
const livePath = "/live.m3u8"

// newLive reads the segments in a folder, in the order of their names.
func newLive(dir string, duration time.Duration, window int) (*live, error) {
	l := &live{duration: duration, window: window, epoch: time.Now().Add(-time.Duration(window) * duration)}
	names, err := filepath.Glob(filepath.Join(dir, "*.ts"))
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			return nil, err
		}
		l.segments = append(l.segments, b)
	}
	if len(l.segments) == 0 {
		return nil, fmt.Errorf("no segments in %s", dir)
	}
	return l, nil
}

// serve answers on loopback until stop is called.
func (l *live) serve() (url string, stop func(), err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("start origin: %w", err)
	}
	srv := &http.Server{Handler: l, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan struct{})
	go func() { srv.Serve(ln); close(ended) }()
	return "http://" + ln.Addr().String() + livePath, func() { srv.Close(); <-ended }, nil
}

// ServeHTTP implements http.Handler.
func (l *live) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	next := int(time.Since(l.epoch) / l.duration) // the segment that is not complete yet
	if r.URL.Path == livePath {
		w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(l.playlist(next)))
		return
	}
	name, ok := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/"), ".ts")
	n, err := strconv.Atoi(name)
	if !ok || err != nil || n < 0 || n >= next || n < next-3*l.window {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "video/mp2t")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(l.segments[n%len(l.segments)]))
}

func (l *live) playlist(next int) string {
	first := max(0, next-l.window)
	var b strings.Builder
	fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-TARGETDURATION:%d\n#EXT-X-MEDIA-SEQUENCE:%d\n#EXT-X-DISCONTINUITY-SEQUENCE:%d\n",
		max(1, int(l.duration.Seconds()+0.5)), first, max(0, (first-1)/len(l.segments)))
	for n := first; n < next; n++ {
		if n%len(l.segments) == 0 && n > 0 {
			b.WriteString("#EXT-X-DISCONTINUITY\n")
		}
		at := l.epoch.Add(time.Duration(n) * l.duration)
		fmt.Fprintf(&b, "#EXT-X-PROGRAM-DATE-TIME:%s\n#EXTINF:%.3f,\n%d.ts\n", at.UTC().Format("2006-01-02T15:04:05.000Z"), l.duration.Seconds(), n)
	}
	return b.String()
}

// age is how long ago a picture of the film was made when it was seen: it is one of
// the last round's, or of the one before.
func (l *live) age(picture, rate int, seen time.Time) time.Duration {
	round := time.Duration(len(l.segments)) * l.duration
	at := time.Duration(picture) * time.Second / time.Duration(rate)
	return (seen.Sub(l.epoch) - at) % round
}
