//go:build unix

package realtest

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// browser is a headless Chromium with one page, driven by the DevTools protocol
// over a pipe: messages are JSON, each ended by a zero byte.
type browser struct {
	t       *testing.T
	to      *os.File
	session string

	mu       sync.Mutex
	last     int
	waiting  map[int]chan message
	troubles []string // what the page's console said: errors, violations of its policy
	requests []string // URLs that the page asked for
}

type message struct {
	ID      int             `json:"id,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// chromium is the browser's name where it is installed.
func chromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			return p
		}
	}
	return ""
}

// browse opens an empty page of a size.
func browse(t *testing.T, width, height int, flags ...string) *browser {
	t.Helper()
	toR, toW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fromR, fromW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{
		"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--mute-audio", "--hide-scrollbars",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-pings", "--log-level=3", "--remote-debugging-pipe",
		"--user-data-dir=" + t.TempDir(), "--autoplay-policy=no-user-gesture-required", fmt.Sprintf("--window-size=%d,%d", width, height),
	}, flags...)
	p := &process{name: "chromium", cmd: exec.Command(chromium(), append(args, "about:blank")...), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "LANG=en_US.UTF-8")
	p.cmd.ExtraFiles = []*os.File{toR, fromW} // 3 and 4
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.cmd.SysProcAttr = ownGroup()
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	toR.Close()
	fromW.Close()
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	b := &browser{t: t, to: toW, waiting: map[int]chan message{}}
	read := make(chan struct{})
	go func() {
		defer close(read)
		b.read(fromR)
	}()
	t.Cleanup(func() {
		p.kill()
		toW.Close()
		<-read
		fromR.Close()
		if t.Failed() {
			t.Logf("chromium said:\n%s\nthe page:\n%s", tail(p.out.String()), strings.Join(b.said(), "\n"))
		}
	})
	var page struct {
		TargetInfos []struct{ TargetID, Type string }
	}
	await(t, "the browser's page", func() bool {
		page.TargetInfos = nil
		b.call("Target.getTargets", nil, &page)
		page.TargetInfos = slices.DeleteFunc(page.TargetInfos, func(i struct{ TargetID, Type string }) bool { return i.Type != "page" })
		return len(page.TargetInfos) > 0
	})
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": page.TargetInfos[0].TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Runtime", "Log", "Page", "Network"} {
		b.call(domain+".enable", nil, nil)
	}
	b.size(width, height)
	return b
}

// read takes what the browser says until it ends.
func (b *browser) read(from *os.File) {
	for r := bufio.NewReader(from); ; {
		raw, err := r.ReadBytes(0)
		if err != nil {
			return
		}
		var m message
		if json.Unmarshal(raw[:len(raw)-1], &m) != nil {
			continue
		}
		b.mu.Lock()
		if m.ID != 0 {
			b.waiting[m.ID] <- m // has room
			delete(b.waiting, m.ID)
		}
		var p struct {
			Type    string
			Entry   struct{ Level, Text, URL, Source string }
			Request struct{ URL string }
			Args    []struct{ Value, Description any }
		}
		_ = json.Unmarshal(m.Params, &p)
		switch {
		case m.Method == "Runtime.exceptionThrown":
			b.troubles = append(b.troubles, "exception: "+string(m.Params))
		case m.Method == "Runtime.consoleAPICalled" && (p.Type == "error" || p.Type == "warning"):
			b.troubles = append(b.troubles, fmt.Sprint(p.Type, ": ", p.Args))
		case m.Method == "Log.entryAdded" && (p.Entry.Level == "error" || p.Entry.Source == "security"):
			b.troubles = append(b.troubles, p.Entry.Level+": "+p.Entry.Text+" "+p.Entry.URL)
		case m.Method == "Network.requestWillBeSent":
			b.requests = append(b.requests, p.Request.URL)
		}
		b.mu.Unlock()
	}
}

// call sends a command and decodes its answer.
func (b *browser) call(method string, params, result any) {
	b.t.Helper()
	p, err := json.Marshal(params)
	if err != nil {
		b.t.Fatal(err)
	}
	if params == nil {
		p = []byte("{}")
	}
	answer := make(chan message, 1)
	b.mu.Lock()
	b.last++
	raw, _ := json.Marshal(message{ID: b.last, Session: b.session, Method: method, Params: p})
	b.waiting[b.last] = answer
	_, err = b.to.Write(append(raw, 0))
	b.mu.Unlock()
	if err != nil {
		b.t.Fatal(err)
	}
	select {
	case m := <-answer:
		if m.Error != nil {
			b.t.Fatalf("%s: %s", method, m.Error.Message)
		}
		if result != nil {
			if err := json.Unmarshal(m.Result, result); err != nil {
				b.t.Fatal(err)
			}
		}
	case <-time.After(within):
		b.t.Fatalf("%s: no answer", method)
	}
}

// size makes the window another size. Narrow ones are telephones.
func (b *browser) size(width, height int) {
	b.t.Helper()
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}, nil)
}

// prefer sets what the page is asked to look like: "dark" or "light".
func (b *browser) prefer(scheme string) {
	b.t.Helper()
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}

func (b *browser) open(url string) {
	b.t.Helper()
	b.call("Page.navigate", map[string]any{"url": url}, nil)
	b.until(fmt.Sprintf("location.href === %q && document.readyState === 'complete'", url))
}

// eval runs JavaScript, as if the user had just clicked, and gives its value.
func (b *browser) eval(js string) any {
	b.t.Helper()
	var r struct {
		Result           struct{ Value any }
		ExceptionDetails *struct {
			Exception struct{ Description string }
		}
	}
	b.call("Runtime.evaluate", map[string]any{"expression": js, "returnByValue": true, "awaitPromise": true, "userGesture": true}, &r)
	if r.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", js, r.ExceptionDetails.Exception.Description)
	}
	return r.Result.Value
}

// until waits until JavaScript says true.
func (b *browser) until(js string) {
	b.t.Helper()
	for end := time.Now().Add(within); b.eval("!!("+js+")") != true; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("waited %v for %s; the page says %q", within, js, b.eval("document.body.innerText"))
		}
	}
}

// press presses keys, each by its name in KeyboardEvent.key.
func (b *browser) press(keys ...string) {
	b.t.Helper()
	codes := map[string]int{"Escape": 27, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, " ": 32, "Enter": 13, "Tab": 9}
	for _, k := range keys {
		down := map[string]any{"type": "keyDown", "key": k, "windowsVirtualKeyCode": codes[k]}
		if len(k) == 1 {
			down["text"] = k
		}
		if k == "Enter" {
			down["text"] = "\r"
		}
		b.call("Input.dispatchKeyEvent", down, nil)
		b.call("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": k, "windowsVirtualKeyCode": codes[k]}, nil)
	}
}

// click presses the mouse where an element is, at a part of its width.
func (b *browser) click(selector string, part float64) {
	b.t.Helper()
	at := b.eval(fmt.Sprintf(`(() => { const r = document.querySelector(%q).getBoundingClientRect(); return [r.left + r.width * %v, r.top + r.height / 2]; })()`, selector, part)).([]any)
	for _, kind := range []string{"mouseMoved", "mousePressed", "mouseReleased"} {
		b.call("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": at[0], "y": at[1], "button": "left", "clickCount": 1}, nil)
	}
}

// shot writes a picture of the page, if CORAL_SHOTS names a folder.
func (b *browser) shot(name string) {
	b.t.Helper()
	dir := os.Getenv("CORAL_SHOTS")
	if dir == "" {
		return
	}
	var r struct{ Data string }
	b.call("Page.captureScreenshot", map[string]any{"format": "png"}, &r)
	png, err := base64.StdEncoding.DecodeString(r.Data)
	if err == nil {
		err = os.WriteFile(dir+"/"+name+".png", bytes.Clone(png), 0o644)
	}
	if err != nil {
		b.t.Error(err)
	}
}

func (b *browser) said() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.troubles)
}

// quiet wants nothing to have gone wrong in the page, and not one request to
// anybody but the proxy.
func (b *browser) quiet(base string) {
	b.t.Helper()
	for _, s := range b.said() {
		b.t.Errorf("the page's console: %s", s)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, u := range b.requests {
		if !strings.HasPrefix(u, base) && !strings.HasPrefix(u, "blob:"+base) && !strings.HasPrefix(u, "data:") {
			b.t.Errorf("the page asked for %s", u)
		}
	}
	if len(b.requests) < 10 {
		b.t.Errorf("only %d requests seen", len(b.requests))
	}
}
