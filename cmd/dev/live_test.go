package main

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestLive(t *testing.T) {
	l := &live{epoch: time.Now().Add(-5 * time.Second), duration: time.Second, window: 4, segments: [][]byte{{'a'}, {'b'}, {'c'}}}
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		l.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		return w.Code, w.Body.String()
	}
	_, list := get(livePath)
	for _, want := range []string{"MEDIA-SEQUENCE:1\n", "DISCONTINUITY-SEQUENCE:0\n", "2.ts\n#EXT-X-DISCONTINUITY\n", "4.ts\n"} {
		if !strings.Contains(list, want) {
			t.Errorf("no %q in\n%s", want, list)
		}
	}
	if strings.Contains(list, "5.ts") {
		t.Errorf("a segment that is not complete:\n%s", list)
	}
	if code, body := get("/4.ts"); code != 200 || body != "b" {
		t.Errorf("segment 4: %d %q", code, body)
	}
	for _, path := range []string{"/5.ts", "/-1.ts", "/x.ts", "/"} {
		if code, _ := get(path); code != 404 {
			t.Errorf("%s: %d", path, code)
		}
	}
	// The fourth picture of the second round, at two a second.
	if age := l.age(3, 2, l.epoch.Add(4750*time.Millisecond)); age != 250*time.Millisecond {
		t.Errorf("%v old", age)
	}
}

func TestMiddle(t *testing.T) {
	if m := middle([]float64{9, 1, 5}); m != 5 {
		t.Error(m)
	}
}
