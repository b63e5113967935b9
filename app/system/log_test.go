package system

import (
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

func openLog(t *testing.T) (*LogFile, *slog.Logger) {
	t.Helper()
	l, err := OpenLog(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l, slog.New(l.Handler(slog.LevelInfo))
}

func content(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

type lazy struct{ v slog.Value }

func (l lazy) LogValue() slog.Value { return l.v }

type rude struct{}

func (rude) Error() string { panic("198.51.100.23") }

// whole is one date and time, and nothing besides.
var stamp = regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z `)

func TestLogRedactsEverywhere(t *testing.T) {
	l, log := openLog(t)
	l.Hide("sesame")
	const a = "198.51.100.23"
	addr := netip.MustParseAddr(a)
	err := &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: addr.AsSlice(), Port: 443}, Err: errors.New("refused by " + a)}
	log.Info("message "+a, "string", a, "error", err, "addr", addr, "stringer", addr, "bytes", addr.AsSlice(), a, "key", "say", "open sesame")
	log.With("with", a, "e", err).WithGroup("group "+a).With("inner", a).Info("nested", slog.Group("one", slog.Group("two", "deep", a, "err", err), "link", 5))
	log.Info("lazy", "v", lazy{slog.AnyValue(lazy{slog.GroupValue(slog.Any("x", err), slog.String("y", a))})})
	log.Info("rude", "err", rude{}, "new\nline "+a, "x\n"+a)
	log.Info("\n" + a + "\n2001:db8::1")
	log.Debug("not at this level")
	text := content(t, l.Name())
	if got := leaks(stamp.ReplaceAllString(text, "")); got != "" || strings.Contains(text, "198") || strings.Contains(text, "sesame") {
		t.Errorf("%q stands in\n%s", got, text)
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != 5 || len(stamp.FindAllString(text, -1)) != 5 {
		t.Errorf("%d lines:\n%s", len(lines), text)
	}
	for _, want := range []string{
		"INFO message [address] string=[address]", `error="dial tcp [address]: refused by [address]"`, `"group [address].one.two.deep"=[address]`, `one.link"=[secret]`, "v.y=[address]", `say="open [secret]"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing in\n%s", want, text)
		}
	}
}

func TestLogPlain(t *testing.T) {
	l, log := openLog(t)
	at := time.Date(2026, 11, 23, 6, 7, 8, 9e6, time.UTC)
	log.Warn("cache nearly full", "used", 900, "took", 1500*time.Millisecond, "at", at, "ok", true, "why", "no space left on device", "f", 0.25, "empty", "")
	want := ` WARN cache nearly full used=900 took=1.5s at=2026-11-23T06:07:08.009Z ok=true why="no space left on device" f=0.25 empty=""` + "\n"
	if text := content(t, l.Name()); !strings.HasSuffix(text, want) {
		t.Errorf("got %s want %s", text, want)
	}
}

func TestLogRotates(t *testing.T) {
	l, log := openLog(t)
	var wg sync.WaitGroup
	long := []byte("2026-11-23T06:07:08.009Z INFO " + strings.Repeat("word ", 1600) + "\n") // redacting so much takes long with -race
	for range 4 {
		wg.Go(func() {
			for range 150 {
				if err := l.write(long); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	log.Info("last")
	entries, err := os.ReadDir(l.dir)
	if err != nil || len(entries) != 2 {
		t.Fatal(entries, err)
	}
	for _, e := range entries {
		s, _ := e.Info()
		if s.Size() > logSize || s.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %d bytes, %v", e.Name(), s.Size(), s.Mode())
		}
	}
	out := filepath.Join(t.TempDir(), "send.txt")
	if err := l.SaveTo(out); err != nil {
		t.Fatal(err)
	}
	text := content(t, out)
	old, rest, _ := strings.Cut(text, "last")
	if !strings.HasPrefix(old, "Coral's log: ") || rest != "\n" || len(text) < logSize {
		t.Errorf("saved %d bytes, ends in %.20q", len(text), rest)
	}
	for line := range strings.Lines(text[strings.Index(text, "\n\n")+2:]) {
		if !stamp.MatchString(line) {
			t.Fatalf("not a whole record: %.80q", line)
		}
	}
}

func TestLogGoesOn(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		l, err := OpenLog(dir)
		if err != nil {
			t.Fatal(err)
		}
		slog.New(l.Handler(slog.LevelInfo)).Info("start")
		if err := l.Close(); err != nil || l.Close() != nil {
			t.Fatal(err)
		}
		slog.New(l.Handler(slog.LevelInfo)).Info("too late")
	}
	if n := strings.Count(content(t, filepath.Join(dir, logName)), "INFO"); n != 2 {
		t.Errorf("%d records", n)
	}
	if _, err := OpenLog(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	l, _ := OpenLog(dir)
	defer l.Close()
	if err := l.SaveTo(filepath.Join(dir, "none", "x")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestLogBounded(t *testing.T) {
	l, log := openLog(t)
	args := []any{}
	for range 1000 {
		args = append(args, "key", strings.Repeat("value ", 2000))
	}
	log.Info(strings.Repeat("ü ", 100_000), args...)
	if s, err := os.Stat(l.Name()); err != nil || s.Size() > maxRecord+8 {
		t.Errorf("%d bytes, %v", s.Size(), err)
	}
}

func FuzzLogAttr(f *testing.F) {
	f.Add("key", "198.51.100.23", "group")
	f.Add("\n", "::1\n", "\x00")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, key, value, group string) {
		l, err := OpenLog(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if err := l.f.Truncate(0); err != nil {
			t.Fatal(err)
		}
		const a = "198.51.100.23"
		slog.New(l.Handler(slog.LevelInfo)).WithGroup(group+a).With(key, a+value).Info(value+a, key+a, errors.New(value+a+key))
		text := content(t, l.Name())
		if strings.Contains(text, a) || strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "\n") {
			t.Errorf("%q", text)
		}
	})
}

func BenchmarkLog(b *testing.B) {
	l, err := OpenLog(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	log := slog.New(l.Handler(slog.LevelInfo)).With("channel", 3)
	for b.Loop() {
		log.Info("peer was dropped", "reason", "bad block", "after", 90*time.Second, "err", "read tcp 192.0.2.1:6881: connection reset by peer")
	}
}
