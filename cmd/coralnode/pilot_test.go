package main

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

func TestPilotMistakes(t *testing.T) {
	const ok = "--bitrate 1M --viewers 20 --uplinks 5M --line 20M "
	for args, want := range map[string]string{
		"":                                  "--bitrate is missing",
		"--bitrate 1M --viewers 20":         "--uplinks is missing",
		"--bitrate 1M --uplinks 3M":         "--viewers is missing",
		ok + "--bitrate 1":                  "write a rate from 16k to 100G",
		ok + "--bitrate unlimited":          "write a rate from 16k to 100G",
		ok + "--line 0":                     "write a rate from 16k to 100G",
		ok + "--viewers 0":                  "write a number from 1 to 1000000",
		ok + "--viewers many":               "write a number from 1 to 1000000",
		ok + "--sharing 101":                "write a number from 0 to 100",
		ok + "--segment 1h":                 "write a duration from 500ms to 15s",
		ok + "--within 0":                   "write a duration from 1s to 5m0s",
		ok + "--uplinks fast":               "not a number with a unit",
		ok + "--uplinks unlimited":          "write rates from 0 to 100G",
		ok + "--uplinks 1M,2M":              "write one rate, or RATE:PERCENT",
		ok + "--uplinks 1M:50,2M:NaN":       "write one rate, or RATE:PERCENT",
		ok + "--uplinks 1M:50,2M:20":        "the shares make 70 %, not 100",
		ok + "now":                          "too many arguments",
		ok + "--uplinks " + manyUplinks(17): "at most 16 rates can be given",
	} {
		r := start(t, t.TempDir(), append([]string{"pilot"}, strings.Fields(args)...)...)
		if r.code != exitUsage || !strings.Contains(r.stderr, want) || strings.Count(r.stderr, "\n") != 1 || r.stdout != "" {
			t.Errorf("%s: exit %d, %q; want %q", args, r.code, r.stderr, want)
		}
	}
}

func manyUplinks(n int) string { return strings.TrimSuffix(strings.Repeat("1M:5,", n), ",") }

// pilot gives pilot's JSON.
func pilot(t *testing.T, args string) (a answer) {
	t.Helper()
	r := start(t, t.TempDir(), strings.Fields("pilot --json "+args)...)
	if r.code != 0 {
		t.Fatal(r.stderr)
	}
	if err := json.Unmarshal([]byte(r.stdout), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestPilot(t *testing.T) {
	a := pilot(t, "--bitrate 1M --viewers 20 --uplinks 5M:100 --line 8M --sharing 100 --within 10s")
	if a.Simulated != 20 || a.UplinkRatio != 5 || math.Abs(a.OffloadBound-0.95) > 1e-9 {
		t.Errorf("%+v", a)
	}
	if o := a.Without; o.CarriesViewers != 7 || o.StalledViewers != 1 || math.Abs(o.StalledTime-(1-8/(20*wireOverhead))) > 1e-9 || o.SentBPS != 8e6 || o.Offload != 0 {
		t.Errorf("without: %+v", o)
	}
	// ample uplinks: little more than a copy leaves the line, and all play
	if o := a.With; o.StalledTime > tolerable || o.NeverStarted > 0 || o.Offload < 0.9 || o.Offload > a.OffloadBound || o.SentBPS < 1e6 || o.SentBPS > 2e6 || o.CarriesViewers < 80 {
		t.Errorf("with: %+v", o)
	}
}

// Who does not share must be fed by the line, and no more can be offloaded.
func TestPilotSharing(t *testing.T) {
	a := pilot(t, "--bitrate 1M --viewers 20 --uplinks 5M:100 --line 40M --sharing 50 --within 5s")
	if a.OffloadBound != 0.5 || a.With.Offload > 0.5 || a.With.Offload < 0.4 || a.With.StalledViewers > 0 {
		t.Errorf("%+v", a)
	}
}

func TestPilotText(t *testing.T) {
	r := start(t, t.TempDir(), strings.Fields("pilot --bitrate 2.5M --viewers 12 --uplinks 0:25,5M:75 --line 12M --within 5s")...)
	lines := strings.Split(r.stdout, "\n")
	if r.code != 0 || len(lines) > 24 {
		t.Fatalf("exit %d, %d lines: %s%s", r.code, len(lines), r.stdout, r.stderr)
	}
	for _, want := range []string{"12 viewers come within 5s to watch 2.5 Mbit/s in segments of 2s; your line sends 12 Mbit/s.", "offload", "4   "} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("%q is missing in\n%s", want, r.stdout)
		}
	}
	for _, l := range lines {
		if len([]rune(l)) > 110 {
			t.Errorf("too long for a screen: %s", l)
		}
	}
}

func TestPilotEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	env := &environment{stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}}
	begun := time.Now()
	if code := run(ctx, env, strings.Fields("pilot --bitrate 4M --viewers 1000 --uplinks 8M --line 100M")); code != exitFailed || time.Since(begun) > 5*time.Second {
		t.Errorf("exit %d after %v", code, time.Since(begun))
	}
}

func TestUplinks(t *testing.T) {
	var u uplinks
	if err := u.Set("0:20,2M:40%,8M:30,20M:10"); err != nil || u.String() != "0:20,2M:40,8M:30,20M:10" {
		t.Fatal(err, u.String())
	}
	q := occasion{bitrate: 4e6, viewers: 100, uplinks: u, sharing: 50}
	n, sharing := 0, 0
	for _, g := range q.groups(100) {
		n += g.n
		if g.shares {
			sharing += g.n
		}
	}
	if n != 100 || sharing != 40 { // half of the four fifths that have an uplink
		t.Errorf("%d viewers, %d share", n, sharing)
	}
	if r := q.ratio(); math.Abs(r-0.65) > 1e-9 || math.Abs(q.fluid()-0.4) > 1e-9 {
		t.Errorf("ratio %v, fluid %v", r, q.fluid())
	}
}

// Of an audience that is simulated in part, those who share are simulated a second
// time, coarsely, if their uplinks can carry the stream.
func TestPilotWide(t *testing.T) {
	for _, c := range []struct {
		viewers int
		uplinks string
		want    int
	}{{300, "5M:100", 0}, {50_000, "500k:100", 0}, {50_000, "5M:100", mostWide}, {4000, "5M:50,0:50", 1600}} {
		q := occasion{bitrate: 1e6, viewers: c.viewers, sharing: 80, segment: 2 * time.Second, line: 1e9, within: time.Minute}
		if err := q.uplinks.Set(c.uplinks); err != nil {
			t.Fatal(err)
		}
		cfg, ok := q.wide(q.simulated())
		n := 0
		for _, g := range cfg.Groups {
			n += g.Count
			if g.Alone || g.Up < int64(q.bitrate) {
				t.Errorf("%d viewers: %+v", c.viewers, g)
			}
		}
		if ok != (c.want > 0) || math.Abs(float64(n-c.want)) > 0.01*float64(c.want) {
			t.Errorf("%d viewers with %s: %d simulated coarsely, want %d", c.viewers, c.uplinks, n, c.want)
		}
		if ok && cfg.Rate*2/8 != blockBytes {
			t.Errorf("%d bit/s is not one block in two seconds", cfg.Rate)
		}
	}
}
