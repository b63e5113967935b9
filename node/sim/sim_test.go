package sim

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
)

// lab is the emulated network's swarm scenario: six viewers at home uplinks, an
// origin whose line carries four copies of the stream, a publisher with as much.
func lab(seed uint64) Config {
	return Config{
		Seed: seed, Duration: 60 * time.Second, Rate: 1_500_000, Segment: 2 * time.Second,
		Origin:    Link{Up: 6_000_000, Down: 100e6, Delay: 15 * time.Millisecond},
		Publisher: Link{Up: 6_000_000, Down: 100e6, Delay: 5 * time.Millisecond},
		Groups:    []Group{home(6)},
	}
}

func home(n int) Group {
	return Group{
		Count: n, Link: Link{Up: 5_000_000, Down: 40e6, Delay: 10 * time.Millisecond, Jitter: 3 * time.Millisecond},
		Join: 8 * time.Second, Every: 500 * time.Millisecond,
	}
}

// scenarios are what the tests and the table run.
var scenarios = []struct {
	name string
	make func(seed uint64) Config
}{
	{"lab", lab},
	{"alone", func(s uint64) Config { c := lab(s); c.Groups[0].Count = 1; return c }},
	{"pair", func(s uint64) Config { c := lab(s); c.Groups[0].Count = 2; return c }},
	{"no sharing", func(s uint64) Config {
		c := lab(s)
		c.Origin.Up, c.Publisher.Up, c.Groups[0].Leech = 100e6, 0, true
		return c
	}},
	{"third killed", func(s uint64) Config {
		c := lab(s)
		gone := home(2)
		gone.Join, gone.Kill = 9*time.Second, 30*time.Second
		c.Groups = []Group{home(4), gone}
		return c
	}},
	{"liars", func(s uint64) Config {
		c := lab(s)
		liars := home(3)
		liars.Liar = true
		c.Groups = []Group{home(7), liars}
		return c
	}},
	{"small uplinks", func(s uint64) Config {
		c := lab(s)
		c.Groups = []Group{home(8)}
		c.Groups[0].Up = 900_000
		c.Origin.Up, c.Publisher.Up = 20e6, 3e6
		return c
	}},
	{"publisher serves nobody", func(s uint64) Config { c := lab(s); c.Publisher.Up = 0; return c }},
	{"no origin", func(s uint64) Config { c := lab(s); c.NoOrigin = true; return c }},
	{"origin gone", func(s uint64) Config { c := lab(s); c.OriginUntil = 0; c.NoOrigin = false; return c }},
	{"uneven uplinks", func(s uint64) Config {
		c := lab(s)
		slow := home(3)
		slow.Up, slow.Join = 500_000, 8250*time.Millisecond
		fast := home(3)
		fast.Up = 12e6
		c.Groups = []Group{slow, fast}
		return c
	}},
	{"loss 5%", func(s uint64) Config {
		c := lab(s)
		c.Groups = []Group{home(8)}
		c.Groups[0].Loss, c.Groups[0].Delay = 0.05, 20*time.Millisecond
		return c
	}},
	{"mesh of 10", func(s uint64) Config { c := lab(s); c.Groups[0].Count = 10; return c }},
	{"mesh of 20", func(s uint64) Config { c := lab(s); c.Groups[0].Count = 20; return c }},
	{"flash 5 to 20", func(s uint64) Config {
		c := lab(s)
		late := home(15)
		late.Join, late.Every = 25*time.Second, 330*time.Millisecond
		c.Groups = []Group{home(5), late}
		c.Origin.Up, c.Publisher.Up = 3e6, 3e6
		return c
	}},
	{"graph of 100", func(s uint64) Config {
		c := lab(s)
		c.Groups[0].Count, c.Groups[0].Every, c.Degree = 100, 50*time.Millisecond, 12
		c.Origin.Up = 50e6
		return c
	}},
	{"thousand", func(s uint64) Config { return thousand(s, 40*time.Second) }},
	{"graph of 100, publisher serves nobody", func(s uint64) Config {
		c := lab(s)
		c.Groups[0].Count, c.Groups[0].Every, c.Degree = 100, 50*time.Millisecond, 12
		c.Origin.Up, c.Publisher.Up = 50e6, 0
		return c
	}},
}

// TestTable prints what every scenario gives: CORAL_TABLE=seeds.
func TestTable(t *testing.T) {
	seeds, err := strconv.Atoi(os.Getenv("CORAL_TABLE"))
	if err != nil {
		t.Skip("CORAL_TABLE is not set")
	}
	only := os.Getenv("CORAL_ONLY")
	for _, s := range scenarios {
		if only != "" && only != s.name {
			continue
		}
		for seed := range uint64(seeds) {
			r := Run(s.make(seed))
			fmt.Printf("%s, seed %d: %v\n", s.name, seed, r)
		}
	}
}
