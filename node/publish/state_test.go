package publish

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"coral/node/channel"
	"coral/node/nodetest"
	"coral/store/segment"
)

func testDisk(t testing.TB, step func(string) error) *disk {
	t.Helper()
	d, err := openDisk(t.TempDir(), step)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.close() })
	return d
}

func testMark(c *chain, i int) *mark {
	m := c.follow()
	digest := segment.BlockDigest([]byte(fmt.Sprint(i)))
	m.sight = sight{Source: uint64(i), URI: fmt.Sprint(i, ".ts"), Duration: time.Second}
	m.Sequence, m.Next, m.Media = m.Next, m.Next+1, true
	m.Root, m.Digest, m.Rec, m.Size, m.Time = digest[:], digest[:], []byte("record"), 1, time.Now().UTC()
	return &m
}

func TestWriteIsWholeOrNot(t *testing.T) {
	for at := range 5 {
		left := at
		d := testDisk(t, func(string) error {
			if left--; left < 0 {
				return errKilled
			}
			return nil
		})
		left = 100
		if err := d.write("x", []byte("old")); err != nil {
			t.Fatal(err)
		}
		left = at
		err := d.write("x", []byte("new"))
		got, rerr := d.read("x")
		if rerr != nil || err == nil && string(got) != "new" || string(got) != "old" && string(got) != "new" {
			t.Errorf("killed at %d: %q %v", at, got, rerr)
		}
		left = 100
		d.close()
		again, err := openDisk(d.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if list, _ := filepath.Glob(filepath.Join(d.path, tempPrefix+"*")); len(list) > 0 {
			t.Errorf("killed at %d: %v left", at, list)
		}
		again.close()
	}
}

func TestJournalTorn(t *testing.T) {
	d := testDisk(t, nil)
	c, damaged, err := func() (*chain, bool, error) {
		if err := beginChain(d, 3); err != nil {
			t.Fatal(err)
		}
		return openChain(d, 3)
	}()
	if err != nil || damaged {
		t.Fatal(err, damaged)
	}
	for i := range 5 {
		if err := c.append(testMark(c, i)); err != nil {
			t.Fatal(err)
		}
	}
	c.journal.close()
	path := filepath.Join(d.path, journalName(3))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	last := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	for cut := last; cut < len(whole); cut += 13 {
		os.WriteFile(path, whole[:cut], 0o600)
		c, damaged, err := openChain(d, 3)
		if err != nil || damaged || len(c.marks) != 4 || c.head().Index != 3 {
			t.Fatalf("cut at %d: %v %v", cut, damaged, err)
		}
		if err := c.append(testMark(c, 9)); err != nil {
			t.Fatal(err)
		}
		c.journal.close()
		if c, damaged, err = openChain(d, 3); err != nil || damaged || len(c.marks) != 5 || c.head().URI != "9.ts" {
			t.Fatalf("cut at %d, appended: %v %v", cut, damaged, err)
		}
		c.journal.close()
	}
	// Anything else makes it leap past all that may have been signed.
	damage := map[string][]byte{
		"a byte":       func() []byte { b := bytes.Clone(whole); b[last+30] ^= 1; return b }(),
		"in between":   func() []byte { b := bytes.Clone(whole); b[len(journalHead)+30] ^= 1; return b }(),
		"empty":        {},
		"another file": []byte("something else\n"),
		"repeated":     append(bytes.Clone(whole), whole[last:]...),
		"long line":    append(bytes.Repeat([]byte("x"), 2*maxLine), '\n'),
	}
	damage["long line"] = append(bytes.Clone(whole), damage["long line"]...)
	for name, b := range damage {
		os.WriteFile(path, b, 0o600)
		for range 2 { // also the second time
			c, damaged, err := openChain(d, 3)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if h := c.head(); h == nil || !h.Jump || h.Index < jump || h.Next < jump {
				t.Fatalf("%s: %v %+v", name, damaged, h)
			}
			c.journal.close()
		}
	}
	os.Remove(path)
	if c, damaged, err = openChain(d, 3); err != nil || !damaged || c.head().Index != jump {
		t.Fatalf("missing: %v %v", damaged, err)
	}
	c.journal.close()
}

func TestJournalKeepsWhatIsNeeded(t *testing.T) {
	d := testDisk(t, nil)
	if err := beginChain(d, 0); err != nil {
		t.Fatal(err)
	}
	c, _, err := openChain(d, 0)
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now().UTC().Add(-24 * time.Hour).Truncate(time.Second)
	init := testMark(c, 0)
	init.Kind, init.Time, init.Inits = segment.Init, begun, 1
	c.append(init)
	for i := range 6000 {
		m := testMark(c, i)
		m.Time = begun.Add(time.Duration(i) * 2 * time.Second)
		m.HasInit = true
		if i < 5000 { // faster than one by one
			c.note(m)
			c.prune(m.Time)
			continue
		}
		if i == 5000 {
			if err := c.journal.rewrite(c.marks); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.append(m); err != nil {
			t.Fatal(err)
		}
	}
	head := *c.head()
	now := head.Time
	check := func() {
		t.Helper()
		if n := len(c.marks); n > keepMarks+2*slackLines || c.journal.lines > n+slackLines+1 {
			t.Errorf("%d marks, %d lines", n, c.journal.lines)
		}
		offered := c.offered(now)
		if n := len(offered); n != int(keepRecords/(2*time.Second))+2 || offered[0].Kind != segment.Init {
			t.Errorf("%d are offered", n)
		}
		if got := *c.head(); !reflect.DeepEqual(got, head) {
			t.Errorf("head\n%+v\nwas\n%+v", got, head)
		}
		if c.record(0, 5999) == nil || c.record(1, 5999) != nil || c.record(0, 10) != nil {
			t.Error("records by source")
		}
		if root := segment.Digest(init.Root); c.initOf(root, 1, now) == nil || c.initOf(root, 2, now) != nil || c.initOf(root, 1, now.Add(reuseInit+time.Minute)) != nil {
			t.Error("init section")
		}
	}
	check()
	c.journal.close()
	if c, _, err = openChain(d, 0); err != nil {
		t.Fatal(err)
	}
	check()
	c.journal.close()
}

func TestKeysRotate(t *testing.T) {
	d := testDisk(t, nil)
	root, err := channel.NewRoot()
	if err != nil {
		t.Fatal(err)
	}
	ch := segment.Channel{1}
	readRoot := func() (ed25519.PrivateKey, error) { return bytes.Clone(root), nil }
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	k, err := openKeyring(d, ch, readRoot, now)
	if err != nil {
		t.Fatal(err)
	}
	feed := channel.NewFeed(ch, root.Public().(ed25519.PublicKey), channel.FeedOptions{})
	turns := 0
	for rev := uint64(1); rev < 24*12*4; rev++ { // four days in steps of five minutes
		turned, err := k.rotate(now)
		if err != nil {
			t.Fatal(err)
		}
		if turned {
			turns++
		}
		if rev%100 == 0 { // and restarts
			if k, err = openKeyring(d, ch, readRoot, now); err != nil {
				t.Fatal(err)
			}
		}
		if rev == 500 {
			now = now.Add(72 * time.Hour) // asleep
			if _, err := k.rotate(now); err != nil {
				t.Fatal(err)
			}
		}
		key, delegation, err := k.signer(now)
		if err != nil {
			t.Fatal(err)
		}
		p := &channel.Presentation{Revision: rev, Time: now, Single: true, Renditions: []channel.Rendition{{}}}
		if _, err := feed.Add(delegation, now); err != nil {
			t.Fatal(rev, err)
		}
		if _, err := feed.Add(channel.SignPresentation(key, ch, p), now); err != nil {
			t.Fatal(rev, err)
		}
		now = now.Add(5 * time.Minute)
	}
	if turns < 5 || turns > 9 {
		t.Errorf("%d keys in four days", turns)
	}
	if data, _ := d.read(signingFile); bytes.Count(data, []byte(`"seed": null`)) < 2 {
		t.Error("old keys are kept")
	}
	info, err := os.Stat(filepath.Join(d.path, signingFile))
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	d.write(signingFile, []byte("{"))
	if _, err := openKeyring(d, ch, readRoot, now); err == nil {
		t.Error("damaged keys were taken")
	}
}

func TestIdentity(t *testing.T) {
	d := testDisk(t, nil)
	id, differs, err := openIdentity(d, wish{name: "One", origins: []string{"https://o.example/a.m3u8"}, private: true})
	if err != nil || differs != nil {
		t.Fatal(err, differs)
	}
	info, err := os.Stat(filepath.Join(d.path, rootFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	link, err := channel.ParseLink(id.link([]string{"192.0.2.1:7000", "[2001:db8::1]:7000"}, true).String())
	if err != nil || link.Channel != id.channel || !bytes.Equal(link.Secret, id.secret) || len(link.Trackers) != 2 ||
		link.Trackers[1] != "http://[2001:db8::1]:7000/announce" || link.Peers[0] != "192.0.2.1:7000" || link.Origins[0] != "https://o.example/a.m3u8" {
		t.Errorf("%+v %v", link, err)
	}
	again, differs, err := openIdentity(d, wish{name: "Two"})
	if err != nil || again.channel != id.channel || len(differs) != 3 {
		t.Errorf("%+v %v %v", again, differs, err)
	}
	for name, breakIt := range map[string]func(){
		"no root":      func() { os.Remove(filepath.Join(d.path, rootFile)) },
		"another root": func() { k, _ := channel.NewRoot(); writeRoot(d, k) },
		"no key":       func() { d.write(rootFile, []byte("hello")) },
		"no JSON":      func() { d.write(channelFile, []byte("{")) },
		"huge":         func() { d.write(channelFile, make([]byte, maxStateFile+1)) },
	} {
		root, _ := d.read(rootFile)
		was, _ := d.read(channelFile)
		breakIt()
		if _, _, err := openIdentity(d, wish{}); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
		d.write(rootFile, root)
		d.write(channelFile, was)
	}
	public := testDisk(t, nil)
	if _, _, err := openIdentity(public, wish{name: "x"}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := openIdentity(public, wish{name: "x", private: true}); err == nil {
		t.Error("a public channel was passed off as private")
	}
	for _, name := range []string{"a\nb", strings.Repeat("x", 300), " x"} {
		if _, _, err := openIdentity(testDisk(t, nil), wish{name: name}); err == nil {
			t.Errorf("%q is a name", name)
		}
	}
}

func TestDamagedChainGoesOn(t *testing.T) {
	t.Parallel()
	o := nodetest.NewOrigin(nodetest.OriginConfig{Segment: 250 * time.Millisecond, Backlog: 10, Single: true, Bitrates: []int{200_000}, Format: nodetest.FMP4})
	cfg := Config{State: t.TempDir(), Source: o.Start(t)}
	var m *memory
	r := start(t, cfg, func(p *Publisher) Sink { m = newMemory(t, p); return m })
	m.until("some", func() bool { return len(m.media(0)) >= 8 })
	r.stop()
	path := filepath.Join(cfg.State, journalName(0))
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 4
	os.WriteFile(path, b, 0o600)
	have := len(m.media(0))
	r = start(t, cfg, func(p *Publisher) Sink { return m })
	m.until("more", func() bool { return len(m.media(0)) >= have+8 })
	if list := m.media(0); !list[have].Discontinuity || list[have].Sequence < jump || list[have+1].Discontinuity {
		t.Errorf("%+v", list[have])
	}
	if r.Stats().ChainsDamaged == 0 {
		t.Error("not counted")
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	o := nodetest.NewOrigin(nodetest.OriginConfig{Type: nodetest.VOD, Length: 8, Bitrates: []int{200_000}})
	source := o.Start(t)
	full := make(chan struct{})
	n := 0
	p, err := open(Config{State: t.TempDir(), Source: source}, func(op string) error {
		select {
		case <-full:
		default:
			if n++; n > 30 && strings.HasPrefix(op, "append") {
				if n >= 34 {
					close(full)
				}
				return errors.New("no space left on device")
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	m := newMemory(t, p)
	ctx, cancel := contextOf(t)
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx, m) }()
	defer func() { cancel(); <-done; p.Close() }()
	m.until("end", func() bool { return m.ended(0) })
	if len(m.media(0)) != 8 {
		t.Errorf("%d segments", len(m.media(0)))
	}
}
