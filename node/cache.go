package node

import (
	"fmt"

	"coral/node/budget"
	"coral/store/segment"
)

// CacheUsed is what the cache takes on disk.
func (n *Node) CacheUsed() budget.Size { return budget.Size(n.store.Stats().Disk) }

// SetCacheSize changes the cap on the cache, which then holds at once. A cache
// that was opened without a folder stays in memory.
func (n *Node) SetCacheSize(size budget.Size) {
	n.store.SetCap(int64(size))
	n.recount()
}

// Relax gives back what the cache keeps in memory though it is on disk: for a while
// in which nothing plays.
func (n *Node) Relax() { n.store.Relax() }

// ClearCache removes all but what is just being played.
func (n *Node) ClearCache() error {
	err := n.store.ClearUnpinned()
	n.recount()
	if err != nil {
		return fmt.Errorf("clear cache: %w", err)
	}
	return nil
}

// ClearChannel removes all of one channel, whether it plays or not. Segments of
// others that share a file with it may go, too.
func (n *Node) ClearChannel(ch segment.Channel) error {
	err := n.store.Clear(&ch)
	n.recount()
	return err
}

// recount has the sessions look at what the store still holds: nobody is to be
// told of blocks that are gone.
func (n *Node) recount() {
	for _, s := range n.open() {
		s.post(func() {
			for _, o := range s.objects {
				if o.entry == nil || o.held.Empty() {
					continue
				}
				held := s.node.store.Has(o.key)
				for i := range o.entry.Blocks {
					if !held.Has(i) {
						s.lost(o, i)
					}
				}
			}
			s.forgetPast()
		})
	}
}
