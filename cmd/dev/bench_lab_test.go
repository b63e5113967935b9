package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"coral/cmd/dev/lab"
	"coral/node/sim"
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

// TestLies finds the place where liars differ, in the file that they are made of.
func TestLies(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("..", "..", liesIn))
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{sendsNothing, sendsWrong} {
		lying, err := lie(string(source), statement)
		if err != nil {
			t.Error(err)
		} else if len(lying) != len(source)+len(statement) {
			t.Errorf("a lie of %d bytes makes %d of %d", len(statement), len(lying), len(source))
		}
	}
	if _, err := lie(liesAbove+liesAbove, sendsWrong); err == nil {
		t.Error("a lie went to one of two places")
	}
}

func TestAudience(t *testing.T) {
	const stay = 25 * time.Second
	s := labScenario{lasts: 100 * time.Second, groups: []sim.Group{{Count: 12, Join: firstJoin, Every: joinEvery, Stay: stay}}}
	all := s.audience(1)
	var there time.Duration
	for i, v := range all {
		there += v.leaves - v.joins
		if v.joins < firstJoin || v.leaves > s.ends() || v.leaves-v.joins < shortestStay || v.killed != (v.leaves < s.ends()) {
			t.Errorf("%d is there from %v to %v, killed %t", i, v.joins, v.leaves, v.killed)
		}
	}
	if n := there.Seconds() / (s.ends() - firstJoin).Seconds(); n < 11 || n > 12 {
		t.Errorf("%.1f are there at the mean", n)
	}
	if len(all) < 24 || !slices.EqualFunc(all, s.audience(1), func(a, b *labViewer) bool { return a.leaves == b.leaves }) {
		t.Errorf("%d viewers, by chance", len(all))
	}
}

// TestVariantFigures is of a viewer whose line is narrowed, and one who changes too
// often.
func TestVariantFigures(t *testing.T) {
	at := func(seconds float64, better bool) arrival {
		return arrival{at: time.Duration(seconds * float64(time.Second)), better: better}
	}
	r := &labRun{labScenario: labScenario{
		name: "variants", rate: 3.3 * mbit, lower: 0.9 * mbit, groups: households(2, 6*mbit, 5*mbit),
		narrows: narrowing{from: 35 * time.Second, to: 52 * time.Second},
	}}
	r.viewers = []*labViewer{
		{joins: 8 * time.Second, leaves: 90 * time.Second, got: []arrival{at(9, false), at(16, true), at(18, false), at(20, true)}},
		{joins: 10 * time.Second, leaves: 90 * time.Second, got: []arrival{at(11, true), at(36, true), at(38, false), at(66, true)}},
	}
	want := []float64{8, 8, 5. / 8, 3, 2, 3, 14}
	for i, f := range r.variantFigures() {
		if f.value != want[i] {
			t.Errorf("%s: %v, not %v", f.what, f.value, want[i])
		}
	}
	never := &labViewer{joins: 8 * time.Second, leaves: 90 * time.Second, got: []arrival{at(9, false)}}
	if d := never.first(never.joins, true); d != 82*time.Second {
		t.Errorf("what never came came after %v", d)
	}
	if h := r.head(); !strings.Contains(h, "0.9 and 3.3 Mbit/s") || !slices.Equal(r.bitrates(), []int{900_000, 3_300_000}) {
		t.Errorf("%s, %v", h, r.bitrates())
	}
	r.lower = 0
	if f, b := r.variantFigures(), r.bitrates(); f != nil || !slices.Equal(b, []int{3_300_000}) {
		t.Errorf("of one variant: %v, %v", f, b)
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
