package library

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"

	"coral/node/channel"
)

const (
	// maxM3U bounds a list: one of MaxChannels with long links.
	maxM3U = 16 << 20
	// maxM3ULine bounds a line: the longest link, or as many attributes. Longer
	// ones are passed over.
	maxM3ULine = 2 * channel.MaxLink
)

// ErrStream is of an HLS playlist: one stream to be played, not a list of
// channels.
var ErrStream = errors.New("it is one stream, not a list of channels")

// List is what a list of channels holds.
type List struct {
	Channels []Channel // each once, in the list's order
	Skipped  int       // entries that cannot be used, or that are too many
}

// ParseM3U reads a list of channels: M3U as television over the Internet uses it,
// with #EXTINF's tvg-logo, tvg-name and group-title, and #EXTGRP. base is the
// list's own URL, to which its links may be relative, or "".
func ParseM3U(r io.Reader, base string) (List, error) {
	p := m3u{seen: map[string]bool{}}
	if u, err := url.Parse(base); err == nil && u.Host != "" {
		p.base = u
	}
	if err := p.read(r); err != nil {
		return List{}, fmt.Errorf("read list: %w", err)
	}
	return p.list, nil
}

// m3u reads a list, line by line.
type m3u struct {
	base   *url.URL // nil: none
	list   List
	seen   map[string]bool
	headed bool // #EXTM3U was there: every other line is a link
	next   Channel
	group  string // of #EXTGRP
}

func (p *m3u) read(r io.Reader) error {
	limited := &io.LimitedReader{R: r, N: maxM3U + 1}
	lines := bufio.NewReaderSize(limited, maxM3ULine)
	for first := true; ; first = false {
		line, err := lines.ReadSlice('\n')
		for long := false; errors.Is(err, bufio.ErrBufferFull); long = true {
			if !long {
				p.list.Skipped++
			}
			line = nil
			_, err = lines.ReadSlice('\n')
		}
		if err != nil && err != io.EOF {
			return err
		}
		if first {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if e := p.line(strings.TrimSpace(decodeText(line))); e != nil {
			return e
		}
		if err == io.EOF {
			break
		}
	}
	switch {
	case limited.N <= 0:
		return fmt.Errorf("longer than %d MiB", maxM3U>>20)
	case len(p.list.Channels) == 0 && p.list.Skipped > 0:
		return errors.New("no link in it can be played")
	case len(p.list.Channels) == 0:
		return errors.New("it holds no channel")
	}
	return nil
}

// decodeText reads UTF-8, or else Latin-1, in which old lists are.
func decodeText(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}

func (p *m3u) line(s string) error {
	if s == "" {
		return nil
	}
	if !strings.HasPrefix(s, "#") {
		p.entry(s)
		return nil
	}
	tag, rest, _ := strings.Cut(s, ":")
	switch name, _, _ := strings.Cut(tag, " "); strings.ToUpper(name) {
	case "#EXTM3U":
		p.headed = true
	case "#EXTINF":
		p.next = parseInfo(rest)
		p.next.Logo = p.resolve(p.next.Logo)
	case "#EXTGRP":
		p.group = rest
	case "#EXT-X-TARGETDURATION", "#EXT-X-STREAM-INF", "#EXT-X-MEDIA-SEQUENCE":
		return ErrStream
	}
	return nil
}

// entry takes a link, and what was said before it.
func (p *m3u) entry(link string) {
	c := p.next
	if c.Group == "" {
		c.Group = p.group
	}
	p.next, p.group = Channel{}, ""
	link, _, _ = strings.Cut(link, "|") // headers for one player, which is not ours
	c.Link = p.resolve(link)
	c, err := made(c)
	switch {
	case err != nil, len(p.list.Channels) >= MaxChannels:
		p.list.Skipped++
	case !p.seen[c.ID]:
		p.seen[c.ID] = true
		p.list.Channels = append(p.list.Channels, c)
	}
}

// resolve makes a reference absolute. Only lists that say what they are may have
// relative ones, or any page would be a list.
func (p *m3u) resolve(s string) string {
	if s == "" || p.base == nil || !p.headed || len(s) > channel.MaxURI {
		return s
	}
	u, err := p.base.Parse(s)
	if err != nil || u.Scheme == "magnet" || u.Scheme == "coral" {
		return s
	}
	return u.String()
}

// parseInfo reads what follows "#EXTINF:": a duration, attributes, a comma, the
// name.
func parseInfo(s string) Channel {
	var c Channel
	var tvgName string
	if i := strings.IndexAny(s, " \t,"); i >= 0 {
		s = s[i:] // the duration, which says nothing of a channel
	} else {
		return c
	}
	for {
		s = strings.TrimLeft(s, " \t")
		if s == "" || s[0] == ',' {
			break
		}
		i := strings.IndexAny(s, "= \t,")
		if i < 0 {
			s = ""
			break
		}
		if s[i] != '=' { // a word that is no attribute
			s = s[i:]
			continue
		}
		var value string
		key := strings.ToLower(s[:i])
		value, s = attributeValue(s[i+1:])
		switch key {
		case "tvg-logo":
			c.Logo = strings.TrimSpace(value)
		case "tvg-name":
			tvgName = value
		case "group-title":
			c.Group = value
		}
	}
	if c.title = showable(strings.TrimPrefix(s, ",")); c.title == "" {
		c.title = tvgName
	}
	return c
}

// attributeValue splits an attribute's value from what follows. In quotes it may
// hold anything, even quotes: the one that ends it is followed by a space, a
// comma or nothing.
func attributeValue(s string) (value, rest string) {
	if s == "" || s[0] != '"' && s[0] != '\'' {
		if i := strings.IndexAny(s, " \t,"); i >= 0 {
			return s[:i], s[i:]
		}
		return s, ""
	}
	for i := 1; i < len(s); i++ {
		if s[i] == s[0] && (i+1 == len(s) || strings.IndexByte(" \t,", s[i+1]) >= 0) {
			return s[1:i], s[i+1:]
		}
	}
	if i := strings.IndexByte(s, ','); i >= 0 { // the quote is never closed
		return s[1:i], s[i:]
	}
	return s[1:], ""
}

// WriteM3U writes channels as a list that ParseM3U and other programs read. The
// links of private channels hold their secrets.
func WriteM3U(w io.Writer, channels []Channel) error {
	b := bufio.NewWriter(w)
	b.WriteString("#EXTM3U\n")
	attribute := func(key, value string) {
		if value != "" {
			b.WriteString(" " + key + `="` + strings.ReplaceAll(value, `"`, "'") + `"`)
		}
	}
	for _, c := range channels {
		b.WriteString("#EXTINF:-1")
		attribute("tvg-logo", c.Logo)
		attribute("group-title", c.Group)
		b.WriteString("," + c.Name + "\n" + c.Link + "\n")
	}
	if err := b.Flush(); err != nil { // which holds the first error
		return fmt.Errorf("write list: %w", err)
	}
	return nil
}
