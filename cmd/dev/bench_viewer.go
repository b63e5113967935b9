package main

import (
	"context"
	"crypto/rc4"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"coral/store/segment"
)

// What one viewer costs: four of them, each a process of its own, watch a live
// channel on loopback and feed each other. Beside them, in the same half minute
// and on the same machine, a process receives blocks at the same rate over plain
// TCP, decrypts and hashes them, and sends as many on, encrypted.

const (
	viewerCount = 4
	viewerRate  = 4_000_000 // bits per second, and as much to others
	viewerSpan  = 40 * time.Second
	liveSegment = 2 * time.Second
	liveWindow  = 8
)

// processorTime is what a process that has ended used for how many bytes.
type processorTime struct {
	used  time.Duration
	bytes int64
}

// share is of one processor, at the viewers' rate in both directions.
func (p processorTime) share() float64 {
	return p.used.Seconds() / float64(p.bytes) * 2 * viewerRate / 8
}

// viewerCost measures Coral's viewers and the plain process.
func viewerCost(ctx context.Context, root string) (ours, plain processorTime, err error) {
	folder, err := os.MkdirTemp("", "coral-bench-")
	if err != nil {
		return ours, plain, err
	}
	defer os.RemoveAll(folder)
	program := filepath.Join(folder, "coralnode"+exe())
	if err := stream(ctx, root, noCgo, "go", "build", "-o", program, "./cmd/coralnode"); err != nil {
		return ours, plain, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	source, stop, err := liveOrigin()
	if err != nil {
		return ours, plain, err
	}
	defer stop()

	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	at := func(name string) string { return filepath.Join(folder, name) }
	start := func(name string, args ...string) *exec.Cmd {
		c := exec.CommandContext(ctx, program, args...)
		c.Cancel = func() error { return interrupt(c.Process) }
		c.WaitDelay = endWithin
		c.Env = append(os.Environ(), "HOME="+at(name), "XDG_CACHE_HOME="+at(name), "XDG_CONFIG_HOME="+at(name), "XDG_STATE_HOME="+at(name))
		return c
	}
	port, err := freePort()
	if err != nil {
		return ours, plain, err
	}
	peer := fmt.Sprint("127.0.0.1:", port)
	publisher := start("publisher", "publish", source, "--name", "Bench", "--state", at("state"), "--listen", peer, "--advertise", peer, "--link-file", at("link"), "--dht", "off")
	all.Go(func() { _ = publisher.Run() })

	watching := make([]*exec.Cmd, viewerCount)
	for i := range watching {
		name := fmt.Sprint("viewer", i)
		c := start(name, "watch", "@"+at("link"), "--share", "on", "--listen", "127.0.0.1:0", "--dht", "off", "--upnp", "off",
			"--url-file", at(name+".url"), "--stats-file", at(name+".json"), "--cache-dir", at(name+".cache"))
		if err := c.Start(); err != nil {
			return ours, plain, err
		}
		watching[i] = c
		all.Go(func() {
			if waitFor(ctx, at(name+".url")) != nil {
				return // which the counts will show
			}
			if u, err := os.ReadFile(at(name + ".url")); err == nil {
				read(ctx, strings.TrimSpace(string(u)))
			}
		})
	}
	if plain, err = plainCost(ctx); err != nil {
		return ours, plain, err
	}
	for i, c := range watching {
		_ = interrupt(c.Process)
		if err := c.Wait(); err != nil {
			return ours, plain, fmt.Errorf("viewer: %w", err)
		}
		var st struct {
			Bytes struct {
				FromPeers  int64 `json:"from_peers"`
				FromOrigin int64 `json:"from_origin"`
				Unverified int64 `json:"unverified"`
				ToPeers    int64 `json:"to_peers"`
			} `json:"bytes"`
		}
		b, err := os.ReadFile(at(fmt.Sprint("viewer", i, ".json")))
		if err == nil {
			err = json.Unmarshal(b, &st)
		}
		if err != nil {
			return ours, plain, fmt.Errorf("read a viewer's counts: %w", err)
		}
		ours.used += c.ProcessState.UserTime() + c.ProcessState.SystemTime()
		ours.bytes += st.Bytes.FromPeers + st.Bytes.FromOrigin + st.Bytes.Unverified + st.Bytes.ToPeers
	}
	if want := viewerCount * int64(viewerRate/8*viewerSpan.Seconds()); ours.bytes < want {
		return ours, plain, fmt.Errorf("the viewers moved %d bytes, less than the stream's %d", ours.bytes, want)
	}
	return ours, plain, nil
}

func interrupt(p *os.Process) error {
	if runtime.GOOS == "windows" { // which cannot ask
		return p.Kill()
	}
	return p.Signal(os.Interrupt)
}

// liveOrigin serves a live playlist of random segments and gives its URL.
func liveOrigin() (url string, stop func(), err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	begun := time.Now().Add(-liveWindow * liveSegment)
	size := int(viewerRate / 8 * liveSegment.Seconds())
	mux := http.NewServeMux()
	mux.HandleFunc("/live.m3u8", func(w http.ResponseWriter, _ *http.Request) {
		newest := int(time.Since(begun) / liveSegment)
		fmt.Fprintf(w, "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:%.0f\n#EXT-X-MEDIA-SEQUENCE:%d\n", liveSegment.Seconds(), newest-liveWindow)
		for n := newest - liveWindow; n < newest; n++ {
			fmt.Fprintf(w, "#EXTINF:%.1f,\n%d.ts\n", liveSegment.Seconds(), n)
		}
	})
	mux.HandleFunc("/{segment}", func(w http.ResponseWriter, r *http.Request) {
		var n uint64
		if _, err := fmt.Sscanf(r.PathValue("segment"), "%d.ts", &n); err != nil {
			http.NotFound(w, r)
			return
		}
		b := make([]byte, size)
		seed := [32]byte{byte(n), byte(n >> 8), byte(n >> 16)}
		_, _ = rand.NewChaCha8(seed).Read(b)
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(b)))
	})
	server := &http.Server{Handler: mux}
	go func() { _ = server.Serve(ln) }()
	return "http://" + ln.Addr().String() + "/live.m3u8", func() { server.Close() }, nil
}

// plainCommand is what the bench calls this program with for the plain process.
const plainCommand = "plain-peer"

// plainCost runs the plain process for viewerSpan, sending it blocks and taking
// those that it sends on.
func plainCost(ctx context.Context) (p processorTime, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return p, err
	}
	defer ln.Close()
	self, err := os.Executable()
	if err != nil {
		return p, err
	}
	c := exec.CommandContext(ctx, self, plainCommand, ln.Addr().String())
	if err := c.Start(); err != nil {
		return p, err
	}
	conn, err := ln.Accept()
	if err != nil {
		return p, err
	}
	back := make(chan int64, 1)
	go func() {
		n, _ := io.Copy(io.Discard, conn)
		back <- n
	}()
	block := make([]byte, segment.BlockSize)
	each := time.NewTicker(time.Second * segment.BlockSize * 8 / viewerRate)
	defer each.Stop()
	for end := time.Now().Add(viewerSpan); time.Now().Before(end); {
		select {
		case <-each.C:
		case <-ctx.Done():
			return p, ctx.Err()
		}
		if _, err := conn.Write(block); err != nil {
			return p, err
		}
		p.bytes += segment.BlockSize
	}
	err = conn.(*net.TCPConn).CloseWrite()
	p.bytes += <-back
	conn.Close()
	if err := errors.Join(err, c.Wait()); err != nil {
		return p, fmt.Errorf("plain peer: %w", err)
	}
	p.used = c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	return p, nil
}

// plainPeer is the plain process: each block that comes from addr is decrypted,
// hashed, encrypted and sent back.
func plainPeer(addr string) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	in, _ := rc4.NewCipher([]byte("there"))
	out, _ := rc4.NewCipher([]byte("back"))
	block := make([]byte, segment.BlockSize)
	for {
		switch _, err := io.ReadFull(conn, block); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		in.XORKeyStream(block, block)
		sum := sha256.Sum256(block)
		copy(block, sum[:])
		out.XORKeyStream(block, block)
		if _, err := conn.Write(block); err != nil {
			return err
		}
	}
}
