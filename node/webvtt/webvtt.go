package webvtt

import (
	"errors"
	"html"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// MaxBytes bounds a file: a segment of subtitles has some kilobytes, a whole
	// film's some hundred.
	MaxBytes = 1 << 20
	// maxCues bounds the cues of a file: a film has two thousand.
	maxCues = 8192
	// maxText bounds the text of one cue: more than fits on any screen.
	maxText = 2 << 10
	// maxLine bounds a line that is looked at: what is longer is no time and no
	// header, and of text the rest is left out.
	maxLine = 4 << 10
	// maxTime bounds a time stamp: a channel that counts from its beginning has
	// run for a year.
	maxTime = 10000 * time.Hour
)

// ErrFormat says that bytes are not WebVTT.
var ErrFormat = errors.New("not WebVTT")

// Cue is one text and when it is shown, by the file's own clock.
type Cue struct {
	Start, End time.Duration
	Text       string // lines, without tags
}

// File is what a file says.
type File struct {
	Cues []Cue // as they stand in it
	// Local is shown at MPEGTS, by the clock of the transport stream, in units
	// of 1/90000 s: X-TIMESTAMP-MAP. Both are 0 where the file does not say.
	Local  time.Duration
	MPEGTS uint64
}

// wrap is how many values a presentation time stamp has: 33 bits.
const wrap = 1 << 33

// Wrap is after how long presentation time stamps begin anew.
const Wrap = wrap * time.Second / 90000

// PTS returns when a time of f's clock is, on the clock of presentation time
// stamps: from 0 to Wrap.
func (f *File) PTS(t time.Duration) time.Duration {
	base := time.Duration(f.MPEGTS%wrap) * time.Second / 90000 // below 27 h: does not overflow
	return mod(base + t - f.Local)
}

// mod brings t into 0 … Wrap.
func mod(t time.Duration) time.Duration {
	if t %= Wrap; t < 0 {
		t += Wrap
	}
	return t
}

// Shown reports whether what is to be seen from start to end is at now, all
// three presentation time stamps, which may have begun anew in between or be
// counted on by the player.
func Shown(now, start, end time.Duration) bool { return mod(now-start) < mod(end-start) }

// Parse reads a file. The bytes stay the caller's.
func Parse(b []byte) (*File, error) {
	if len(b) > MaxBytes {
		return nil, errors.New("read WebVTT: too long")
	}
	s := strings.TrimPrefix(string(b), "\ufeff")
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	blocks := reader{rest: s}
	head, ok := blocks.line()
	rest, is := strings.CutPrefix(head, "WEBVTT")
	if !ok || !is || rest != "" && rest[0] != ' ' && rest[0] != '\t' {
		return nil, ErrFormat
	}
	f := &File{}
	for {
		line, ok := blocks.line()
		if !ok || line == "" {
			break
		}
		if v, is := strings.CutPrefix(line, "X-TIMESTAMP-MAP="); is {
			f.mapped(v)
		} else if strings.Contains(line, "-->") { // the blank line is missing
			blocks.back(line)
			break
		}
	}
	for len(f.Cues) < maxCues && blocks.skip() {
		f.block(&blocks)
	}
	return f, nil
}

// reader takes lines off a text.
type reader struct {
	rest string
	put  *string // given back
}

func (r *reader) line() (string, bool) {
	if r.put != nil {
		l := *r.put
		r.put = nil
		return l, true
	}
	if r.rest == "" {
		return "", false
	}
	l, rest, _ := strings.Cut(r.rest, "\n")
	r.rest = rest
	if len(l) > maxLine {
		l = l[:maxLine]
	}
	return l, true
}

func (r *reader) back(l string) { r.put = &l }

// skip goes to the next line that is not blank.
func (r *reader) skip() bool {
	for {
		l, ok := r.line()
		if !ok {
			return false
		}
		if l != "" {
			r.back(l)
			return true
		}
	}
}

// block reads up to the next blank line: a cue, or something to be skipped.
func (f *File) block(r *reader) {
	first, _ := r.line()
	times := first
	if !strings.Contains(first, "-->") {
		if next, ok := r.line(); ok && strings.Contains(next, "-->") && !skipped(first) { // after the cue's name
			times = next
		} else {
			for ok && next != "" {
				next, ok = r.line()
			}
			return
		}
	}
	c, ok := span(times)
	var text strings.Builder
	for {
		l, more := r.line()
		if !more || l == "" {
			break
		}
		if strings.Contains(l, "-->") { // the blank line is missing
			r.back(l)
			break
		}
		if text.Len() < maxText {
			text.WriteString(l)
			text.WriteByte('\n')
		}
	}
	if c.Text = plain(text.String()); ok && c.Text != "" {
		f.Cues = append(f.Cues, c)
	}
}

// skipped reports whether a block that begins with line is not a cue, whatever
// stands in it.
func skipped(line string) bool {
	for _, w := range []string{"NOTE", "STYLE", "REGION"} {
		if rest, ok := strings.CutPrefix(line, w); ok && (rest == "" || rest[0] == ' ' || rest[0] == '\t') {
			return true
		}
	}
	return false
}

// mapped reads the value of X-TIMESTAMP-MAP, whose two parts come in any order.
func (f *File) mapped(v string) {
	var local time.Duration
	var ts uint64
	var haveLocal, haveTS bool
	for part := range strings.SplitSeq(v, ",") {
		part = strings.TrimSpace(part)
		if t, ok := strings.CutPrefix(part, "LOCAL:"); ok {
			local, haveLocal = stamp(t)
		} else if t, ok := strings.CutPrefix(part, "MPEGTS:"); ok {
			n, err := strconv.ParseUint(t, 10, 64)
			ts, haveTS = n, err == nil
		}
	}
	if haveLocal && haveTS {
		f.Local, f.MPEGTS = local, ts
	}
}

// span reads "START --> END settings".
func span(line string) (c Cue, ok bool) {
	from, to, _ := strings.Cut(line, "-->")
	to = strings.TrimSpace(to)
	if i := strings.IndexAny(to, " \t"); i >= 0 {
		to = to[:i]
	}
	start, ok1 := stamp(strings.TrimSpace(from))
	end, ok2 := stamp(to)
	return Cue{Start: start, End: end}, ok1 && ok2 && start < end && end-start < Wrap
}

// stamp reads [hours:]minutes:seconds.milliseconds.
func stamp(s string) (time.Duration, bool) {
	main, milli, ok := strings.Cut(s, ".")
	parts := strings.Split(main, ":")
	if !ok || len(milli) != 3 || len(parts) < 2 || len(parts) > 3 {
		return 0, false
	}
	ms, ok := digits(milli, 3)
	if !ok {
		return 0, false
	}
	var hours int64
	if len(parts) == 3 {
		if hours, ok = digits(parts[0], 6); !ok {
			return 0, false
		}
		parts = parts[1:]
	}
	minutes, ok1 := digits(parts[0], 2)
	seconds, ok2 := digits(parts[1], 2)
	if !ok1 || !ok2 || minutes > 59 || seconds > 59 {
		return 0, false
	}
	t := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute + time.Duration(seconds)*time.Second + time.Duration(ms)*time.Millisecond
	return t, t <= maxTime
}

// digits reads a number of at most most digits.
func digits(s string, most int) (int64, bool) {
	if s == "" || len(s) > most || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// plain takes tags out of a cue's text and resolves its character references.
func plain(s string) string {
	var b strings.Builder
	for s != "" {
		i := strings.IndexByte(s, '<')
		if i < 0 {
			b.WriteString(s)
			break
		}
		b.WriteString(s[:i])
		end := strings.IndexByte(s[i:], '>')
		if end < 0 {
			break // a tag that does not end is no text
		}
		s = s[i+end+1:]
	}
	text := html.UnescapeString(b.String())
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\ufffd")
	}
	text = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, text)
	lines := strings.Split(text, "\n")
	kept := lines[:0]
	for _, l := range lines {
		if l = strings.TrimSpace(l); l != "" {
			kept = append(kept, l)
		}
	}
	text = strings.Join(kept, "\n")
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "")
	}
	return text
}
