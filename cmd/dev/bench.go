package main

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// comparison is one line of the table: a benchmark, and what it is held against.
type comparison struct {
	what      string
	pkg       string
	ours      string // benchmark
	reference string // benchmark of the same package; empty: measure
	measure   func() (float64, error)
	against   string
}

var comparisons = []comparison{
	{what: "store: write segments", pkg: "./store", ours: "BenchmarkStorePut", reference: "BenchmarkPlainPut", against: "plain files, one a segment"},
	{what: "store: read blocks, checked", pkg: "./store", ours: "BenchmarkStoreRead", reference: "BenchmarkPlainRead", against: "plain files, one a segment"},
	{what: "proxy: segment to a player", pkg: "./node/proxy", ours: "BenchmarkProxy", reference: "BenchmarkNetHTTP", against: "net/http serving the file"},
	{what: "swarm: blocks to a peer, encrypted", pkg: "./node/swarm", ours: "BenchmarkBlocks", against: "raw socket copy", measure: socketCopy},
}

func runBenchmarks(ctx context.Context, root string, args []string) error {
	f := flag.NewFlagSet("dev bench", flag.ContinueOnError)
	span := f.Duration("time", time.Second, "how long each benchmark runs")
	plots := f.String("plots", filepath.Join("dist", "plots"), "folder for the pictures, below Coral's")
	large := f.Bool("large", false, "simulate 10,000 viewers too, and 100,000 and 1,000,000 in coarser units: half an hour more, and 16 GB")
	desk := f.String("app", "", "measure the desktop program instead: all, or some of start,play,gaps,idle,soak")
	emulated := f.String("lab", "", "measure viewers in an emulated network instead: all, or some of "+strings.Join(labNames(), ",")+"; "+labNeeds)
	runs := f.Int("seeds", 1, "for --lab: how often each scenario is run, with jitter and losses of its own; the medians are shown")
	programs := f.String("programs", "", "for --app and --lab: the folder of coral and coralnode; they are built if it is not given")
	soak := f.Duration("soak", 48*time.Minute, "for --app soak: how long it watches")
	if err := parse(f, args); err != nil {
		return err
	}
	if *desk != "" {
		return benchApp(ctx, root, *desk, *programs, *soak)
	}
	if *emulated != "" {
		return benchLab(ctx, root, *emulated, *programs, *runs)
	}
	var rows [][]string
	measured := map[string]map[string]float64{} // package, benchmark, MB/s
	for _, c := range comparisons {
		if measured[c.pkg] == nil {
			fmt.Fprintf(os.Stderr, "measuring %s …\n", c.pkg)
			m, err := goBench(ctx, root, c.pkg, names(c.pkg), *span)
			if err != nil {
				return err
			}
			measured[c.pkg] = m
		}
		ours, ok := measured[c.pkg][c.ours]
		reference, refOK := measured[c.pkg][c.reference]
		if c.measure != nil {
			var err error
			if reference, err = c.measure(); err != nil {
				return fmt.Errorf("measure %s: %w", c.against, err)
			}
			refOK = true
		}
		if !ok || !refOK {
			return fmt.Errorf("bench: %s did not measure %s", c.pkg, strings.Join(names(c.pkg), " and "))
		}
		rows = append(rows, []string{c.what, fmt.Sprintf("%.0f MB/s", ours), fmt.Sprintf("%.0f MB/s", reference), fmt.Sprintf("%.2f", ours/reference), c.against})
	}
	fmt.Fprintln(os.Stderr, "measuring what a viewer costs …")
	viewer, plain, err := viewerCost(ctx, root)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	rows = append(rows, []string{
		"viewer: 4 Mbit/s down and up, of a processor", percent(viewer.share()), percent(plain.share()),
		fmt.Sprintf("%.2f", viewer.share()/plain.share()), "as much over plain TCP, RC4 and SHA-256",
	})
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "WHAT\tCORAL\tREFERENCE\tRATIO\tTHE REFERENCE IS")
	for _, r := range rows {
		fmt.Fprintln(t, strings.Join(r, "\t"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return simulate(ctx, filepath.Join(root, *plots), *large)
}

// names are the benchmarks of a package that the table needs.
func names(pkg string) (all []string) {
	for _, c := range comparisons {
		if c.pkg != pkg {
			continue
		}
		all = append(all, c.ours)
		if c.reference != "" {
			all = append(all, c.reference)
		}
	}
	return all
}

// result matches such as: BenchmarkX/sub-2   100   12 ns/op   83.5 MB/s
var result = regexp.MustCompile(`^(Benchmark[^\s]+?)(?:-\d+)?\s+\d+\s.*?([\d.]+) MB/s`)

// goBench runs a package's benchmarks and gives the median MB/s of each.
func goBench(ctx context.Context, root, pkg string, names []string, span time.Duration) (map[string]float64, error) {
	const times = "3" // the machine is shared: one run may be disturbed
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^("+strings.Join(names, "|")+")$", "-benchtime", span.String(), "-count", times, pkg)
	cmd.Dir, cmd.Env = root, append(os.Environ(), noCgo...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("go test -bench %s: %w\n%s", pkg, err, out)
	}
	return parseBench(out), nil
}

func parseBench(out []byte) map[string]float64 {
	all := map[string][]float64{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		if m := result.FindStringSubmatch(lines.Text()); m != nil {
			if v, err := strconv.ParseFloat(m[2], 64); err == nil {
				all[m[1]] = append(all[m[1]], v)
			}
		}
	}
	medians := map[string]float64{}
	for name, vs := range all {
		slices.Sort(vs)
		medians[name] = vs[len(vs)/2]
	}
	return medians
}

// built is the folder of the programs of Coral that are measured: the one that is
// given, or else dir, into which they are built, each in its environment.
func built(ctx context.Context, root, dir, given string, programs map[string][]string) (string, error) {
	if given != "" {
		return given, nil
	}
	fmt.Fprintln(os.Stderr, "building …")
	for name, env := range programs {
		if err := stream(ctx, root, env, "go", "build", "-o", filepath.Join(dir, name), "./cmd/"+name); err != nil {
			return "", err
		}
	}
	return dir, nil
}
