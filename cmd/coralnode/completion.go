package main

import (
	"context"
	"fmt"
	"strings"
)

var shells = []string{"bash", "zsh", "fish"}

func completionCommand() *command {
	return &command{
		name: "completion", args: "SHELL", min: 1, max: 1, flags: newFlagSet("completion"),
		summary: "print completion for bash, zsh or fish",
		examples: "source <(coralnode completion bash)\n" +
			"coralnode completion zsh > ~/.zfunc/_coralnode\n" +
			"coralnode completion fish > ~/.config/fish/completions/coralnode.fish",
		run: func(_ context.Context, env *environment, args []string) error {
			script := map[string]func() string{"bash": bashScript, "zsh": zshScript, "fish": fishScript}[args[0]]
			if script == nil {
				return usagef("completion", "write %s", strings.Join(shells, ", "))
			}
			_, err := fmt.Fprint(env.stdout, script())
			return err
		},
	}
}

// words gives each command's own words after its name, where there are some.
func (c *command) words() []string {
	if c.name == "completion" {
		return shells
	}
	return nil
}

func names() (all []string) {
	for _, c := range commands() {
		all = append(all, c.name)
	}
	return append(all, "help")
}

func bashScript() string {
	var b strings.Builder
	fmt.Fprintf(&b, `_coralnode() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W %q -- "$cur"))
        return
    fi
    case "${COMP_WORDS[1]}:$prev" in
`, strings.Join(names(), " "))
	for _, c := range commands() {
		for _, o := range c.flags.order {
			switch {
			case len(o.choices) > 0:
				fmt.Fprintf(&b, "    %s:--%s) COMPREPLY=($(compgen -W %q -- \"$cur\")); return ;;\n", c.name, o.name, strings.Join(o.choices, " "))
			case o.files:
				fmt.Fprintf(&b, "    %s:--%s) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n", c.name, o.name)
			case o.value != "":
				fmt.Fprintf(&b, "    %s:--%s) return ;;\n", c.name, o.name)
			}
		}
	}
	b.WriteString("    esac\n    case \"${COMP_WORDS[1]}\" in\n")
	for _, c := range commands() {
		all := c.words()
		for _, o := range c.flags.order {
			all = append(all, "--"+o.name)
		}
		fmt.Fprintf(&b, "    %s) COMPREPLY=($(compgen -W %q -- \"$cur\") $(compgen -f -- \"$cur\")) ;;\n", c.name, strings.Join(append(all, "--help"), " "))
	}
	fmt.Fprintf(&b, "    help) COMPREPLY=($(compgen -W %q -- \"$cur\")) ;;\n    esac\n}\ncomplete -o filenames -F _coralnode coralnode\n", strings.Join(names(), " "))
	return b.String()
}

func zshScript() string {
	var b strings.Builder
	b.WriteString("#compdef coralnode\n_coralnode() {\n    if (( CURRENT == 2 )); then\n        local -a commands=(\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "            %s\n", quote(c.name+":"+c.summary))
	}
	b.WriteString("        )\n        _describe command commands\n        return\n    fi\n    local command=$words[2]\n    shift words\n    (( CURRENT-- ))\n    case $command in\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "    %s)\n        _arguments '--help[explain the command]'", c.name)
		for _, o := range c.flags.order {
			usage, _, _ := strings.Cut(o.usage, "\n")
			spec := fmt.Sprintf("--%s[%s]", o.name, strings.NewReplacer("[", "(", "]", ")", ":", " -").Replace(usage))
			switch {
			case len(o.choices) > 0:
				spec += fmt.Sprintf(":%s:(%s)", o.name, strings.Join(o.choices, " "))
			case o.files:
				spec += fmt.Sprintf(":%s:_files", o.name)
			case o.value != "":
				spec += fmt.Sprintf(":%s: ", o.name)
			}
			b.WriteString(" \\\n            " + quote(spec))
		}
		if w := c.words(); w != nil {
			b.WriteString(" \\\n            " + quote("*:shell:("+strings.Join(w, " ")+")"))
		} else {
			b.WriteString(" \\\n            '*:argument:_files'")
		}
		b.WriteString("\n        ;;\n")
	}
	b.WriteString("    esac\n}\nif [ \"$funcstack[1]\" = _coralnode ]; then _coralnode; else compdef _coralnode coralnode; fi\n")
	return b.String()
}

func fishScript() string {
	var b strings.Builder
	for _, c := range commands() {
		fmt.Fprintf(&b, "complete -c coralnode -n __fish_use_subcommand -f -a %s -d %s\n", c.name, quote(c.summary))
		in := "-n " + quote("__fish_seen_subcommand_from "+c.name)
		for _, w := range c.words() {
			fmt.Fprintf(&b, "complete -c coralnode %s -f -a %s\n", in, w)
		}
		for _, o := range c.flags.order {
			usage, _, _ := strings.Cut(o.usage, "\n")
			fmt.Fprintf(&b, "complete -c coralnode %s -l %s -d %s", in, o.name, quote(usage))
			switch {
			case len(o.choices) > 0:
				fmt.Fprintf(&b, " -x -a %s", quote(strings.Join(o.choices, " ")))
			case o.files:
				b.WriteString(" -r")
			case o.value != "":
				b.WriteString(" -x")
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

// quote makes one shell word of s.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
