package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"coral/app"
)

func TestCommandLine(t *testing.T) {
	var got app.Options
	failing := false
	open := func(_ context.Context, o app.Options) error {
		got = o
		if failing {
			return errors.New("no display:\x1b[2J set DISPLAY\n")
		}
		return nil
	}
	for _, c := range []struct {
		args     string
		code     int
		out, err string
		want     app.Options
	}{
		{"", 0, "", "", app.Options{Version: version}},
		{"magnet:?xt=urn:btih:1", 0, "", "", app.Options{Open: "magnet:?xt=urn:btih:1", Version: version}},
		{"--screenshot a.png coral:?x", 0, "", "", app.Options{Open: "coral:?x", Screenshot: "a.png", Version: version}},
		{"--version", 0, "Coral dev\n", "", app.Options{}},
		{"--help", 0, usage, "", app.Options{}},
		{"--nonsense", 2, "", "coral: flag provided but not defined: -nonsense (see: coral --help)\n", app.Options{}},
		{"a b", 2, "", "coral: one link at a time (see: coral --help)\n", app.Options{}},
		{"fails", 1, "", "coral: no display: [2J set DISPLAY \n", app.Options{Open: "fails", Version: version}},
	} {
		got = app.Options{}
		failing = c.args == "fails"
		var out, err strings.Builder
		code := run(t.Context(), strings.Fields(c.args), &out, &err, open)
		if code != c.code || out.String() != c.out || err.String() != c.err || got != c.want {
			t.Errorf("%q: %d %q %q %+v", c.args, code, out.String(), err.String(), got)
		}
	}
}
