package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"coral/node/channel"
)

var update = flag.Bool("update", false, "write what the scripts in testdata should expect")

// TestScripts runs the command lines in testdata/*.txt. A script's line "$ ARGS"
// is a command line, "#" a comment; below a command line stand its exit code
// and what it printed, standard error after "! ".
func TestScripts(t *testing.T) {
	here, err := filepath.Abs("testdata") // scripts run elsewhere
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(here, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := replay(t, string(want))
			if got == string(want) {
				return
			}
			if *update {
				if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
			for i := range g {
				if i >= len(w) || g[i] != w[i] {
					t.Fatalf("line %d: got\n%s\nwant\n%s", i+1, g[i], w[min(i, len(w)-1)])
				}
			}
			t.Fatal("less was printed than expected")
		})
	}
}

// replay runs a script in one folder, so that a line finds what the lines
// before it remembered, and returns it with what happened.
func replay(t *testing.T, script string) string {
	dir := t.TempDir()
	t.Chdir(dir)
	for name, text := range map[string]string{
		"empty.torrent": "", "word": "hello\n", "link": "https://live.example.org/a.m3u8\n", "hls/index.m3u8": "#EXTM3U\n",
		"channel":       testLink().String(),
		"plain.torrent": "d4:infod6:lengthi5e4:name1:x12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaaee",
	} {
		os.MkdirAll(filepath.Dir(name), 0o755)
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	for line := range strings.Lines(script) {
		command, ok := strings.CutPrefix(line, "$")
		if !ok {
			if strings.HasPrefix(line, "#") {
				out.WriteString(line)
			}
			continue
		}
		out.WriteString(line)
		r := start(t, dir, split(t, strings.TrimSpace(command))...)
		fmt.Fprintf(&out, "%d\n", r.code)
		for s := range strings.Lines(r.stdout) {
			out.WriteString(s)
		}
		for s := range strings.Lines(r.stderr) {
			out.WriteString("! " + s)
		}
	}
	return out.String()
}

// testLink is a channel that is the same in every run.
func testLink() *channel.Link {
	d := &channel.Descriptor{
		Name: "Reef", Root: ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey),
		Origins: []string{"https://live.example.org/a.m3u8"},
	}
	l := d.Link()
	l.Peers = []string{"192.0.2.1:26725"}
	return l
}

// TestPrivateLinkIsKept: what holds a private channel's secret is its user's alone.
func TestPrivateLinkIsKept(t *testing.T) {
	secret := make([]byte, channel.SecretSize)
	l := testLink()
	l.Descriptor.Private, l.Descriptor.SecretHash, l.Secret = true, channel.SecretHash(secret), secret
	l.Channel = l.Descriptor.Channel()
	for _, form := range []string{"magnet", "torrent"} {
		name := filepath.Join(t.TempDir(), form)
		if r := start(t, t.TempDir(), "link", l.String(), "--to", form, "--out", name); r.code != 0 {
			t.Fatal(r.stderr)
		}
		if info, err := os.Stat(name); err != nil || runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", form, info.Mode(), err)
		}
	}
}

// split cuts a command line into words as a shell does; only '…' quotes.
func split(t *testing.T, s string) (words []string) {
	var word strings.Builder
	in, quoted := false, false
	for _, r := range s {
		switch {
		case r == '\'':
			in, quoted = true, !quoted
		case r == ' ' && !quoted:
			if in {
				words = append(words, word.String())
			}
			in = false
			word.Reset()
		default:
			in = true
			word.WriteRune(r)
		}
	}
	if quoted {
		t.Fatalf("unclosed quote: %s", s)
	}
	if in {
		words = append(words, word.String())
	}
	return words
}

// result is what one command line led to.
type result struct {
	code           int
	stdout, stderr string
	engine         *fakeEngine // nil: none was opened
}

// start runs a command line to its end, with an engine whose channels are
// stopped, as by a signal, as soon as they have been opened.
func start(t *testing.T, state string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stdout, stderr bytes.Buffer
	var r result
	env := &environment{
		stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, state: filepath.Join(state, "state"), cache: filepath.Join(state, "cache"),
		open: func(cfg engineConfig) (engine, error) {
			r.engine = &fakeEngine{cfg: cfg, opened: cancel}
			return r.engine, nil
		},
	}
	r.code = run(ctx, env, args)
	r.stdout, r.stderr = stdout.String(), stderr.String()
	return r
}
