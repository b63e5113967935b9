package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"coral/app"
)

const usage = `Coral plays live channels that their viewers carry.

Usage: coral [flags] [LINK]

LINK is magnet:…, coral:…, an https playlist, a .torrent file or URL, or an M3U
list of channels. Without one the library opens. If Coral runs already, LINK is
handed over to it.

  --screenshot FILE  write a PNG of the window once there is a picture, and go on
  --version          say which version this is
  --help             say this

Settings, library and cache live in the user's folders (XDG on Linux).
`

// version is set by the linker for releases.
var version = "dev"

// maxErrorLine keeps an error, which may quote what a stranger wrote, short.
const maxErrorLine = 500

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr, app.Run))
}

// run carries out one command line and gives the exit code: 0 done, 1 failed, 2
// wrong usage.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, open func(context.Context, app.Options) error) int {
	f := flag.NewFlagSet("coral", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	shot := f.String("screenshot", "", "")
	tell := f.Bool("version", false, "")
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, usage)
		return 0
	case err != nil:
		return complain(stderr, 2, err.Error()+" (see: coral --help)")
	case *tell:
		fmt.Fprintln(stdout, "Coral", version)
		return 0
	case f.NArg() > 1:
		return complain(stderr, 2, "one link at a time (see: coral --help)")
	}
	if err := open(ctx, app.Options{Open: f.Arg(0), Screenshot: *shot, Version: version}); err != nil {
		return complain(stderr, 1, err.Error())
	}
	return 0
}

func complain(w io.Writer, code int, text string) int {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if r := []rune(text); len(r) > maxErrorLine {
		text = string(r[:maxErrorLine]) + "…"
	}
	fmt.Fprintf(w, "coral: %s\n", text)
	return code
}
