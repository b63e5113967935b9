package system

import (
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"strings"
	"time"
)

const (
	// openPatience is how long a program is watched for failing at once: a
	// browser that is not installed, a player whose libraries are missing.
	openPatience = 2 * time.Second
	// maxURL is what programs are given at most: command lines are bounded.
	maxURL = 8 << 10
)

// ExternalPlayer is a media player that is installed here.
type ExternalPlayer struct {
	Name string // as its users know it
	file string
	args []string // before the URL
}

// known is a player to look for.
type known struct {
	name  string
	files []string // names in the PATH or full ones, first that is there
	args  []string
}

// ExternalPlayers lists what is installed, best for live HLS first.
func ExternalPlayers() []ExternalPlayer {
	var list []ExternalPlayer
	for _, k := range knownPlayers() {
		for _, file := range k.files {
			if found, err := exec.LookPath(file); err == nil {
				list = append(list, ExternalPlayer{k.name, found, k.args})
				break
			}
		}
	}
	return list
}

// Open plays the stream at address, which must be of http or https. It returns
// once the player runs; the player does not end with us.
func (p ExternalPlayer) Open(address string) error {
	u, err := webURL(address)
	if err != nil {
		return fmt.Errorf("open in %s: %w", p.Name, err)
	}
	if err := launch(exec.Command(p.file, append(p.args[:len(p.args):len(p.args)], u)...)); err != nil {
		return fmt.Errorf("open in %s: %w", p.Name, err)
	}
	return nil
}

// OpenExternal plays the stream at address in the best player that works and
// returns its name.
func OpenExternal(address string) (player string, err error) {
	if _, err := webURL(address); err != nil {
		return "", fmt.Errorf("open in another player: %w", err)
	}
	err = errors.New("open in another player: none is installed (mpv or VLC would do)")
	for _, p := range ExternalPlayers() {
		if err = p.Open(address); err == nil {
			return p.Name, nil
		}
	}
	return "", err
}

// OpenURL shows a page of http or https in the user's browser. It may take some
// seconds.
func OpenURL(address string) error {
	u, err := webURL(address)
	if err == nil {
		err = openBrowser(u)
	}
	if err != nil {
		return fmt.Errorf("open browser: %w", err)
	}
	return nil
}

// webURL lets pass what begins with http:// or https:// and has a host, and
// nothing that a program or a desktop's script could read as something else.
func webURL(s string) (string, error) {
	if len(s) > maxURL {
		return "", fmt.Errorf("a URL of %d bytes is too long", len(s))
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"'`<>\\^{|}", r) }) {
		return "", errors.New("the URL holds a character that must be escaped")
	}
	u, err := url.Parse(s)
	if err != nil {
		return "", errors.New("not a URL") // its text may be secret
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Opaque != "" {
		return "", errors.New("not a web address")
	}
	return u.String(), nil
}

// launch starts a program that goes on without us, and waits a moment whether it
// fails.
func launch(cmd *exec.Cmd) error {
	detach(cmd)
	if err := cmd.Start(); err != nil {
		return err
	}
	// Someone must take its exit, whenever that is, or it stays as a zombie.
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t := time.NewTimer(openPatience)
	defer t.Stop()
	select {
	case err := <-ended:
		return err
	case <-t.C:
		return nil
	}
}
