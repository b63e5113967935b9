package node

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"coral/node/budget"
	"coral/node/channel"
	"coral/node/nodetest"
	"coral/node/swarm"
	"coral/node/swarm/wire"
	"coral/store/segment"
)

// A viewer learns of all of a recording whose entries no single answer holds.
func TestLongRecording(t *testing.T) {
	t.Parallel()
	const segments = 1500
	dir := t.TempDir()
	list := []byte("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-PLAYLIST-TYPE:VOD\n")
	for i := range segments {
		name := fmt.Sprint(strings.Repeat("n", 220), i, ".ts")
		list = fmt.Appendf(list, "#EXTINF:1,\n%s\n", name)
		data := nodetest.Bytes(nodetest.TS, nodetest.Ident{Sequence: uint64(i)}, 376)
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	list = append(list, "#EXT-X-ENDLIST\n"...)
	if err := os.WriteFile(filepath.Join(dir, "index.m3u8"), list, 0o644); err != nil {
		t.Fatal(err)
	}
	_, p := organise(t, PublishConfig{Source: dir})
	whole := func(st Stats) bool { return st.Feed.Entries == segments+1 }
	until(t, "all signed", p.Session, whole)
	s := view(t, "x", linkOf(t, p))
	if text := fetchText(t, s.URL()); strings.Count(text, "#EXTINF") != segments || !strings.Contains(text, "#EXT-X-ENDLIST") {
		t.Errorf("%d segments listed", strings.Count(text, "#EXTINF"))
	}
}

// Of a long recording in many renditions a joiner is told as much as it can be
// sent at once, beginning with what it watches; more than that would have it
// dropped for taking too little.
func TestWindowOfLongRecording(t *testing.T) {
	const renditions, entries, watched = 12, 800, 7
	root := ed25519.NewKeyFromSeed(make([]byte, 32))
	key := ed25519.NewKeyFromSeed([]byte(strings.Repeat("k", 32)))
	d := &channel.Descriptor{Name: "Archive", Root: root.Public().(ed25519.PublicKey)}
	ch, now := d.Channel(), time.Now().UTC().Truncate(time.Second)
	s := &Session{feed: channel.NewFeed(ch, d.Root, channel.FeedOptions{}), begun: now}
	add := func(rec []byte) {
		if _, err := s.feed.Add(rec, now); err != nil {
			t.Fatal(err)
		}
	}
	add(channel.Delegate(root, ch, key.Public().(ed25519.PublicKey), 1, now.Add(-time.Hour), now.Add(time.Hour)))
	pr := &channel.Presentation{Revision: 1, Time: now}
	for id := range uint16(renditions) {
		pr.Renditions = append(pr.Renditions, channel.Rendition{ID: id, Media: id, URI: fmt.Sprint(id, ".m3u8"), Bandwidth: 1})
	}
	add(channel.SignPresentation(key, ch, pr))
	for id := range uint16(renditions) {
		var prev segment.Digest
		for i := range uint64(entries) {
			rec := channel.SignEntry(key, ch, &channel.Entry{
				Rendition: id, Index: i, Prev: prev, Time: now, Sequence: i, Type: channel.VOD, Duration: time.Second, Target: time.Second,
				URI: fmt.Sprint(i, ".ts?", strings.Repeat("token", 30)), Size: 1, Blocks: make([]segment.Digest, 1),
			})
			add(rec)
			prev = channel.RecordDigest(rec)
		}
	}

	c, err := swarm.New(swarm.Config{Listen: "127.0.0.1:0", Upload: budget.Unlimited, Download: budget.Unlimited})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var runs sync.WaitGroup
	runs.Go(func() { c.Run(ctx) })
	t.Cleanup(func() { cancel(); runs.Wait() })
	link := d.Link()
	if s.swarm, err = c.Join(swarm.JoinConfig{Link: link, Role: wire.Publisher}); err != nil {
		t.Fatal(err)
	}
	link.Peers = []string{c.Addr().String()}
	got := make(chan map[uint16]int, 1)
	told := map[uint16]int{}
	asker := channel.NewFeed(ch, d.Root, channel.FeedOptions{})
	intrude(t, link, nil, func(_ *swarm.Swarm, r swarm.Received) {
		switch m := r.Msg.(type) {
		case *wire.Records:
			for _, rec := range m.Records {
				if u, err := asker.Add(rec, now); err == nil && u != nil && u.Entry != nil {
					told[u.Entry.Rendition]++
				}
			}
		case *wire.Cancel:
			got <- told
		}
	})
	for {
		select {
		case ev := <-s.swarm.Events():
			switch ev := ev.(type) {
			case swarm.Joined:
				s.sendWindow(&peer{id: ev.Peer, hello: wire.Hello{Renditions: []uint16{watched, watched}}}, &wire.Window{All: true})
				s.swarm.Send(ev.Peer, &wire.Cancel{})
			case swarm.Left:
				t.Fatalf("the joiner was dropped: %s", ev.Reason)
			}
		case told := <-got:
			if told[watched] < 500 || len(told) < 3 {
				t.Errorf("told of %v", told)
			}
			return
		case <-time.After(patience):
			t.Fatal("nothing was told")
		}
	}
}
