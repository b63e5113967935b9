package channel

import (
	"crypto/ed25519"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"coral/store/segment"
)

// TestSignerRestarts runs a publisher for days through restarts, with its clock
// set back now and then. A viewer that is there all the time takes every record.
func TestSignerRestarts(t *testing.T) {
	root, err := NewRoot()
	if err != nil {
		t.Fatal(err)
	}
	v := &viewer{t, NewFeed(chanID, root.Public().(ed25519.PublicKey), FeedOptions{Window: time.Hour}), epoch}
	r := rand.New(rand.NewPCG(1, 2))
	disk := map[string][]byte{} // what a publisher keeps
	s := NewSigner(root, chanID)
	delegations, presentations := 0, 0
	out := func(name string, rec []byte, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		disk[name] = rec
		if u, err := v.add(rec); u == nil || err != nil {
			t.Fatalf("%s: %v, %v", name, u, err)
		}
	}
	for step := range 1500 {
		v.now = v.now.Add(time.Duration(r.IntN(120)) * time.Second)
		now := v.now
		if r.IntN(10) == 0 {
			now = now.Add(-30 * time.Minute) // its clock is set back
		}
		if r.IntN(100) == 0 { // killed
			s = NewSigner(root, chanID)
			for _, rec := range disk {
				if err := s.Resume(rec); err != nil {
					t.Fatal(err)
				}
			}
		}
		if rec, err := s.Delegation(now); err != nil || rec != nil {
			out("delegation", rec, err)
			delegations++
		}
		if step%500 == 0 {
			rec, err := s.Presentation(now, &Presentation{Renditions: []Rendition{{URI: "x"}}})
			out("presentation", rec, err)
			presentations++
		}
		_, seq := s.Next(0)
		e := &Entry{Sequence: seq, URI: "x", Size: 1, Blocks: make([]segment.Digest, 1), Duration: time.Second}
		name := "media"
		switch r.IntN(10) {
		case 0:
			e, name = &Entry{End: true}, "newest"
		case 1:
			e.Kind, e.Sequence, name = segment.Init, uint64(step), "newest"
		}
		rec, err := s.Entry(now, e)
		out(name, rec, err)
		if name == "media" {
			delete(disk, "newest") // older than this one
		}
	}
	if n := v.f.Newest(0); n.Index != 1499 || delegations < 10 || v.f.Presentation().Revision != uint64(presentations) {
		t.Errorf("%d entries, %d delegations, revision %d", n.Index+1, delegations, v.f.Presentation().Revision)
	}
	// A joiner with a right clock gets the window.
	j := &viewer{t, NewFeed(chanID, root.Public().(ed25519.PublicKey), FeedOptions{Window: time.Hour}), v.now}
	recs, _ := v.f.Snapshot(0, 1400, 1<<20)
	j.take(recs...)
	if len(j.f.Entries(0)) == 0 {
		t.Error("the joiner has nothing")
	}
}

func TestSignerOfflineRoot(t *testing.T) {
	s := NewSigner(nil, chanID)
	e := &Entry{URI: "x", Size: 1, Blocks: make([]segment.Digest, 1)}
	if _, err := s.Delegation(epoch); err == nil {
		t.Error("delegated without a root key")
	}
	if _, err := s.Entry(epoch, e); err == nil {
		t.Error("signed without a key")
	}
	rec := Delegate(rootKey, chanID, public(liveKey), 5, epoch, epoch.Add(time.Hour))
	if s.Use(keyOf("other"), rec) == nil || s.Use(liveKey, rec[:20]) == nil || s.Use(liveKey[:3], rec) == nil {
		t.Error("a delegation that does not fit was taken")
	}
	if err := s.Use(liveKey, rec); err != nil {
		t.Fatal(err)
	}
	if s.Use(liveKey, Delegate(rootKey, chanID, public(liveKey), 4, epoch, epoch)) == nil {
		t.Error("an older delegation was taken")
	}
	early := NewSigner(nil, chanID)
	if err := early.Use(liveKey, rec); err != nil {
		t.Fatal(err)
	}
	if _, err := early.Entry(epoch.Add(-time.Second), e); err == nil {
		t.Error("signed before the key is valid")
	}
	if rec, err := s.Delegation(epoch.Add(59 * time.Minute)); rec != nil || err != nil {
		t.Errorf("%v, %v", rec, err)
	}
	if _, err := s.Entry(epoch, e); err != nil {
		t.Error(err)
	}
	if _, err := s.Entry(epoch, e); err == nil {
		t.Error("a sequence was signed twice")
	}
	if index, seq := s.Next(0); index != 1 || seq != 1 {
		t.Errorf("next %d, %d", index, seq)
	}
	e.Sequence, e.URI = 1, "file:///etc/passwd"
	if _, err := s.Entry(epoch, e); err == nil {
		t.Error("signed a file")
	}
	if _, err := s.Presentation(epoch, &Presentation{}); err == nil {
		t.Error("signed an empty presentation")
	}
	if _, err := s.Entry(epoch.Add(2*time.Hour), e); err == nil {
		t.Error("signed with an expired key")
	}
	for _, bad := range [][]byte{nil, make([]byte, 100), rec[:len(rec)-1]} {
		if err := s.Resume(bad); !errors.Is(err, ErrMalformed) {
			t.Errorf("resumed %d bytes: %v", len(bad), err)
		}
	}
}
