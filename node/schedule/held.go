package schedule

import "coral/store/segment"

// Held reports whether connected peers announced every block of a segment, and
// serve.
func (s *Scheduler) Held(id segment.ID) bool {
	o := s.object(id)
	switch {
	case o == nil:
		return false
	case o.full&s.usable != 0:
		return true
	case o.blocks == nil:
		return false
	}
	for i := range o.blocks {
		if o.lack.Has(i) && o.blocks[i].holders&s.usable == 0 {
			return false
		}
	}
	return true
}
