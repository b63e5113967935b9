package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"coral/node/sim"
)

// Coral has no code that lies. A liar's program is coralnode with one statement more,
// in a copy of this file that go build is given in its place: just before a block is
// queued to the peer that asked for it, in data.
const (
	liesIn    = "node/drive.go"
	liesAbove = "\ts.cookie++\n"

	// sendsNothing has the scheduler believe that the block was sent.
	sendsNothing = "\ts.log.Warn(\"" + keepsBlock + "\")\n\ts.step(schedule.Sent(a))\n\treturn\n"
	sendsWrong   = "\tdata[0] ^= 1\n"

	keepsBlock = "keeps a block that it is asked for"
)

// lie puts a statement into the source of liesIn.
func lie(source, statement string) (string, error) {
	if n := strings.Count(source, liesAbove); n != 1 {
		return "", fmt.Errorf("%s: %q is there %d times, so that a liar cannot be made of it", liesIn, strings.TrimSpace(liesAbove), n)
	}
	return strings.Replace(source, liesAbove, statement+liesAbove, 1), nil
}

// buildLiars builds into dir what the scenarios' liars run, if they have any.
func buildLiars(ctx context.Context, root, dir string, chosen []labScenario) (silent, forger string, err error) {
	lies := func(g sim.Group) bool { return g.Liar || g.Forger }
	if !slices.ContainsFunc(chosen, func(s labScenario) bool { return slices.ContainsFunc(s.groups, lies) }) {
		return "", "", nil
	}
	silent, forger = filepath.Join(dir, "silent"), filepath.Join(dir, "forger")
	for program, statement := range map[string]string{silent: sendsNothing, forger: sendsWrong} {
		if err := buildLiar(ctx, root, program, statement); err != nil {
			return "", "", fmt.Errorf("build a liar: %w", err)
		}
	}
	return silent, forger, nil
}

func buildLiar(ctx context.Context, root, program, statement string) error {
	honest := filepath.Join(root, liesIn)
	source, err := os.ReadFile(honest)
	if err != nil {
		return err
	}
	lying, err := lie(string(source), statement)
	if err != nil {
		return err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {honest: program + ".go"}})
	if err != nil {
		return err
	}
	for name, content := range map[string]string{program + ".go": lying, program + ".json": string(overlay)} {
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			return err
		}
	}
	return stream(ctx, root, noCgo, "go", "build", "-overlay", program+".json", "-o", program, "./cmd/coralnode")
}

// program is what a viewer runs.
func (r *labRun) program(v *labViewer) string {
	switch {
	case v.Forger:
		return r.forger
	case v.Liar:
		return r.silent
	}
	return r.coralnode
}

// keptAt finds in a node's log when it was asked for a block that it kept.
func keptAt(log string) (all []time.Time) {
	for line := range strings.Lines(log) {
		if !strings.Contains(line, keepsBlock) {
			continue
		}
		at, _, _ := strings.Cut(strings.TrimPrefix(line, "time="), " ")
		if t, err := time.Parse(time.RFC3339, at); err == nil {
			all = append(all, t)
		}
	}
	return all
}
