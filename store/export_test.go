package store

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// Hooks replace what the store asks of the system; nil: an ample disk.
type Hooks struct {
	Open func(name string, flag int, perm os.FileMode) (*os.File, error)
	Free func(dir string) (free, total int64, err error)
}

// OpenWith is Open with hooks.
func OpenWith(o Options, h Hooks) (*Store, error) {
	if h.Open == nil {
		h.Open = os.OpenFile
	}
	if h.Free == nil {
		h.Free = func(string) (int64, int64, error) { return 1 << 40, 1 << 41, nil }
	}
	return open(o, system{h.Open, h.Free, time.Minute}) // however slow the disk is, tests lose nothing
}

// ShardFiles lists a folder's shard files, oldest first.
func ShardFiles(t testing.TB, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"+shardSuffix))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// Seal closes the active shard.
func (s *Store) Seal() {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.seal()
}

func TestMain(m *testing.M) {
	if dir := os.Getenv(ChildEnv); dir != "" {
		child(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// ChildEnv makes the test binary write into the folder it names until killed.
const ChildEnv = "CORAL_STORE_TEST_CHILD"

var child = func(string) {}

// SetChild says what the test binary does as a child.
func SetChild(f func(dir string)) { child = f }
