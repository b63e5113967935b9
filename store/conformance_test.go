package store_test

import (
	"testing"

	"coral/store"
	"coral/store/storetest"
)

func TestConformance(t *testing.T) {
	open := func(o store.Options) func(t *testing.T) storetest.Store {
		return func(t *testing.T) storetest.Store {
			if o.Cap > 0 {
				o.Dir = t.TempDir()
			}
			s, err := store.OpenWith(o, store.Hooks{})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Degraded(); err != nil {
				t.Fatal(err)
			}
			return s
		}
	}
	// A RAM below the suite's needs makes most reads come from the disk.
	t.Run("disk", func(t *testing.T) { storetest.Run(t, open(store.Options{Cap: 64 << 20, RAM: 2 * store.MinRAM})) })
	t.Run("disk and RAM", func(t *testing.T) { storetest.Run(t, open(store.Options{Cap: 64 << 20})) })
	t.Run("small disk", func(t *testing.T) {
		storetest.Run(t, open(store.Options{Cap: 12 << 20, RAM: storetest.Room}))
	})
	t.Run("RAM", func(t *testing.T) { storetest.Run(t, open(store.Options{RAM: storetest.Room})) })
}
