package main

import (
	"path/filepath"
	"testing"
	"time"

	"coral/cmd/dev/lab"
)

func TestLabChoice(t *testing.T) {
	if all, err := labChoice("all"); err != nil || len(all) != len(labNames()) {
		t.Errorf("%d scenarios, %v", len(all), err)
	}
	two, err := labChoice("small,joins")
	if err != nil || len(two) != 2 || two[0].name != "small" || two[1].name != "joins" {
		t.Errorf("%v %v", two, err)
	}
	if b := two[0].bound(); b != 0.6 {
		t.Errorf("uplinks of 0.9 carry %.2f of 1.5", b)
	}
	if b := two[1].bound(); b != 1-1/6. {
		t.Errorf("six with large uplinks carry %.2f", b)
	}
	if _, err := labChoice("joins,leaves"); err == nil {
		t.Error("a scenario that is not there was found")
	}
}

// TestLabRun is a scenario small enough for a test.
func TestLabRun(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 18 seconds")
	}
	if err := lab.Usable(); err != nil {
		t.Skip(err)
	}
	root, err := moduleRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := built(t.Context(), root, dir, "", map[string][]string{"coralnode": noCgo}); err != nil {
		t.Fatal(err)
	}
	s := labScenarios[0]
	s.lasts, s.groups = 18*time.Second, households(3, 6*mbit, 5*mbit)
	r := &labRun{labScenario: s, coral: true, seed: 1, coralnode: filepath.Join(dir, "coralnode"), dir: dir}
	if err := r.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, v := range r.viewers {
		if v.seen.Segments < 2 || v.seen.Corrupt > 0 || v.share <= 0 || v.memory <= 0 || v.counts.Bytes.FromPeers == 0 {
			t.Errorf("%s: %v; %+v", v.name, v.seen, v.counts)
		}
	}
	for _, f := range r.figures() {
		t.Logf("%s: %s", f.what, f.in(f.value))
	}
}
