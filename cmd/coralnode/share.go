package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// sharingFile remembers, below environment.state, whether to share: "on" or
// "off" and a newline.
const sharingFile = "sharing"

// maxAnswer bounds what is read of an answer or of the remembered one.
const maxAnswer = 64

const question = `Coral can pass on to other viewers what you watch, as they do for you. That
spares the organiser's line, uses your upload, and lets those viewers see your
IP address. Both choices play everything.

  1  watch and share
  2  watch only

Your choice (1 or 2): `

// decide says whether to share: as the flag says, else as was remembered, else
// as a person answers. The first answer is remembered; a flag given later holds
// for one run. Its error is a usageError if nobody can be asked.
func decide(ctx context.Context, env *environment, command string, flag choice) (bool, error) {
	known, err := remembered(ctx, env)
	if err != nil {
		return false, err
	}
	c := flag
	if c == unset {
		c = known
	}
	if c == unset {
		if !env.asks {
			return false, usagef(command, "nobody has said yet whether to share: say --share on or --share off")
		}
		if c, err = ask(ctx, env, command); err != nil {
			return false, err
		}
	}
	if known == unset {
		if err := remember(env, c); err != nil {
			// Only the memory fails; what was said holds for this run.
			fmt.Fprintf(env.stderr, "coralnode: the answer cannot be remembered: %s\n", oneLine(err.Error()))
		}
	}
	return c == on, nil
}

func remembered(ctx context.Context, env *environment) (choice, error) {
	name := filepath.Join(env.state, sharingFile)
	b, err := readBounded(ctx, name, maxAnswer)
	var c choice
	switch {
	case errors.Is(err, os.ErrNotExist):
		return unset, nil
	case err != nil:
		return unset, fmt.Errorf("read what was said about sharing: %w", err)
	case c.Set(strings.TrimSpace(string(b))) != nil:
		return unset, nil // damaged: ask again
	}
	return c, nil
}

func remember(env *environment, c choice) error {
	if err := os.MkdirAll(env.state, 0o700); err != nil {
		return err
	}
	return writeWhole(filepath.Join(env.state, sharingFile), []byte(c.String()+"\n"), 0o600)
}

// ask puts the question on the terminal until it is answered.
func ask(ctx context.Context, env *environment, command string) (choice, error) {
	lines := make(chan string)
	go func() { // ends with the terminal's input, or with the program
		defer close(lines)
		in := bufio.NewScanner(env.stdin)
		in.Buffer(nil, 1<<10)
		for in.Scan() {
			select {
			case lines <- in.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	fmt.Fprint(env.stderr, question)
	for {
		select {
		case <-ctx.Done():
			return unset, ctx.Err()
		case line, ok := <-lines:
			if !ok {
				fmt.Fprintln(env.stderr)
				return unset, usagef(command, "no answer: say --share on or --share off")
			}
			switch strings.ToLower(strings.TrimSpace(line)) {
			case "1", "on", "watch and share":
				return on, nil
			case "2", "off", "watch only":
				return off, nil
			}
			fmt.Fprint(env.stderr, "Please type 1 or 2: ")
		}
	}
}
