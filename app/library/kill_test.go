package library

import (
	"bufio"
	"fmt"
	"image/color"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// childEnv makes the test binary write into the folder that it names until
// killed; childDoes says what.
const (
	childEnv  = "CORAL_TEST_LIBRARY"
	childDoes = "CORAL_TEST_DOES"
	kills     = 50
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		var err error
		if os.Getenv(childDoes) == "ledger" {
			err = countUntilKilled(dir)
		} else {
			err = editUntilKilled(dir)
		}
		fmt.Println(err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// editUntilKilled adds channels with posters, makes some favourites, forgets all
// but the last 30, and says each number when it is kept.
func editUntilKilled(dir string) error {
	l, err := Open(dir)
	if err != nil {
		return err
	}
	list := l.List("", "")
	number := func(c Channel) int {
		n, _ := strconv.Atoi(strings.TrimPrefix(c.Name, "TV "))
		return n
	}
	last := -1
	for _, c := range list {
		last = max(last, number(c))
	}
	for _, c := range list { // which the last child had no time to forget
		if number(c) <= last-30 {
			if err := l.Forget(c.ID); err != nil {
				return err
			}
		}
	}
	for n := last + 1; ; n++ {
		c, err := l.Add(plain(n))
		if err != nil {
			return err
		}
		fmt.Println(n)
		if n%2 == 0 {
			if err := l.SetPoster(c.ID, frame(320, 180)); err != nil {
				return err
			}
		}
		if n%3 == 0 {
			if err := l.SetFavorite(c.ID, true); err != nil {
				return err
			}
		}
		if n >= 30 { // so that it does not grow for ever
			id, _ := Identify(plain(n - 30).Link)
			if err := l.Forget(id); err != nil {
				return err
			}
		}
	}
}

// countUntilKilled counts, and says what was taken when it is kept.
func countUntilKilled(dir string) error {
	l, err := OpenLedger(dir)
	if err != nil {
		return err
	}
	for {
		l.Add("a", 2, 1, time.Now())
		l.Add("b", 1, 0, time.Now())
		if err := l.Flush(); err != nil {
			return err
		}
		fmt.Println(int64(l.Total(time.Now()).EverDown))
	}
}

// killed runs a child until it has said some numbers, and kills it a moment later,
// in the middle of the next. It returns the last number that it said.
func killed(t *testing.T, dir, does string, rng *rand.Rand) (said int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir, childDoes+"="+does)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	wait := 1 + rng.IntN(4)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Errorf("the child says: %s", lines.Text())
			break
		}
		said = n
		if wait--; wait == 0 {
			time.AfterFunc(time.Duration(rng.Int64N(int64(10*time.Millisecond))), func() { cmd.Process.Kill() })
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	return said
}

// Whenever the process dies, what an edit kept is there, whole.
func TestKillLibrary(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(1, 2))
	said := 0
	for i := range kills {
		said = killed(t, dir, "library", rng)
		l := open(t, dir)
		if f := l.Found(); f.Damaged || f.Dropped > 0 {
			t.Fatalf("kill %d: found %+v", i, f)
		}
		have := map[string]bool{}
		for _, c := range l.List("", "") {
			have[c.Name] = true
			if img := l.Poster(c.ID); img != nil && img.At(310, 170) != (color.RGBA{0, 0, 255, 255}) {
				t.Fatalf("kill %d: half a poster", i)
			}
		}
		for n := max(0, said-28); n <= said; n++ {
			if !have[plain(n).Name] {
				t.Fatalf("kill %d: %s was kept and is lost", i, plain(n).Name)
			}
		}
		if len(have) > 33 {
			t.Fatalf("kill %d: %d channels", i, len(have))
		}
	}
	if list, _ := os.ReadDir(filepath.Join(dir, "posters")); len(list) > 40 {
		t.Errorf("%d files are left", len(list))
	}
}

func TestKillLedger(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(3, 4))
	said := 0
	for i := range kills {
		said = killed(t, dir, "ledger", rng)
		l := openLedger(t, dir)
		all := l.Total(time.Now())
		if n := int(all.EverDown); l.Found().Damaged || n != said && n != said+1 || all.EverUp != 3*all.EverDown {
			t.Fatalf("kill %d: %+v, said %d, found %+v", i, all, said, l.Found())
		}
	}
}
