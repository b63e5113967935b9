package system

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// claimant is a whole program that claims dir. It says what became of it; as the
// first it goes on until its standard input ends, and says what it was handed.
func claimant(dir string, args []string) int {
	i, first, err := Claim(dir, args)
	switch {
	case err != nil:
		fmt.Println("error", err)
		return 1
	case !first:
		fmt.Println("second")
		return 0
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = i.Run(ctx) })
	fmt.Println("first")
	end := make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); close(end) }()
	for {
		select {
		case a := <-i.Opened():
			fmt.Printf("opened %q\n", a)
			continue
		case <-end:
		}
		break
	}
	cancel()
	wg.Wait()
	_ = i.Close()
	return 0
}

// program is a claimant's process.
type program struct {
	cmd *exec.Cmd
	in  io.Closer
	out *bufio.Scanner
}

func start(t *testing.T, dir string, args ...string) *program {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = append(os.Environ(), "CORAL_TEST_CLAIM="+dir)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return &program{cmd, in, bufio.NewScanner(out)}
}

func (p *program) line() string {
	p.out.Scan()
	return p.out.Text()
}

func TestInstanceTenAtOnce(t *testing.T) {
	dir := t.TempDir()
	var all []*program
	for n := range 10 {
		all = append(all, start(t, dir, fmt.Sprint("coral:", n), "two words"))
	}
	said := make([]string, len(all))
	var wg sync.WaitGroup
	for n, p := range all {
		wg.Go(func() { said[n] = p.line() })
	}
	wg.Wait()
	winner := slices.Index(said, "first")
	var want []string
	for n, s := range said {
		if n == winner {
			continue
		}
		if s != "second" {
			t.Errorf("program %d: %q", n, s)
		}
		want = append(want, fmt.Sprintf("opened %q", []string{fmt.Sprint("coral:", n), "two words"}))
	}
	if winner < 0 {
		t.Fatalf("nobody won: %q", said)
	}
	var got []string
	for range want {
		got = append(got, all[winner].line())
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the first was handed\n%q, want\n%q", got, want)
	}
}

func TestInstanceTakesOverAfterKill(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir)
	if s := p.line(); s != "first" {
		t.Fatal(s)
	}
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait()
	if _, err := os.Stat(filepath.Join(dir, addressName)); err != nil {
		t.Fatal("the killed program left nothing stale:", err)
	}
	q := start(t, dir)
	if s := q.line(); s != "first" {
		t.Fatalf("after kill -9 of the first: %q", s)
	}
	r := start(t, dir, "magnet:?x")
	if s := r.line(); s != "second" {
		t.Fatal(s)
	}
	if s := q.line(); s != `opened ["magnet:?x"]` {
		t.Fatal(s)
	}
}

// A program that starts while the first one closes takes its place.
func TestInstanceSucceeds(t *testing.T) {
	dir := t.TempDir()
	i, first, err := Claim(dir, nil)
	if err != nil || !first {
		t.Fatal(first, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := i.Run(ctx); err != nil {
		t.Fatal(err)
	}
	p := start(t, dir)
	said := make(chan string, 1)
	go func() { said <- p.line() }()
	select {
	case s := <-said:
		t.Fatalf("%q while the first has its files open", s)
	case <-time.After(300 * time.Millisecond):
	}
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
	if s := <-said; s != "first" {
		t.Fatal(s)
	}
}

func TestInstancePrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes: the user's folder is the guard")
	}
	dir := filepath.Join(t.TempDir(), "new")
	i, _, err := Claim(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	for name, want := range map[string]os.FileMode{"": 0o700, lockName: 0o600, addressName: 0o600} {
		s, err := os.Stat(filepath.Join(dir, name))
		if err != nil || s.Mode().Perm() != want {
			t.Errorf("%q: %v %v, want %v", name, s.Mode(), err, want)
		}
	}
}

// first is an Instance that runs until the test ends.
func first(t *testing.T) *Instance {
	t.Helper()
	i, ok, err := Claim(t.TempDir(), nil)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { _ = i.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done; _ = i.Close() })
	return i
}

func TestInstanceRefuses(t *testing.T) {
	i := first(t)
	message, _ := encodeArgs([]string{"coral:?evil"})
	wrong := bytes.Repeat([]byte{7}, keyLen)
	if err := handOver(i.l.Addr().String(), wrong, message, handoverTime); !errors.Is(err, errStranger) {
		t.Errorf("with the wrong key: %v", err)
	}
	// One that does not check us, and proves nothing.
	for name, sent := range map[string][]byte{
		"no proof":  append([]byte{0, 0, 0, 2, '[', ']'}, make([]byte, 32)...),
		"too long":  {0xff, 0xff, 0xff, 0xff},
		"noise":     bytes.Repeat([]byte("GET / HTTP/1.1\r\n"), 1000),
		"cut short": {0},
	} {
		c, err := net.Dial("tcp4", i.l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = c.Write(append(make([]byte, nonceLen), sent...))
		_ = c.(*net.TCPConn).CloseWrite()
		answer, _ := io.ReadAll(c)
		if len(answer) > nonceLen+32 {
			t.Errorf("%s: was answered %q", name, answer[nonceLen+32:])
		}
		_ = c.Close()
	}
	select {
	case a := <-i.Opened():
		t.Errorf("a stranger opened %q", a)
	default:
	}
	// Still there for friends, and every byte arrives.
	want := []string{"coral:?xt=1", "", "/tmp/\xff\xfe \n", strings.Repeat("long", 10_000)}
	if _, second, err := Claim(i.dir, want); err != nil || second {
		t.Fatal(second, err)
	}
	if got := <-i.Opened(); !slices.Equal(got, want) {
		t.Errorf("got %.80q", got)
	}
	if _, _, err := Claim(i.dir, []string{strings.Repeat("x", maxHandover)}); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("far too long: %v", err)
	}
}

// What a stranger listens on behind a stale address learns nothing.
func TestInstanceStaleAddress(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan []byte, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = c.Write(make([]byte, nonceLen+32))
		_ = c.(*net.TCPConn).CloseWrite()
		b, _ := io.ReadAll(c)
		_ = c.Close()
		heard <- b
	}()
	defer l.Close()
	message, _ := encodeArgs([]string{"coral:?secret"})
	if err := handOver(l.Addr().String(), make([]byte, keyLen), message, handoverTime); !errors.Is(err, errStranger) {
		t.Errorf("handOver: %v", err)
	}
	if b := <-heard; len(b) != nonceLen {
		t.Errorf("the stranger heard %d bytes: %q", len(b), b)
	}
}

func TestInstanceSilent(t *testing.T) {
	dir := t.TempDir()
	i, _, err := Claim(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	i.unlisten()
	if _, _, err := claim(dir, nil, 50*time.Millisecond); err == nil || !strings.Contains(err.Error(), "runs already") {
		t.Errorf("lock held, nobody listens: %v", err)
	}
}

// Neither side waits for the other for ever.
func TestInstanceTimes(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = handOver(l.Addr().String(), make([]byte, keyLen), nil, 20*time.Millisecond)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a first that hangs: %v", err)
	}
	i, _, err := Claim(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	i.timeout = 20 * time.Millisecond
	hear := func(send []byte) error {
		ours, theirs := net.Pipe()
		defer ours.Close()
		go func() {
			_, _ = io.CopyN(io.Discard, theirs, nonceLen)
			_, _ = theirs.Write(send)
			_, _ = io.Copy(io.Discard, theirs)
			_ = theirs.Close()
		}()
		return i.hear(t.Context(), ours)
	}
	if err := hear(nil); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a second that hangs: %v", err)
	}
	if err := hear(make([]byte, nonceLen+3)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a second that stops: %v", err)
	}
}
