package system

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	lockName    = "instance.lock" // held as long as the first program runs
	addressName = "instance"      // where it listens and the key to it

	// claimPatience is how long a second program waits for a first that has the
	// lock but does not listen: it is starting, or closing its cache.
	claimPatience = 15 * time.Second
	// claimPause is between two looks; a start takes some tens of milliseconds.
	claimPause = 25 * time.Millisecond
	// handoverTime bounds one handover from connect to answer, on either side.
	// On one machine it takes a millisecond; a stopped program takes forever.
	handoverTime = 5 * time.Second
	// maxHandovers is how many are heard at a time; more wait in the listener's queue.
	maxHandovers = 4
	// maxOpened is how many wait for the app. A user cannot click faster than it reads.
	maxOpened = 16
	// keyLen is the length of the key in the address file, in bytes.
	keyLen = 32
)

// Instance is this program as the only one that runs for its folder.
type Instance struct {
	dir    string
	lock   *os.File
	l      net.Listener
	key    []byte
	opened chan []string

	timeout time.Duration // of one handover

	stop sync.Once // of listening
}

// Claim makes this program the first one for dir, or hands args to the program
// that is. It returns an Instance and true, or nil and false after the other
// took args. Empty args ask it to show its window. args that name files must be
// absolute: the other program has another working directory.
//
// A lock whose holder died is free again, since the system gives it back.
func Claim(dir string, args []string) (*Instance, bool, error) {
	return claim(dir, args, claimPatience)
}

func claim(dir string, args []string, patience time.Duration) (*Instance, bool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, false, fmt.Errorf("claim instance: %w", err)
	}
	message, err := encodeArgs(args)
	if err != nil {
		return nil, false, fmt.Errorf("claim instance: %w", err)
	}
	last := errors.New("it does not listen")
	for end := time.Now().Add(patience); ; time.Sleep(claimPause) {
		lock, err := tryLock(filepath.Join(dir, lockName))
		if err != nil {
			return nil, false, fmt.Errorf("claim instance: %w", err)
		}
		if lock != nil {
			i, err := newInstance(dir, lock)
			if err != nil {
				_ = lock.Close()
				return nil, false, fmt.Errorf("claim instance: %w", err)
			}
			return i, true, nil
		}
		address, key, err := readAddress(dir)
		if err == nil {
			if err = handOver(address, key, message, handoverTime); err == nil {
				return nil, false, nil
			}
		}
		if !errors.Is(err, os.ErrNotExist) {
			last = err
		}
		if errors.Is(err, os.ErrDeadlineExceeded) || time.Now().After(end) {
			return nil, false, fmt.Errorf("claim instance: Coral runs already but does not answer: %w", last)
		}
	}
}

// newInstance listens and tells others where. It owns lock if it succeeds.
func newInstance(dir string, lock *os.File) (*Instance, error) {
	// What a killed program left would lead others to a port that may be anybody's.
	if err := os.Remove(filepath.Join(dir, addressName)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	i := &Instance{dir: dir, lock: lock, l: l, key: make([]byte, keyLen), opened: make(chan []string, maxOpened), timeout: handoverTime}
	_, _ = rand.Read(i.key) // never fails
	if err := i.writeAddress(); err != nil {
		_ = l.Close()
		return nil, err
	}
	return i, nil
}

// writeAddress appears whole or not at all, and for this user only.
func (i *Instance) writeAddress() error {
	f, err := os.CreateTemp(i.dir, addressName+"-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%d\n%x\n", i.l.Addr().(*net.TCPAddr).Port, i.key)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(i.dir, addressName))
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

func readAddress(dir string) (address string, key []byte, err error) {
	b, err := os.ReadFile(filepath.Join(dir, addressName))
	if err != nil {
		return "", nil, err
	}
	port, rest, _ := strings.Cut(string(b), "\n")
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", nil, errors.New("its address is damaged")
	}
	key, err = hex.DecodeString(strings.TrimSpace(rest))
	if err != nil || len(key) != keyLen {
		return "", nil, errors.New("its key is damaged")
	}
	return net.JoinHostPort("127.0.0.1", strconv.FormatUint(n, 10)), key, nil
}

// Opened yields the arguments of each later start; none means: show the window.
func (i *Instance) Opened() <-chan []string { return i.opened }

// Run hears later starts until ctx ends. From then on they wait for Close and
// take this program's place.
func (i *Instance) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, i.unlisten)
	defer stop()
	defer i.unlisten()
	var wg sync.WaitGroup
	defer wg.Wait()
	slots := make(chan struct{}, maxHandovers)
	for {
		c, err := i.l.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			// Out of file descriptors, mostly: they come back.
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
			continue
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			_ = c.Close()
			return nil
		}
		wg.Go(func() {
			defer func() { <-slots }()
			defer c.Close()
			defer context.AfterFunc(ctx, func() { _ = c.Close() })()
			// A stranger's connection that fails is nobody's business.
			_ = i.hear(ctx, c)
		})
	}
}

func (i *Instance) unlisten() {
	i.stop.Do(func() {
		_ = os.Remove(filepath.Join(i.dir, addressName))
		_ = i.l.Close()
	})
}

// Close lets the next program be the first. Call it when all files that only one
// program may have open are closed.
func (i *Instance) Close() error {
	i.unlisten()
	return i.lock.Close() // the lock goes with the file; it stays, as deleting it would let two win
}
