package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"coral/node/sim"
)

// simulate runs the simulator's scenarios, prints their tables and draws them
// into the folder.
func simulate(ctx context.Context, folder string, large bool) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("make folder of plots: %w", err)
	}
	run := func(all []scenario) (rs []*sim.Result, err error) {
		for _, s := range all {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			fmt.Fprintf(os.Stderr, "simulating %s …\n", s.what)
			begun := time.Now()
			rs = append(rs, median(s.cfg))
			if took := time.Since(begun); took > 10*time.Second {
				fmt.Fprintf(os.Stderr, "  took %v\n", took.Round(time.Second))
			}
		}
		return rs, nil
	}
	sizes, uplinks, others := bySize(large), byUplink(), troubles()
	bySizes, err := run(sizes)
	if err != nil {
		return err
	}
	byUplinks, err := run(uplinks)
	if err != nil {
		return err
	}
	byTroubles, err := run(others)
	if err != nil {
		return err
	}

	sized := table("COPIES SENT TO VIEWERS", "STEADY", "WORST SEGMENT", "WITH JOINS AND HEADERS", "BOUND", "STALLED", "START p50/p95", "READY p50/p95")
	for i, r := range bySizes {
		sized.row(sizes[i].what, copies(r.Steady), copies(r.SteadyWorst), copies(r.Egress), copies(fluid(sizes[i].cfg)), stalled(r), start(sizes[i].cfg, r), pair(r.ReadyP50, r.ReadyP95))
	}
	shrunk := table("OFFLOAD, 30 VIEWERS", "OFFLOAD", "BOUND", "RATIO", "STALLED", "UPLINKS USED")
	for i, r := range byUplinks {
		offload, bound := offloads(uplinks[i].cfg, r)
		shrunk.row(uplinks[i].what, percent(offload), percent(bound), percent(offload/bound), stalled(r), percent(r.Uplinks))
	}
	delays := table("SEGMENT READY AFTER ITS END", "p10", "p50", "p90", "p99", "LAST")
	for i, r := range bySizes {
		q := func(share float64) string { return ms(quantile(r.Readies, share)) }
		delays.row(sizes[i].what, q(0.1), q(0.5), q(0.9), q(0.99), q(1))
	}
	troubled := table("TROUBLES", "STEADY COPIES", "WITH JOINS AND HEADERS", "STALLED", "WAITED", "START p50/p95", "DUPLICATES", "WRONG BYTES REFUSED")
	for i, r := range byTroubles {
		troubled.row(others[i].what, copies(r.Steady), copies(r.Egress), stalled(r), r.StallTime.Round(10*time.Millisecond).String(), pair(r.StartP50, r.StartP95), percent(r.Duplicates), fmt.Sprint(r.Forged))
	}
	for _, t := range []*rows{sized, shrunk, delays, troubled} {
		if err := t.print(); err != nil {
			return err
		}
	}
	for name, draw := range map[string]func(string) error{
		"copies.svg":  func(f string) error { return drawCopies(f, sizes, bySizes) },
		"offload.svg": func(f string) error { return drawOffload(f, uplinks, byUplinks) },
		"delay.svg":   func(f string) error { return drawDelays(f, sizes, bySizes) },
		"upload.svg":  func(f string) error { return drawLoads(f, uplinks, byUplinks) },
	} {
		if err := draw(filepath.Join(folder, name)); err != nil {
			return fmt.Errorf("draw %s: %w", name, err)
		}
	}
	fmt.Printf("\npictures: %s\n", filepath.Join(folder, "*.svg"))
	return nil
}

// rows is a table in the making.
type rows struct{ w *tabwriter.Writer }

func table(heads ...string) *rows {
	t := &rows{tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)}
	t.row(heads...)
	return t
}

func (t *rows) row(cells ...string) {
	for i, c := range cells {
		if i > 0 {
			fmt.Fprint(t.w, "\t")
		}
		fmt.Fprint(t.w, c)
	}
	fmt.Fprintln(t.w)
}

func (t *rows) print() error {
	fmt.Println()
	return t.w.Flush()
}

func copies(c float64) string  { return fmt.Sprintf("%.2f", c) }
func percent(p float64) string { return fmt.Sprintf("%.1f %%", 100*p) }
func ms(d time.Duration) string {
	return fmt.Sprintf("%d ms", d.Milliseconds())
}

func pair(a, b time.Duration) string {
	return fmt.Sprintf("%d/%d ms", a.Milliseconds(), b.Milliseconds())
}

// start is when they began to play, if the run shows that.
func start(cfg sim.Config, r *sim.Result) string {
	if cfg.Warm {
		return "–"
	}
	return pair(r.StartP50, r.StartP95)
}

func stalled(r *sim.Result) string { return fmt.Sprintf("%d of %d", r.StalledPeers, r.Viewers) }

// quantile of durations in rising order.
func quantile(ds []time.Duration, share float64) time.Duration {
	if len(ds) == 0 {
		return 0
	}
	return ds[min(len(ds)-1, int(share*float64(len(ds))))]
}
