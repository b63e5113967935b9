package hls

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxAttributes bounds an attribute list; the longest tag of the RFC has 20.
const maxAttributes = 64

// attributes is an attribute list (RFC 8216 section 4.2), as written.
type attributes []struct{ name, value string }

// maxToken bounds an enumerated string or number; an IV has 34 characters.
const maxToken = 64

// get returns the value of the first attribute called name, or "".
func (as attributes) get(name string) string {
	for _, a := range as {
		if a.name == name {
			return a.value
		}
	}
	return ""
}

// yes reads an enumerated YES or NO.
func (as attributes) yes(name string) bool { return strings.EqualFold(as.get(name), "YES") }

// token returns a value that is written without quotes, or "" if it could not be.
func (as attributes) token(name string) string {
	v := as.get(name)
	if !isToken(v) {
		return ""
	}
	return v
}

// isToken reports whether s can be an enumerated string or a resolution.
func isToken(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '.', c == '_':
		default:
			return false
		}
	}
	return len(s) <= maxToken
}

// resolution returns a "1280x720", or "".
func (as attributes) resolution(name string) string {
	w, h, _ := strings.Cut(strings.ToLower(as.get(name)), "x")
	x, err1 := strconv.ParseUint(w, 10, 16)
	y, err2 := strconv.ParseUint(h, 10, 16)
	if err1 != nil || err2 != nil {
		return ""
	}
	return fmt.Sprintf("%dx%d", x, y)
}

// attributes parses s and puts the playlist's variables in. It is lenient where
// real playlists are sloppy: spaces around names and values, missing or
// needless quotes.
func (r *rewriter) attributes(s string) (attributes, error) {
	var as attributes
	for {
		s = strings.TrimLeft(s, " \t,")
		if s == "" {
			return as, nil
		}
		if len(as) == maxAttributes {
			return nil, fmt.Errorf("more than %d attributes", maxAttributes)
		}
		name, rest, ok := strings.Cut(s, "=")
		if !ok {
			return as, nil // a trailing word says nothing
		}
		var value string
		rest = strings.TrimLeft(rest, " \t")
		if strings.HasPrefix(rest, `"`) {
			if value, s, ok = strings.Cut(rest[1:], `"`); !ok {
				return nil, errors.New("unterminated quote")
			}
			var err error
			if value, err = r.expand(value); err != nil {
				return nil, err
			}
		} else {
			value, s, _ = strings.Cut(rest, ",")
			value = strings.ReplaceAll(value, `"`, "")
		}
		as = append(as, struct{ name, value string }{strings.TrimSpace(name), strings.TrimSpace(value)})
	}
}

// maxVariables bounds EXT-X-DEFINE.
const maxVariables = 64

// define takes an EXT-X-DEFINE. Variables from elsewhere (IMPORT, QUERYPARAM)
// would need the playlist's URL or its parent.
func (r *rewriter) define(s string) error {
	as, err := r.attributes(s)
	if err != nil {
		return err
	}
	name := as.get("NAME")
	if name == "" {
		return errors.New("variables from outside the playlist are not supported")
	}
	if len(r.variables) == maxVariables {
		return fmt.Errorf("more than %d variables", maxVariables)
	}
	if r.variables == nil {
		r.variables = make(map[string]string)
	}
	r.variables[name] = as.get("VALUE")
	return nil
}

// expand replaces {$name} in a URI or quoted string. In a playlist that defines
// nothing it stands for itself.
func (r *rewriter) expand(s string) (string, error) {
	if len(r.variables) == 0 || !strings.Contains(s, "{$") {
		return s, nil
	}
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, "{$")
		b.WriteString(before)
		if !ok {
			return b.String(), nil
		}
		name, after, ok := strings.Cut(rest, "}")
		value, known := r.variables[name]
		if !ok || !known {
			return "", errors.New("undefined variable")
		}
		b.WriteString(value)
		if s = after; b.Len() > maxLine {
			return "", fmt.Errorf("%w: expands to more than %d bytes", ErrTooLarge, maxLine)
		}
	}
}

// listWriter builds an attribute list.
type listWriter struct{ strings.Builder }

// raw adds an attribute without quotes, unless value is empty or not a token.
func (w *listWriter) raw(name, value string) {
	if value == "" || !isToken(value) {
		return
	}
	w.name(name)
	w.WriteString(value)
}

// quoted adds a quoted string, unless it is empty. What no quoted string can
// hold is left out of it.
func (w *listWriter) quoted(name, value string) {
	if value = printable(value); value == "" {
		return
	}
	w.name(name)
	w.WriteByte('"')
	w.WriteString(value)
	w.WriteByte('"')
}

func (w *listWriter) yes(name string, value bool) {
	if value {
		w.raw(name, "YES")
	}
}

func (w *listWriter) name(name string) {
	if w.Len() > 0 {
		w.WriteByte(',')
	}
	w.WriteString(name)
	w.WriteByte('=')
}

// printable removes control characters and double quotes, so that a name cannot
// end its quotes or its line, and the space around it, which readers drop.
func printable(s string) string {
	return strings.TrimSpace(strings.Map(func(c rune) rune {
		if c < 0x20 || c == 0x7f || c == '"' {
			return -1
		}
		return c
	}, s))
}
