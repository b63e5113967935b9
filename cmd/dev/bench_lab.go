package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"coral/cmd/dev/lab"
)

// labNeeds is said in the flag's help.
const labNeeds = "it takes Linux, root and /dev/net/tun"

// benchLab measures viewers in an emulated network: for each scenario that is named,
// plain HLS and Coral, and that with so many seeds of the network's chance.
func benchLab(ctx context.Context, root, names, programs string, seeds int) error {
	chosen, err := labChoice(names)
	if err != nil {
		return err
	}
	if seeds < 1 {
		return errors.New("bench --seeds: one at the least")
	}
	if err := lab.Usable(); err != nil {
		return fmt.Errorf("bench --lab: %w; %s", err, labNeeds)
	}
	dir, err := os.MkdirTemp("", "coral-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if programs, err = built(ctx, root, dir, programs, map[string][]string{"coralnode": noCgo}); err != nil {
		return err
	}
	silent, forger, err := buildLiars(ctx, root, dir, chosen)
	if err != nil {
		return err
	}
	var left time.Duration
	for _, s := range chosen {
		left += 2 * time.Duration(seeds) * s.lasts
	}
	for _, s := range chosen {
		var plain, coral [][]labFigure // by seed
		for seed := range seeds {
			for _, side := range []struct {
				name    string
				results *[][]labFigure
			}{{"plain HLS", &plain}, {"Coral", &coral}} {
				fmt.Fprintf(os.Stderr, "measuring %s, %s, seed %d; all is done in %s …\n", s.name, side.name, seed+1, left)
				r := &labRun{labScenario: s, coral: side.results == &coral, seed: uint64(seed + 1), coralnode: filepath.Join(programs, "coralnode"), silent: silent, forger: forger}
				if r.dir, err = os.MkdirTemp(dir, "run-"); err != nil {
					return err
				}
				if err := r.run(ctx); err != nil {
					return fmt.Errorf("bench --lab %s: %w", s.name, err)
				}
				if r.idle < leastIdle {
					fmt.Fprintf(os.Stderr, "the machine was idle for %s of the time: do not trust this run\n", percent(r.idle))
				}
				if r.coral {
					r.tellStalls()
					if r.lower > 0 {
						r.tellVariants()
					}
				}
				*side.results = append(*side.results, r.figures())
				left -= s.lasts
			}
		}
		if err := labTable(&s, plain, coral); err != nil {
			return err
		}
	}
	return nil
}

// tellStalls tells which viewers of Coral's stalled: there are few, to be looked into.
func (r *labRun) tellStalls() {
	for _, v := range r.viewers {
		for _, s := range v.seen.Stalls {
			fmt.Fprintf(os.Stderr, "%s, there from %s to %s, stalls %s after it came, for %s\n", v.name, v.joins, v.leaves,
				(v.waited + s.After).Round(time.Millisecond), s.Took.Round(time.Millisecond))
		}
	}
}

// leastIdle is below which programs wait for a processor as long as for the network.
const leastIdle = 0.2

// labTable prints a scenario's figures, medians over the seeds.
func labTable(s *labScenario, plain, coral [][]labFigure) error {
	fmt.Printf("\n%s\n", s.head())
	t := table("", "PLAIN HLS", "CORAL")
	for i, f := range coral[0] {
		beside := "–"
		if i < len(plain[0]) { // the others are nodes'
			beside = f.in(labMedian(plain, i))
		}
		t.row(f.what, beside, f.in(labMedian(coral, i)))
	}
	return t.w.Flush()
}

// labMedian is the median over the seeds of the figure at i.
func labMedian(results [][]labFigure, i int) float64 {
	var all []float64
	for _, figures := range results {
		all = append(all, figures[i].value)
	}
	return middle(all)
}
