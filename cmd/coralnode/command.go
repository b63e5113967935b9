package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// command is one of the program's words. Its run reads the options that parse
// has filled, so that a command is made anew for each command line.
type command struct {
	name     string
	args     string // what follows, as help shows it
	summary  string // one line
	detail   string // paragraphs
	examples string // lines
	min, max int    // number of arguments; max < 0: any
	flags    *flagSet
	run      func(ctx context.Context, env *environment, args []string) error
}

// commands makes all commands, in the order in which help lists them.
func commands() []*command {
	return []*command{publishCommand(), watchCommand(), seedCommand(), linkCommand(), pilotCommand(), completionCommand(), versionCommand()}
}

func find(name string) *command {
	for _, c := range commands() {
		if c.name == name {
			return c
		}
	}
	return nil
}

// flagSet remembers the order in which flags were added, and their values' names.
type flagSet struct {
	*flag.FlagSet
	order []option
}

type option struct {
	name    string
	value   string // what stands for the value in help; empty: the flag takes none
	usage   string
	choices []string // for completion: words that the value may be
	files   bool     // for completion: the value is a file or folder
}

func newFlagSet(name string) *flagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(io.Discard) // errors and help are printed by us
	f.Usage = func() {}
	return &flagSet{FlagSet: f}
}

// add defines a flag that takes a value.
func (f *flagSet) add(v flag.Value, o option) {
	f.Var(v, o.name, o.usage)
	f.order = append(f.order, o)
}

// toggle defines a flag that takes none.
func (f *flagSet) toggle(p *bool, name, usage string) {
	f.BoolVar(p, name, false, usage)
	f.order = append(f.order, option{name: name, usage: usage})
}

// parse reads flags wherever they stand among the arguments; "--" ends them.
func (c *command) parse(args []string) (rest []string, help bool, err error) {
	for {
		err := c.flags.Parse(args)
		if errors.Is(err, flag.ErrHelp) {
			return nil, true, nil
		}
		if err != nil {
			return nil, false, usagef(c.name, "%s", readable(err))
		}
		left := c.flags.Args()
		if read := len(args) - len(left); read > 0 && args[read-1] == "--" {
			rest = append(rest, left...)
			break
		}
		if len(left) == 0 {
			break
		}
		rest, args = append(rest, left[0]), left[1:]
	}
	switch {
	case len(rest) < c.min:
		return nil, false, usagef(c.name, "%s is missing", strings.TrimSuffix(c.args, "..."))
	case c.max >= 0 && len(rest) > c.max:
		return nil, false, usagef(c.name, "too many arguments: %q", rest[c.max])
	}
	return rest, false, nil
}

// readable puts package flag's errors into our words.
func readable(err error) string {
	s := err.Error()
	if name, ok := strings.CutPrefix(s, "flag provided but not defined: -"); ok {
		return "there is no flag --" + name
	}
	if name, ok := strings.CutPrefix(s, "flag needs an argument: -"); ok {
		return "--" + name + " needs a value"
	}
	// invalid value "x" for flag -share: write on or off
	if rest, ok := strings.CutPrefix(s, "invalid value "); ok {
		if value, rest, ok := strings.Cut(rest, " for flag -"); ok {
			if name, why, ok := strings.Cut(rest, ": "); ok {
				return fmt.Sprintf("--%s %s: %s", name, value, why)
			}
		}
	}
	return s
}

// overview is the program's help.
func overview() string {
	var b strings.Builder
	b.WriteString("Coral carries live HLS through its viewers: they pass verified segments on to\neach other, so that the organiser's line carries about one copy of the stream.\n\nCommands:\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-22s %s\n", strings.TrimSpace(c.name+" "+c.args), c.summary)
	}
	b.WriteString("\nTo start:\n  coralnode publish https://live.example.org/event.m3u8   # prints the link to hand out\n  coralnode watch LINK                                    # prints a URL for any HLS player\n\n\"coralnode COMMAND --help\" explains a command and its flags.\n")
	return b.String()
}

// help is a command's help.
func (c *command) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: coralnode %s", c.name)
	if c.args != "" {
		b.WriteString(" " + c.args)
	}
	if len(c.flags.order) > 0 {
		b.WriteString(" [FLAGS]")
	}
	fmt.Fprintf(&b, "\n\n%s.\n", upper(c.summary))
	if c.detail != "" {
		fmt.Fprintf(&b, "\n%s\n", c.detail)
	}
	if len(c.flags.order) > 0 {
		b.WriteString("\nFlags:\n")
		for _, o := range c.flags.order {
			fmt.Fprintf(&b, "  %s\n        %s\n", strings.TrimSpace("--"+o.name+" "+o.value), strings.ReplaceAll(o.usage, "\n", "\n        "))
		}
	}
	if c.examples != "" {
		fmt.Fprintf(&b, "\nExamples:\n  %s\n", strings.ReplaceAll(c.examples, "\n", "\n  "))
	}
	return b.String()
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
