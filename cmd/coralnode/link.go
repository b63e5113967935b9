package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/skip2/go-qrcode"
)

// forms are what a link can be turned into.
var forms = []string{"magnet", "coral", "torrent"}

// form is one of them, as a flag's value.
type form struct{ name string }

func (f *form) String() string { return f.name }

func (f *form) Set(s string) error {
	for _, name := range forms {
		if s == name {
			f.name = s
			return nil
		}
	}
	return fmt.Errorf("write %s", strings.Join(forms, ", "))
}

func linkCommand() *command {
	var to form
	var out string
	var code bool
	f := newFlagSet("link")
	f.add(&to, option{
		name: "to", value: "FORM", choices: forms,
		usage: "print the link as magnet or coral, or make a torrent file of it",
	})
	f.add(text{&out, maxPath}, option{
		name: "out", value: "FILE", files: true,
		usage: "write there instead of to standard output",
	})
	f.toggle(&code, "qr", "draw the link as a QR code")
	return &command{
		name: "link", args: "LINK", min: 1, max: 1, flags: f,
		summary: "show what a link says, or turn it into another form",
		detail:  linkForms + "\n\nNothing is asked of the network, except a .torrent that is a URL.",
		examples: "coralnode link 'magnet:?xt=urn:btih:…'\n" +
			"coralnode link @event.link --qr\n" +
			"coralnode link @event.link --to torrent --out event.torrent",
		run: func(ctx context.Context, env *environment, args []string) error {
			if err := checkLink("link", args[0]); err != nil {
				return err
			}
			l, err := resolve(ctx, env, args[0], netip.Addr{})
			if err != nil {
				return ended(err)
			}
			return showLink(env, l, to.name, out, code)
		},
	}
}

func showLink(env *environment, l *link, to, out string, code bool) error {
	var b []byte
	switch {
	case to == "" && code:
	case to == "":
		b = []byte(describe(l))
	case l.Playlist != "":
		return fmt.Errorf("%s is a playlist without a channel: it has no other form", short(l.Playlist))
	case to == "magnet":
		b = []byte(l.String() + "\n")
	case to == "coral":
		b = []byte(l.URI() + "\n")
	case to == "torrent":
		var err error
		if b, err = l.Torrent(); err != nil {
			return err
		}
	}
	if len(b) > 0 && out != "" {
		if err := writeWhole(out, b, linkMode(l)); err != nil {
			return fmt.Errorf("write link: %w", err)
		}
	} else if _, err := env.stdout.Write(b); err != nil {
		return fmt.Errorf("write link: %w", err)
	}
	if code {
		text := l.String()
		if to == "coral" {
			text = l.URI()
		}
		showCode(env.stdout, text)
	}
	return nil
}

// describe tells people what a link says. What strangers wrote is made printable.
func describe(l *link) string {
	var b strings.Builder
	row := func(name string, values ...string) {
		for i, v := range values {
			if i > 0 {
				name = ""
			}
			fmt.Fprintf(&b, "%-10s %s\n", name, oneLine(v))
		}
	}
	if l.Playlist != "" {
		row("playlist", l.Playlist)
		row("", "plays from its origin alone: no channel, nothing to verify or share")
		return b.String()
	}
	row("name", l.Name)
	row("channel", hex.EncodeToString(l.Channel[:]))
	if d := l.Descriptor; d != nil {
		row("key", hex.EncodeToString(d.Root))
		if d.Private {
			row("private", "only who has this link can find or read the swarm")
		}
	} else {
		row("key", "not in the link: peers will be asked, and the answer checked")
	}
	row("origins", l.Origins...)
	row("trackers", l.Trackers...)
	row("peers", l.Peers...)
	return b.String()
}

// showCode draws a QR code in half blocks. Text too long for one is left out:
// the link itself has been printed.
func showCode(w io.Writer, text string) {
	code, err := qrcode.New(text, qrcode.Low) // a screen is not scratched
	if err != nil {
		fmt.Fprintln(w, "the link is too long for a QR code")
		return
	}
	fmt.Fprint(w, code.ToSmallString(false))
}
