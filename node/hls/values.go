package hls

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// seconds parses a decimal number of seconds.
func seconds(s string) (time.Duration, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= 0 && f <= maxDuration.Seconds()) { // also not NaN
		return 0, errors.New("bad duration")
	}
	return time.Duration(math.Round(f * float64(time.Second))), nil
}

// counter parses a decimal-integer. One bit is left for sums.
func counter(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil || n > math.MaxInt64/2 {
		return 0, errors.New("bad number")
	}
	return n, nil
}

// byteRange parses "length" or "length@offset"; without offset it is -1.
func byteRange(s string) (length, offset int64, err error) {
	n, at, given := strings.Cut(s, "@")
	length, err = strconv.ParseInt(strings.TrimSpace(n), 10, 64)
	if offset = -1; err == nil && given {
		offset, err = strconv.ParseInt(strings.TrimSpace(at), 10, 64)
		if offset < 0 {
			err = errors.New("negative")
		}
	}
	if err != nil || length <= 0 || length > maxResource || offset > maxResource {
		return 0, 0, errors.New("bad byte range")
	}
	return length, offset, nil
}

// dateLayouts are the ways in which packagers write dates. Go takes fractions of
// a second, after a point or a comma, in all of them.
var dateLayouts = []string{
	"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07",
	"2006-01-02T15:04:05", // no zone: taken as UTC
	"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z0700", "2006-01-02 15:04:05", "20060102T150405Z0700",
}

// date parses EXT-X-PROGRAM-DATE-TIME. What cannot be read is as good as not
// said: a segment plays without it.
func date(s string) time.Time {
	s = strings.ToUpper(strings.Trim(s, `"`))
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			if t = t.UTC(); t.Year() >= 1 && t.Year() <= 9999 {
				return t
			}
		}
	}
	return time.Time{}
}

// checkURI refuses what no server would be asked for. Which schemes and hosts
// are good is for who resolves it to say.
func checkURI(s string) error {
	if s == "" {
		return errors.New("empty URI")
	}
	if s[0] == '#' { // of a variable; as a line of its own it would be a tag
		return errors.New("URI begins with #")
	}
	if len(s) > maxURI {
		return fmt.Errorf("%w: URI of %d bytes", ErrTooLarge, len(s))
	}
	return nil
}
