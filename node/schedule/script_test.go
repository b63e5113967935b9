package schedule

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"coral/store/segment"
)

var update = flag.Bool("update", false, "write what the scheduler does into the scripts")

// A script is a text file of lines: events, each with its time in milliseconds
// since the beginning, and below each (after ">") the actions that follow.
// "wait" ticks until a time, whenever Next says so. "#" begins a comment.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := play(string(text))
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(text) {
				t.Errorf("%s: the scheduler does otherwise:\n%s", file, difference(string(text), got))
			}
		})
	}
}

// play runs a script and returns it with the actions that the scheduler takes.
func play(text string) (string, error) {
	var s *Scheduler
	var out strings.Builder
	now := Instant(1)
	step := func(ev Event) error {
		acts := s.Step(now, ev, nil)
		if err := check(s); err != nil {
			return err
		}
		for _, a := range acts {
			fmt.Fprintf(&out, "  > %s%s\n", at(now, ev), describe(a))
		}
		return nil
	}
	lines := bufio.NewScanner(strings.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if strings.HasPrefix(strings.TrimSpace(line), ">") {
			continue
		}
		out.WriteString(line + "\n")
		code, _, _ := strings.Cut(line, "#")
		f := strings.Fields(code)
		if len(f) == 0 {
			continue
		}
		if f[0] == "config" {
			s = New(parseConfig(f[1:]))
			continue
		}
		if s == nil {
			return "", fmt.Errorf("line %d: config must come first", n)
		}
		ms, err := strconv.ParseFloat(f[0], 64)
		if err != nil || len(f) < 2 {
			return "", fmt.Errorf("line %d: want a time in milliseconds and an event", n)
		}
		then := Instant(ms*1e6) + 1
		for s.Next() <= then && (f[1] == "wait" || s.Next() < then) {
			now = s.Next()
			if err := step(Tick{}); err != nil {
				return "", fmt.Errorf("line %d: %w", n, err)
			}
		}
		now = then
		if f[1] == "wait" {
			continue
		}
		ev, err := parseEvent(now, f[1], f[2:])
		if err != nil {
			return "", fmt.Errorf("line %d: %w", n, err)
		}
		if err := step(ev); err != nil {
			return "", fmt.Errorf("line %d: %w", n, err)
		}
	}
	return out.String(), nil
}

// at names the time of what a tick did; an event's line has it already.
func at(now Instant, ev Event) string {
	if _, ok := ev.(Tick); ok {
		return fmt.Sprintf("%d: ", now/1e6)
	}
	return ""
}

func parseConfig(f []string) Config {
	cfg := Config{Self: 100}
	for _, w := range f {
		k, v, _ := strings.Cut(w, "=")
		n, _ := strconv.ParseUint(v, 10, 64)
		switch k {
		case "share":
			cfg.Share = true
		case "origin":
			cfg.Origin = true
		case "superseed":
			cfg.SuperSeed = true
		case "slots":
			cfg.Slots = int(n)
		case "self":
			cfg.Self = n
		}
	}
	return cfg
}

// words reads "key=value" and bare words.
type words map[string]string

func (w words) num(k string) int {
	n, _ := strconv.Atoi(w[k])
	return n
}

func parseEvent(now Instant, kind string, f []string) (Event, error) {
	w := words{}
	for _, x := range f {
		k, v, ok := strings.Cut(x, "=")
		if !ok {
			v = "yes"
		}
		w[k] = v
	}
	p := Peer(w.num("peer"))
	id := segment.ID{Sequence: uint64(w.num("seg"))}
	block := w.num("block")
	due := Never
	if w["due"] != "" {
		due = Instant(w.num("due")) * 1e6
	}
	roles := map[string]Role{"helper": Helper, "publisher": Publisher}
	reasons := map[string]RefuseReason{"notheld": NotHeld, "notsharing": NotSharing, "late": Late, "elsewhere": Elsewhere}
	switch kind {
	case "joined":
		return Joined{Peer: p, Role: roles[w["role"]], Key: uint64(w.num("key")), Uploads: w["leech"] == ""}, nil
	case "watching":
		var r []uint16
		if w["nothing"] == "" {
			r = []uint16{0}
		}
		return Watching{Peer: p, Renditions: r, Uploads: w["leech"] == ""}, nil
	case "left":
		return Left{Peer: p}, nil
	case "rtt":
		return RTT{Peer: p, RTT: time.Duration(w.num("ms")) * time.Millisecond}, nil
	case "known":
		blocks := w.num("blocks")
		return Known{
			ID: id, Size: blocks * segment.BlockSize, Salt: uint64(w.num("salt")), Duration: 2 * time.Second,
			Live: w["live"] != "", Origin: w["noorigin"] == "", Took: time.Duration(w.num("took")) * time.Millisecond, Held: parseBlocks(w["held"]),
		}, nil
	case "forget":
		return Forget{ID: id}, nil
	case "want":
		return Want{ID: id, Due: due, Background: w["background"] != ""}, nil
	case "unwant":
		return Unwant{ID: id}, nil
	case "have":
		return Have{Peer: p, ID: id, Held: parseBlocks(w["held"]), Fetching: parseBlocks(w["fetching"])}, nil
	case "arriving":
		return Arriving{Peer: p, ID: id, Block: block}, nil
	case "got":
		return Got{Peer: p, ID: id, Block: block, OK: w["bad"] == ""}, nil
	case "refused":
		return Refused{Peer: p, ID: id, Block: block, Reason: reasons[w["why"]]}, nil
	case "fetched":
		return Fetched{Ticket: Ticket(w.num("ticket")), Block: block, OK: w["bad"] == ""}, nil
	case "fetchended":
		return FetchEnded{Ticket: Ticket(w.num("ticket")), Failed: w["failed"] != "", RetryAfter: time.Duration(w.num("retry")) * time.Millisecond}, nil
	case "adopted":
		return Adopted{Ticket: 1<<63 | Ticket(w.num("ticket")), ID: id, First: w.num("first"), Count: w.num("count")}, nil
	case "lost":
		return Lost{ID: id, Block: block}, nil
	case "requested":
		return Requested{Peer: p, ID: id, Block: block, Due: due}, nil
	case "cancelled":
		return Cancelled{Peer: p, ID: id, Block: block}, nil
	case "sent":
		return Sent{Peer: p, ID: id, Block: block}, nil
	case "claimed":
		return Claimed{Peer: p, ID: id, Round: w.num("round"), TTL: w.num("ttl"), First: w.num("first"), Count: w.num("count"), Claimant: uint64(w.num("claimant"))}, nil
	case "estimate":
		return Estimate{N: w.num("n")}, nil
	case "configured":
		return Configured{Share: w["share"] != "", Origin: w["origin"] != ""}, nil
	case "tick":
		return Tick{}, nil
	}
	return nil, fmt.Errorf("unknown event %q at %d", kind, now)
}

// parseBlocks reads "0-3,7".
func parseBlocks(s string) segment.Bitmap {
	if s == "" {
		return nil
	}
	b := segment.NewBitmap(256)
	for _, part := range strings.Split(s, ",") {
		from, to, ranged := strings.Cut(part, "-")
		lo, _ := strconv.Atoi(from)
		hi := lo
		if ranged {
			hi, _ = strconv.Atoi(to)
		}
		for i := lo; i <= hi; i++ {
			b.Set(i)
		}
	}
	return b
}

func blocksOf(b segment.Bitmap) string {
	var parts []string
	for i := next(b, 0); i >= 0; i = next(b, i+1) {
		j := i
		for b.Has(j + 1) {
			j++
		}
		if i == j {
			parts = append(parts, strconv.Itoa(i))
		} else {
			parts = append(parts, fmt.Sprintf("%d-%d", i, j))
		}
		i = j
	}
	if parts == nil {
		return "-"
	}
	return strings.Join(parts, ",")
}

func describe(a Action) string {
	switch a := a.(type) {
	case Ask:
		return fmt.Sprintf("ask %d for %d.%d, of use until %d", a.Peer, a.ID.Sequence, a.Block, a.Due/1e6)
	case Withdraw:
		return fmt.Sprintf("withdraw %d.%d from %d", a.ID.Sequence, a.Block, a.Peer)
	case Fetch:
		return fmt.Sprintf("fetch %d.%d-%d as %d", a.ID.Sequence, a.First, a.First+a.Count-1, a.Ticket)
	case StopFetch:
		return fmt.Sprintf("stop fetch %d", a.Ticket)
	case Announce:
		return fmt.Sprintf("tell %d: %d has %s fetches %s", a.Peer, a.ID.Sequence, blocksOf(a.Held), blocksOf(a.Fetching))
	case Claim:
		return fmt.Sprintf("claim to %v: %d.%d-%d round %d ttl %d by %d", a.Peers, a.ID.Sequence, a.First, a.First+a.Count-1, a.Round, a.TTL, a.Claimant)
	case Send:
		return fmt.Sprintf("send %d.%d to %d", a.ID.Sequence, a.Block, a.Peer)
	case Refuse:
		return fmt.Sprintf("refuse %d.%d to %d: %s", a.ID.Sequence, a.Block, a.Peer, []string{"busy", "not held", "not sharing", "late", "elsewhere"}[a.Reason])
	case Suspect:
		return fmt.Sprintf("suspect %d: %s", a.Peer, a.Why)
	case Drop:
		return fmt.Sprintf("drop %d: %s", a.Peer, a.Why)
	}
	return fmt.Sprintf("%T%+v", a, a)
}

// difference shows the first lines that differ.
func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		var a, b string
		if i < len(w) {
			a = w[i]
		}
		if i < len(g) {
			b = g[i]
		}
		if a != b {
			return fmt.Sprintf("line %d:\n  script:    %s\n  scheduler: %s\n\n%s", i+1, a, b, got)
		}
	}
	return ""
}
