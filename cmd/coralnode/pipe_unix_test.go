//go:build unix

package main

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A link may come through a pipe, and waiting for one ends with the program.
func TestLinkFromPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	read := func(ctx context.Context) (*link, error) {
		return resolve(ctx, &environment{}, "@"+pipe, netip.Addr{})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*lookAgain)
	defer cancel()
	if _, err := read(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nobody writes: %v", err)
	}
	w, err := os.OpenFile(pipe, os.O_RDWR, 0) // does not wait for a reader
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	ctx, cancel = context.WithTimeout(t.Context(), 3*lookAgain)
	defer cancel()
	if _, err := read(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nothing is written: %v", err)
	}
	want := testLink()
	time.AfterFunc(lookAgain, func() {
		w.WriteString(want.String() + "\n")
		w.Close()
	})
	if got, err := read(t.Context()); err != nil || got.Channel != want.Channel {
		t.Errorf("got %v, %v", got, err)
	}
}
