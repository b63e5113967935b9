package sim

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"coral/node/schedule"
)

// TestTrace prints what happens to one segment, for looking into a run:
// CORAL_TRACE=segment.
func TestTrace(t *testing.T) {
	seq, err := strconv.Atoi(os.Getenv("CORAL_TRACE"))
	if err != nil {
		t.Skip("CORAL_TRACE is not set")
	}
	seed, _ := strconv.ParseUint(os.Getenv("CORAL_SEED"), 10, 64)
	cfg := lab(seed)
	for _, s := range scenarios {
		if s.name == os.Getenv("CORAL_ONLY") {
			cfg = s.make(seed)
		}
	}
	cfg.Watch = func(node int, now schedule.Instant, ev schedule.Event, acts []schedule.Action) {
		show := func(x any) {
			s := fmt.Sprintf("%T%+v", x, x)
			if len(s) > 9 && s[:9] == "schedule." {
				s = s[9:]
			}
			fmt.Printf("%8.3f %2d %s\n", float64(now)/1e9, node+1, s)
		}
		if id, ok := idOf(ev); ok && id == seq {
			show(ev)
		}
		for _, a := range acts {
			if id, ok := idOf(a); ok && id == seq {
				fmt.Print("            → ")
				show(a)
			} else if _, ok := a.(schedule.Suspect); ok {
				fmt.Print("            → ")
				show(a)
			}
		}
	}
	t.Log(Run(cfg))
}

func idOf(x any) (int, bool) {
	switch x := x.(type) {
	case schedule.Known:
		return int(x.ID.Sequence), true
	case schedule.Want:
		return int(x.ID.Sequence), true
	case schedule.Have:
		return int(x.ID.Sequence), true
	case schedule.Got:
		return int(x.ID.Sequence), true
	case schedule.Refused:
		return int(x.ID.Sequence), true
	case schedule.Requested:
		return int(x.ID.Sequence), true
	case schedule.Cancelled:
		return int(x.ID.Sequence), true
	case schedule.Sent:
		return int(x.ID.Sequence), true
	case schedule.Ask:
		return int(x.ID.Sequence), true
	case schedule.Withdraw:
		return int(x.ID.Sequence), true
	case schedule.Fetch:
		return int(x.ID.Sequence), true
	case schedule.Announce:
		return int(x.ID.Sequence), true
	case schedule.Refuse:
		return int(x.ID.Sequence), true
	case schedule.Send:
		return int(x.ID.Sequence), true
	}
	return 0, false
}
