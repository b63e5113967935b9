package settings

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// childEnv makes the test binary save into the file that it names until killed.
const childEnv = "CORAL_TEST_SETTINGS"

const kills = 50

func TestMain(m *testing.M) {
	if file := os.Getenv(childEnv); file != "" {
		saveUntilKilled(file)
	}
	os.Exit(m.Run())
}

// numbered are valid settings that say n in two places.
func numbered(n int) Settings {
	s := other()
	s.Port = n%60000 + 1
	s.CacheDir = abs("cache" + strings.Repeat("x", n%3000) + strconv.Itoa(n))
	return s
}

// number is numbered's inverse, for settings from file.
func number(s Settings) (int, bool) {
	name := filepath.Base(s.CacheDir)
	n, err := strconv.Atoi(strings.TrimLeft(strings.TrimPrefix(name, "cache"), "x"))
	return n, err == nil && s == numbered(n)
}

// saveUntilKilled saves rising numbers and says each when it is kept.
func saveUntilKilled(file string) {
	s, err := Open(file)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	n, _ := number(s.Get())
	for {
		n++
		if err := s.Commit(numbered(n)); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(n)
	}
}

// Whenever the process dies, the last settings that were committed are there, or
// those that were being committed.
func TestKill(t *testing.T) {
	file := filepath.Join(t.TempDir(), "settings.json")
	rng := rand.New(rand.NewPCG(1, 2))
	said := 0
	for i := range kills {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+file)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		// Killed some time after some saves: in the middle of another.
		for wait := 1 + rng.IntN(4); lines.Scan(); {
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
		s, err := Open(file)
		if err != nil {
			t.Fatal(err)
		}
		n, whole := number(s.Get())
		if !whole || s.Found().Damaged || len(s.Found().Reset) > 0 || n != said && n != said+1 {
			t.Fatalf("kill %d: number %d (whole: %v), said %d, found %+v", i, n, whole, said, s.Found())
		}
	}
	if list, _ := os.ReadDir(filepath.Dir(file)); len(list) > 4 { // the file, its backup, what was being written of each
		t.Errorf("%d files are left", len(list))
	}
}
