//go:build unix

package realtest

import (
	"crypto/sha1"
	"encoding/hex"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Transmission is kept to this machine: its DHT looks up names, its local peer
// discovery sends to the network. uTP is what it tries first and waits for,
// and Coral has none.
const transmission = `{"dht-enabled": false, "lpd-enabled": false, "utp-enabled": false, "rpc-enabled": false, "bind-address-ipv4": "127.0.0.1"}`

// TestBitTorrent: an ordinary BitTorrent program, with its usual wish for
// encryption, joins by the magnet link and gets the channel's metadata and its
// payload, the text that says what the link is.
//
// Transmission 3.00 refuses to connect to 127.0.0.0/8, but accepts connections
// from there. So it comes first and tells the publisher's tracker of itself;
// viewers then find it there and connect to it. Where addresses are others, it
// connects by itself: that was tried by hand, in a network namespace.
func TestBitTorrent(t *testing.T) {
	needs(t, "ffmpeg", "transmission-cli")
	t.Parallel()
	_, source := live(t, transport)
	c := publish(t, source)
	link := c.reads(t, c.publisher, c.link)
	magnet, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	id, err := hex.DecodeString(strings.TrimPrefix(magnet.Query().Get("xt"), "urn:btih:"))
	if err != nil {
		t.Fatal(err)
	}

	home, files := t.TempDir(), t.TempDir()
	whole, script := filepath.Join(home, "whole"), filepath.Join(home, "finish")
	for name, text := range map[string]string{filepath.Join(home, "settings.json"): transmission, script: "#!/bin/sh\n: > '" + whole + "'\n"} {
		if err := os.WriteFile(name, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	_, own, _ := strings.Cut(port(t), ":")
	p := start(t, home, "transmission-cli", "--config-dir", home, "--download-dir", files, "--no-portmap", "--port", own, "--finish", script, link)

	// Asked without a port, the tracker lists nobody, and tells how many miss something.
	q := url.Values{"info_hash": {string(id)}, "peer_id": {"-TEST00-000000000000"}, "port": {"0"}, "numwant": {"0"}, "left": {"0"}}
	await(t, "the tracker to know of Transmission", func() bool {
		answer := string(get(t, magnet.Query().Get("tr")+"?"+q.Encode()))
		return p.running() && strings.Contains(answer, "10:incompletei1e")
	})
	viewers := c.watch(t, 2)
	await(t, "Transmission to have all", func() bool {
		if !p.running() {
			t.Fatalf("transmission-cli ended: %v", p.err)
		}
		_, err := os.Stat(whole)
		return err == nil
	})

	// What it calls whole is what its metadata describes, whose digest is in the link.
	metadata, err := filepath.Glob(filepath.Join(home, "torrents", "*.torrent"))
	if err != nil || len(metadata) != 1 {
		t.Fatalf("metadata: %v, %v", metadata, err)
	}
	b, err := os.ReadFile(metadata[0])
	if err != nil {
		t.Fatal(err)
	}
	info := b[strings.Index(string(b), "4:info")+len("4:info"):]
	m := regexp.MustCompile(`(?s)^d.*?6:lengthi([0-9]+)e4:name([0-9]+):`).FindSubmatchIndex(info)
	if m == nil {
		t.Fatalf("metadata %q", b)
	}
	length, _ := strconv.Atoi(string(info[m[2]:m[3]]))
	n, _ := strconv.Atoi(string(info[m[4]:m[5]]))
	name := string(info[m[1] : m[1]+n])
	payload, err := os.ReadFile(filepath.Join(files, name))
	if err != nil || len(payload) != length {
		t.Fatalf("payload: %d bytes of %d, %v", len(payload), length, err)
	}
	digest := sha1.Sum(payload) // of one piece
	if !strings.Contains(string(info), "6:pieces20:"+string(digest[:])) || !strings.Contains(string(payload), source) {
		t.Errorf("%s is another text: %s", name, payload)
	}
	t.Logf("%s, %d bytes, is whole: %.60q…", name, length, payload)
	settle(t, viewers)
}
