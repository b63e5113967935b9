package system

import (
	"strings"
	"testing"
)

func TestWebURL(t *testing.T) {
	for _, good := range []string{"http://127.0.0.1:1/T/play/master.m3u8", "https://example.org/a%20b?x=1&y=2#z", "http://[::1]:80/"} {
		if got, err := webURL(good); err != nil || got != good {
			t.Errorf("%s: %s, %v", good, got, err)
		}
	}
	for _, bad := range []string{
		"", "-v", "--script=http://x/", "file:///etc/passwd", "javascript:alert(1)", "http:", "http://", "//x/y", "http:x", "HTTP//x",
		"http://x/ y", "http://x/\ny", "http://x/\x00", "http://x/`id`", `http://x/"y`, "http://u:p@x/", "http://x/ü", "http://x/%zz", "ftp://x/", " http://x/",
		"http://x/" + strings.Repeat("a", maxURL),
	} {
		if got, err := webURL(bad); err == nil {
			t.Errorf("%.50q became %q", bad, got)
		} else if len(bad) > 2 && strings.Contains(err.Error(), bad) {
			t.Errorf("%v holds the URL", err)
		}
		if OpenURL(bad) == nil || (ExternalPlayer{Name: "x"}).Open(bad) == nil {
			t.Errorf("%.50q was opened", bad)
		}
		if _, err := OpenExternal(bad); err == nil {
			t.Errorf("%.50q was played", bad)
		}
	}
}
