package node

import (
	"encoding/binary"
	"testing"
	"time"

	"coral/node/schedule"
)

// Peers are remembered for an hour, and the latest of them only.
func TestHistory(t *testing.T) {
	var h history
	begin := time.Now()
	id := func(i int) (id [20]byte) {
		binary.BigEndian.PutUint64(id[:], uint64(i))
		return id
	}
	h.note(id(0), schedule.Standing{}, begin)
	if len(h.peers) != 0 {
		t.Error("one of whom nothing is known is remembered")
	}
	for i := range historyMost + 2 {
		h.note(id(i), schedule.Standing{Service: time.Duration(i + 1)}, begin.Add(time.Duration(i)*time.Millisecond))
	}
	if len(h.peers) != historyMost || h.of(id(1), begin) != (schedule.Standing{}) {
		t.Errorf("%d are remembered", len(h.peers))
	}
	if got := h.of(id(2), begin.Add(historyFor)); got.Service != 3 {
		t.Errorf("within the hour: %+v", got)
	}
	if got := h.of(id(2), begin.Add(historyFor+time.Second)); got != (schedule.Standing{}) {
		t.Errorf("after it: %+v", got)
	}
}
