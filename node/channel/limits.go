package channel

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Bounds on everything that comes from outside, so that no link, file or record
// can make a reader hold or do more.
const (
	// MaxLink bounds a link: what QR codes, chat programs and operating systems'
	// protocol handlers still carry, with room for a few trackers.
	MaxLink = 8 << 10
	// MaxInfo bounds a channel's info dict; ours stay below 8 KiB.
	MaxInfo = 256 << 10
	// MaxTorrent bounds a .torrent file: an ordinary torrent's piece hashes may
	// take some megabytes.
	MaxTorrent = 8 << 20
	// MaxName bounds a channel's name in bytes: with what is put around it, it
	// is still a file name (255 bytes) for ordinary BitTorrent clients.
	MaxName = 200
	// MaxURI bounds one URL or URI reference, as in node/hls.
	MaxURI = 2 << 10
	// MaxOrigins bounds a channel's playlist URLs: one, and mirrors.
	MaxOrigins = 8
	// maxOriginBytes bounds a channel's origins as they are escaped in a link,
	// so that every channel has a link that fits MaxLink.
	maxOriginBytes = 5 << 10
	// MaxTrackers and MaxPeers bound a link's hints; those past them are left out.
	MaxTrackers = 16
	MaxPeers    = 32
	// SecretSize is the length of a private channel's secret.
	SecretSize = 32

	// MaxRecord bounds one signed record, so that it fits a peer's message. An
	// entry of segment.MaxSize bytes and the longest URIs takes 37 KiB.
	MaxRecord = 48 << 10
	// MaxRenditions bounds the lines of a presentation and a feed's chains.
	MaxRenditions = 64
	// maxText bounds an attribute of a rendition or key, in bytes.
	maxText = 256
	// maxExt bounds the extensions of one record.
	maxExt = 1 << 10
	// MaxDuration bounds a segment's and a target duration.
	MaxDuration = time.Hour
	// maxNumber bounds indices, sequences, offsets, revisions and serials: they
	// can be incremented, and taken for an int64, without a thought.
	maxNumber = 1 << 62
	// maxBandwidth bounds a rendition's bits per second: a terabit.
	maxBandwidth = 1 << 40
	// maxFrameRate bounds a rendition's frames per second.
	maxFrameRate = 1000

	// MaxDelegation is how long a signing key may be valid: a stolen one is
	// worth nothing after it.
	MaxDelegation = 24 * time.Hour
	// Overlap is how long a signing key goes on being accepted after its
	// successor's start: records that are under way, a publisher that restarts.
	Overlap = time.Hour
	// ClockTolerance is how wrong a viewer's clock may be: an hour (a time zone
	// or daylight saving set wrong), and as much again for the publisher's.
	ClockTolerance = 2 * time.Hour
)

// checkTime reports an instant that a record cannot hold.
func checkTime(t time.Time) error {
	if y := t.UTC().Year(); y < 1970 || y > 2200 {
		return errors.New("time out of range")
	}
	return nil
}

// checkText reports a string that must not reach a terminal or a window.
func checkText(s string, bound int) error {
	if len(s) > bound {
		return fmt.Errorf("text longer than %d bytes", bound)
	}
	if !utf8.ValidString(s) {
		return errors.New("text is not UTF-8")
	}
	for _, r := range s {
		if unicode.IsControl(r) || unsafeRune(r) {
			return fmt.Errorf("text holds the forbidden character %U", r)
		}
	}
	return nil
}

// checkQuoted reports a string that must not reach a playlist's quoted string.
func checkQuoted(s string, bound int) error {
	if strings.Contains(s, `"`) {
		return errors.New("text holds a quotation mark")
	}
	return checkText(s, bound)
}

// unsafeRune reports line separators and bidirectional overrides: with them a
// name can look like another or break out of its line.
func unsafeRune(r rune) bool {
	return r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// checkReference reports a string that is no absolute http(s) URL and no
// reference relative to one.
func checkReference(s string) error {
	if err := checkQuoted(s, MaxURI); err != nil {
		return err
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return errors.New("URI cannot be read")
	case u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https":
		return errors.New("URI is neither http nor https")
	case u.User != nil:
		return errors.New("URI holds a user name")
	case u.Scheme != "" && u.Hostname() == "":
		return errors.New("URI has no host")
	}
	return nil
}

// checkURL reports a string that is no absolute URL with one of the schemes.
// Fragments and user names are refused: neither belongs in what is handed on.
func checkURL(s string, schemes ...string) error {
	if err := checkQuoted(s, MaxURI); err != nil {
		return err
	}
	u, err := url.Parse(s)
	if err != nil {
		return errors.New("URL cannot be read")
	}
	known := false
	for _, scheme := range schemes {
		known = known || u.Scheme == scheme
	}
	switch {
	case !known:
		return fmt.Errorf("URL is not %s", strings.Join(schemes, " or "))
	case u.User != nil:
		return errors.New("URL holds a user name")
	case u.Hostname() == "":
		return errors.New("URL has no host")
	case strings.Contains(s, "#"):
		return errors.New("URL holds a fragment")
	}
	return nil
}
