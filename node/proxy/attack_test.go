package proxy

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"coral/node/nodetest"
	"coral/store/segment"
)

// raw sends a request as it stands and returns the whole answer.
func (s *setup) raw(t *testing.T, request string) string {
	t.Helper()
	c, err := s.dial(t.Context(), "tcp", s.server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(bufio.NewReader(c))
	return string(b)
}

// TestAttacks tries what a web page in the user's browser, a rebound name,
// another program and another user of the machine can send. None may get a byte
// of media, nor learn whether a token is right, nor what runs here.
func TestAttacks(t *testing.T) {
	s := start(t, nil)
	canary := bytes.Repeat([]byte("MEDIA"), 100)
	s.set(func() { s.objects[segment.ID{Sequence: 1}] = whole(canary); s.keys[0] = canary[:16] })
	s.live(1, 3, false)
	addr := s.server.Addr().String()
	_, port, _ := net.SplitHostPort(addr)
	token := s.mount.token
	good := "/" + token + "/play/0/1.ts"
	if a := s.do(t, "GET", "http://"+addr+good); a.err != nil || a.StatusCode != 200 || !bytes.Equal(a.body, canary) {
		t.Fatalf("the right request fails: %v %v", a.Status, a.err)
	}

	line := func(method, path string, header ...string) string {
		r := method + " " + path + " HTTP/1.1\r\n"
		host := "Host: " + addr
		for _, h := range header {
			if strings.HasPrefix(h, "Host:") {
				host = ""
			}
			r += h + "\r\n"
		}
		if host != "" {
			r += host + "\r\n"
		}
		return r + "Connection: close\r\n\r\n"
	}
	flipped := func(i int) string {
		b := []byte(token)
		b[i] = map[bool]byte{true: '1', false: '0'}[b[i] == '0']
		return string(b)
	}
	attacks := map[string]struct {
		request string
		status  string
	}{
		"rebound name":            {line("GET", good, "Host: evil.example:"+port), "403"},
		"rebound name, our start": {line("GET", good, "Host: 127.0.0.1.evil.example:"+port), "403"},
		"no port":                 {line("GET", good, "Host: 127.0.0.1"), "403"},
		"other port":              {line("GET", good, "Host: 127.0.0.1:1"), "403"},
		"other spelling":          {line("GET", good, "Host: 127.1:"+port), "403"},
		"unspecified":             {line("GET", good, "Host: 0.0.0.0:"+port), "403"},
		"empty host":              {line("GET", good, "Host:"), "403"},
		"two hosts":               {line("GET", good, "Host: "+addr, "Host: evil.example"), "400"},
		"no host, HTTP/1.0":       {"GET " + good + " HTTP/1.0\r\n\r\n", "403"},
		"no host, HTTP/1.1":       {"GET " + good + " HTTP/1.1\r\n\r\n", "400"},
		"absolute form":           {line("GET", "http://evil.example"+good), "403"},
		"cors":                    {line("GET", good, "Origin: https://evil.example"), "403"},
		"cors from a neighbour":   {line("GET", good, "Origin: http://127.0.0.1:1"), "403"},
		"two origins":             {line("GET", good, "Origin: http://"+addr, "Origin: https://evil.example"), "403"},
		"own origin, other way":   {line("GET", good, "Origin: https://"+addr), "403"},
		"null origin":             {line("GET", good, "Origin: null"), "403"},
		"empty origin":            {line("GET", good, "Origin:"), "403"},
		"no-cors image":           {line("GET", good, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"), "403"},
		"main frame":              {line("GET", good, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"), "403"},
		"same site, other port":   {line("GET", good, "Sec-Fetch-Site: same-site"), "403"},
		"two sites":               {line("GET", good, "Sec-Fetch-Site: none", "Sec-Fetch-Site: cross-site"), "403"},
		"odd site":                {line("GET", good, "Sec-Fetch-Site: None"), "403"},
		"websocket":               {line("GET", good, "Origin: https://evil.example", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="), "403"},
		"preflight":               {line("OPTIONS", good, "Origin: https://evil.example", "Access-Control-Request-Method: GET", "Access-Control-Request-Private-Network: true"), "403"},
		"options":                 {line("OPTIONS", good), "405"},
		"options *":               {line("OPTIONS", "*"), "405"},
		"form post":               {line("POST", good, "Content-Type: text/plain", "Content-Length: 0"), "405"},
		"put":                     {line("PUT", good, "Content-Length: 0"), "405"},
		"delete":                  {line("DELETE", good), "405"},
		"trace":                   {line("TRACE", good), "405"},
		"connect":                 {"CONNECT evil.example:80 HTTP/1.1\r\nHost: evil.example:80\r\n\r\n", "403"},
		"own method":              {line("BREW", good), "405"},
		"get with a body":         {line("GET", good, "Content-Length: 1000000"), "400"},
		"get with chunks":         {line("GET", good, "Transfer-Encoding: chunked"), "400"},
		"smuggled":                {line("GET", good, "Content-Length: 5", "Transfer-Encoding: chunked"), "400"},
		"HTTP/2 preface":          {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "4"}, // 405 or 505, as net/http likes
		"huge header":             {line("GET", good, "X: "+strings.Repeat("x", 64<<10)), "431"},
		"not http":                {"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", "400"},
		"wrong token, first":      {line("GET", "/"+flipped(0)+"/play/0/1.ts"), "404"},
		"wrong token, last":       {line("GET", "/"+flipped(31)+"/play/0/1.ts"), "404"},
		"short token":             {line("GET", "/"+token[:31]+"/play/0/1.ts"), "404"},
		"long token":              {line("GET", "/"+token+"0/play/0/1.ts"), "404"},
		"upper case token":        {line("GET", "/"+strings.ToUpper(token)+"x/play/0/1.ts"), "404"},
		"no token":                {line("GET", "/"), "404"},
		"empty token":             {line("GET", "//play/0/1.ts"), "404"},
		"token escaped":           {line("GET", "/%"+fmt.Sprintf("%02x", token[0])+token[1:]+"/play/0%2f1.ts"), "404"},
		"favicon":                 {line("GET", "/favicon.ico"), "404"},
		"up":                      {line("GET", "/x/../"+token+"/play/0/1.ts"), "404"},
		"no page here":            {line("GET", "/"+token+"/web/"), "404"},
		"a file":                  {line("GET", "/"+token+"/play/../../../../etc/passwd"), "404"},
		"a url":                   {line("GET", "/"+token+"/play/?url=http://evil.example/"), "404"},
	}
	for name, a := range attacks {
		got := s.raw(t, a.request)
		if !strings.HasPrefix(got, "HTTP/1.1 "+a.status) && !strings.HasPrefix(got, "HTTP/1.0 "+a.status) {
			t.Errorf("%s: %.60q, want %s", name, got, a.status)
		}
		for _, leak := range []string{"MEDIA", "Access-Control", "Server:", "X-Powered", "oral", "go/", "evil", "passwd", "EXTM3U"} {
			if strings.Contains(got, leak) {
				t.Errorf("%s: answer has %q:\n%s", name, leak, got)
			}
		}
	}

	// A right token must not be told from a wrong one by those who may not ask.
	date := func(s string) string {
		if i := strings.Index(s, "Date: "); i >= 0 {
			return s[:i] + s[i+len("Date: Mon, 02 Jan 2006 15:04:05 GMT"):]
		}
		return s
	}
	for _, h := range []string{"Host: evil.example", "Origin: null", "Sec-Fetch-Site: cross-site"} {
		right, wrong := s.raw(t, line("GET", good, h)), s.raw(t, line("GET", "/"+flipped(3)+"/play/0/1.ts", h))
		if date(right) != date(wrong) {
			t.Errorf("%s tells a right token from a wrong one:\n%s\n%s", h, right, wrong)
		}
	}
	// Nor an unknown path from a wrong token by anyone.
	right, wrong := s.raw(t, line("GET", "/"+token+"/play/0/99.ts")), s.raw(t, line("GET", "/"+flipped(3)+"/play/0/99.ts"))
	if date(right) != date(wrong) {
		t.Errorf("unknown path and wrong token differ:\n%s\n%s", right, wrong)
	}
	if s.opened != 1 {
		t.Errorf("session opened %d objects", s.opened)
	}
	if s.server.Rejected() == 0 {
		t.Error("nothing counted as rejected")
	}
}

// TestHeaders checks what every good answer says to a browser.
func TestHeaders(t *testing.T) {
	s := start(t, nil)
	s.set(func() { s.objects[segment.ID{Sequence: 1}] = whole([]byte("x")) })
	a := s.get(t, "0/1.ts", "Sec-Fetch-Site", "same-origin")
	want := map[string]string{
		"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin", "Referrer-Policy": "no-referrer",
		"Cache-Control": "no-store", "Content-Type": "video/mp2t", "Accept-Ranges": "bytes", "Content-Length": "1",
	}
	for k, v := range want {
		if got := a.Header.Get(k); got != v {
			t.Errorf("%s: %q, want %q", k, got, v)
		}
	}
	for k := range a.Header {
		if strings.HasPrefix(k, "Access-Control") || k == "Server" {
			t.Errorf("answer has %s", k)
		}
	}
	if a := s.get(t, "0/1.ts", "Sec-Fetch-Site", "none"); a.StatusCode != 200 {
		t.Errorf("typed into a browser: %s", a.Status)
	}
}

func TestMounts(t *testing.T) {
	s := start(t, nil)
	other := newFake()
	page := &Page{Files: fstest.MapFS{"index.html": {Data: []byte("<p>")}, "app.js": {Data: []byte("1")}}, Panel: &desk{}}
	m, err := s.server.Mount(other, page)
	if err != nil {
		t.Fatal(err)
	}
	if m.token == s.mount.token || len(m.token) != tokenLen {
		t.Errorf("tokens %q and %q", m.token, s.mount.token)
	}
	if a := s.do(t, "GET", m.PageURL()+"app.js"); string(a.body) != "1" || a.Header.Get("Content-Security-Policy") != pagePolicy {
		t.Errorf("%s %q", a.Status, a.body)
	}
	if a := s.do(t, "GET", m.PageURL(), "Sec-Fetch-Site", "cross-site"); a.StatusCode != 403 {
		t.Errorf("page shown to another site: %s", a.Status)
	}
	if s.mount.PageURL() != "" {
		t.Error("a page that is not there")
	}

	other.set(func() {
		other.objects[segment.ID{}] = &blob{data: make([]byte, 10), come: 5, sizeKnown: true}
	})
	ended := make(chan answer)
	go func() { ended <- s.do(t, "GET", m.URL()[:len(m.URL())-len(masterName)]+"0/0.ts") }()
	other.wait(t.Context(), func() bool { return true })
	for m.Stats().Bytes < 5 {
		time.Sleep(time.Millisecond)
	}
	m.Close()
	if a := <-ended; a.err == nil {
		t.Errorf("request outlived its mount: %v", a)
	}
	if a := s.do(t, "GET", m.URL()); a.StatusCode != 404 {
		t.Errorf("closed mount: %s", a.Status)
	}
	for range maxMounts - 1 {
		if _, err := s.server.Mount(other, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.server.Mount(other, nil); err == nil {
		t.Error("no limit on mounts")
	}
}

// TestSlowHeader: a connection that does not send its header is closed.
func TestSlowHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, nodetest.NewNet())
		for _, begin := range []string{"", "GET / HTTP/1.1\r\nHost: "} {
			c, err := s.dial(t.Context(), "tcp", s.server.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(c, begin)
			began := time.Now()
			io.Copy(io.Discard, c)
			if d := time.Since(began); d > headerTimeout+time.Second {
				t.Errorf("%q: closed after %v", begin, d)
			}
			c.Close()
		}
		// A body that was announced and does not come holds nothing up either.
		began := time.Now()
		s.raw(t, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
		if d := time.Since(began); d > 2*time.Second {
			t.Errorf("closed after %v", d)
		}
	})
}

// TestConnectionFlood: however many connections are opened and left, a player
// gets through.
func TestConnectionFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, nodetest.NewNet())
		s.live(1, 3, false)
		s.set(func() {
			s.presentation = single()
			s.objects[segment.ID{Sequence: 1}] = &blob{data: []byte("abcdef"), come: 3, sizeKnown: true}
		})
		watching := make(chan answer)
		go func() { watching <- s.get(t, "0/1.ts") }()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for range 3 * maxConns {
			c, err := s.dial(ctx, "tcp", s.server.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			synctest.Wait()
		}
		if a := s.get(t, masterName); a.err != nil || a.StatusCode != 200 {
			t.Errorf("player shut out: %v %v", a.Status, a.err)
		}
		s.server.conns.mu.Lock()
		n := len(s.server.conns.all)
		s.server.conns.mu.Unlock()
		if n > maxConns {
			t.Errorf("%d connections", n)
		}
		s.set(func() { s.objects[segment.ID{Sequence: 1}].come = 6 })
		if a := <-watching; string(a.body) != "abcdef" || a.err != nil {
			t.Errorf("request under way was cut: %q %v", a.body, a.err)
		}
	})
}
