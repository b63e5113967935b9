package system

import (
	"encoding"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// maxText is how much of one text is judged; the rest is not written.
const maxText = 8 << 10

// redactor takes out of a text what tells who and where the user is and what is
// watched. When in doubt it takes out too much: a time of day looks like an
// address. What it cannot know are an address written as one plain number and
// the name of a host that is a common word.
type redactor struct {
	mu    sync.RWMutex
	known []knownText // longest first
}

type knownText struct{ text, as string }

func newRedactor() *redactor {
	r := &redactor{}
	if home, err := os.UserHomeDir(); err == nil && len(filepath.Clean(home)) > 1 {
		r.hide(filepath.Clean(home), "~")
		r.hide(strings.ReplaceAll(filepath.Clean(home), `\`, `\\`), "~") // as %q prints it
		r.hide(strings.ReplaceAll(filepath.Clean(home), `\`, `/`), "~")
	}
	if name, err := os.Hostname(); err == nil && name != "localhost" && name != "coral" {
		r.hide(name, "[here]")
	}
	return r
}

func (r *redactor) hide(text, as string) {
	if len(text) < 4 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known = append(r.known, knownText{text, as})
	slices.SortStableFunc(r.known, func(a, b knownText) int { return len(b.text) - len(a.text) })
}

// sensitive keys have values that are never written, whatever they look like.
func sensitive(key string) bool {
	switch strings.ToLower(key) {
	case "addr", "address", "ip", "host", "link", "magnet", "url", "uri", "token", "secret", "password", "cookie", "authorization":
		return true
	}
	return false
}

// rules are applied in this order: first what contains others.
var rules = []struct {
	match *regexp.Regexp
	as    string
}{
	// Links, to the next space, also as they stand within other links. Closing
	// marks of the sentence around them stay.
	{regexp.MustCompile(`(?i)[a-z][a-z0-9+.-]*(?::|%3a)(?:/|%2f){2}\S*?([)\]}>"':,;]*(?:\s|$))`), "[link]$1"},
	{regexp.MustCompile(`(?i)(?:magnet|coral|acestream|mailto|data|urn)(?::|%3a)\S+?([)\]}>"':,;]*(?:\s|$))`), "[link]$1"},
	// Home folders of whomever, for names with spaces to the next separator.
	{regexp.MustCompile(`(?i)((?:^|[^\p{L}\p{N}])[a-z](?::|%3a)(?:\\+|/|%5c|%2f)(?:users|documents and settings)(?:\\+|/|%5c|%2f))[^\\/:"*?<>|\r\n]+`), "$1[user]"},
	{regexp.MustCompile(`(?i)(/(?:home|users)/)[^/\s"':,;)]+`), "$1[user]"},
	// Reversed, as asked of a name server.
	{regexp.MustCompile(`(?i)(?:[0-9a-f]\.){8,}[\p{L}\p{N}.]*`), "[address]"},
	// IPv4: dotted decimal, octal or hex, the dots also as in [.] (.) %2e, or as
	// commas, dashes and spaces, as in names of rented machines and printed slices.
	{regexp.MustCompile(`(?i)(?:0x[0-9a-f]+|\p{Nd}+)(?:\s*(?:[.,_。．｡-]|\[\.\]|\(\.\)|\[dot\]|%2e|\s)\s*(?:0x[0-9a-f]+|\p{Nd}+)){3,}(?:(?::|%3a)\p{Nd}+)?`), "[address]"},
	{regexp.MustCompile(`(?i)0x[0-9a-f]{6,}`), "[number]"},
	// Digests, info-hashes, keys and tokens: hex and base32 whatever they look
	// like, shorter ones if no word looks like that (see secretRun).
	{regexp.MustCompile(`[\p{L}\p{N}]{32,}`), "[secret]"},
	// Whom a name server was asked for.
	{regexp.MustCompile(`(?i)(\blookup )\S+?([:,]?(?:\s|$))`), "$1[host]$2"},
}

var (
	// ipv6 has two colons or more, with bracket, zone and port; see isIPv6.
	ipv6   = regexp.MustCompile(`(?i)\[?[0-9a-f]*(?:(?::|%3a|：)[0-9a-f.]*){2,}(?:%[\p{L}\p{N}_.-]+)?(?:(?:\]|%5d)(?:(?::|%3a)\p{Nd}+)?)?`)
	colons = strings.NewReplacer("%3a", ":", "%3A", ":", "：", ":")
	// secretRun is one word of base64, base64url or base32.
	secretRun = regexp.MustCompile(`[A-Za-z0-9_+-]{20,}={0,2}`)
	// hostPort has a name and a port; main.go:12 is none.
	hostPort = regexp.MustCompile(`[\p{L}\p{N}_](?:[\p{L}\p{N}_.-]*[\p{L}\p{N}_])?\.?(?::|%3[aA])\p{Nd}{1,5}`)
	// pathBehind is the rest of a link that stood there without its scheme.
	pathBehind = regexp.MustCompile(`(\[host\]|\[address\])[/?#][^\s"'<>)\]]+`)
	// domain is a dotted name; see isHost.
	domain = regexp.MustCompile(`[\p{L}\p{N}_](?:[\p{L}\p{N}_-]*)(?:\.[\p{L}\p{N}_][\p{L}\p{N}_-]*)+`)
)

// text returns s without what must not get out.
func (r *redactor) text(s string) string {
	if len(s) > maxText {
		// Half an address would not be recognised: cut at a space.
		s = strings.ToValidUTF8(s[:maxText], "")
		s = s[:strings.LastIndexFunc(s, unicode.IsSpace)+1] + "…"
	}
	r.mu.RLock()
	for _, k := range r.known {
		s = strings.ReplaceAll(s, k.text, k.as)
	}
	r.mu.RUnlock()
	if harmless(s) {
		return s
	}
	for _, rule := range rules {
		s = rule.match.ReplaceAllString(s, rule.as)
	}
	s = ipv6.ReplaceAllStringFunc(s, func(w string) string {
		if isIPv6(w) {
			return "[address]"
		}
		return w
	})
	s = secretRun.ReplaceAllStringFunc(s, func(w string) string {
		digit := strings.ContainsFunc(w, unicode.IsDigit)
		upper, lower := strings.ContainsFunc(w, unicode.IsUpper), strings.ContainsFunc(w, unicode.IsLower)
		if digit && (upper || lower) || upper && lower {
			return "[secret]"
		}
		return w
	})
	s = hostPort.ReplaceAllStringFunc(s, func(w string) string {
		if name, _, _ := strings.Cut(w, ":"); strings.HasSuffix(name, ".go") {
			return w
		}
		return "[host]"
	})
	s = domain.ReplaceAllStringFunc(s, func(w string) string {
		if isHost(w) {
			return "[host]"
		}
		return w
	})
	return pathBehind.ReplaceAllString(s, "$1/…")
}

// harmless spares most texts the rules: words in which none of them can find
// anything.
func harmless(s string) bool {
	return len(s) < 20 && !strings.ContainsFunc(s, func(r rune) bool {
		return r != ' ' && r != '-' && r != '_' && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) && !strings.Contains(strings.ToLower(s), "lookup ")
}

// isIPv6 lets pass 12:34:56 and main.go:12:34, which cannot be one.
func isIPv6(s string) bool {
	s = colons.Replace(s)
	return strings.Contains(s, "::") || strings.Count(s, ":") > 2
}

// endings are of file names that Coral writes about; as domains they are rare.
var endings = []string{
	"go", "json", "log", "txt", "toml", "lock", "db", "tmp", "torrent", "m3u", "m3u8", "ts", "m4s", "mp4", "m4a",
	"aac", "vtt", "key", "png", "jpg", "jpeg", "desktop", "exe", "dll", "dylib", "conf", "list",
}

// isHost judges a dotted name by its last label: all small or all capital
// letters, not a file's ending. Go's names (runtime.gopanic) suffer; logs have
// few.
func isHost(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	if slices.Contains(endings, strings.ToLower(last)) {
		return false
	}
	if strings.HasPrefix(strings.ToLower(last), "xn--") {
		return true
	}
	if strings.ContainsFunc(last, func(r rune) bool { return !unicode.IsLetter(r) }) {
		return false
	}
	return len(last) >= 2 && (strings.ToLower(last) == last || strings.ToUpper(last) == last)
}

// any prints a value of which it can be known what it says: errors, texts,
// numbers, lists and maps of those. Of others it prints the type, as fields that
// fmt would print may hold an address as bytes or as numbers.
func (r *redactor) any(v any) (s string) {
	defer func() {
		if recover() != nil { // in a method of v, a nil pointer mostly
			s = fmt.Sprintf("[%T]", v)
		}
	}()
	return r.text(r.value(reflect.ValueOf(v), 0))
}

func (r *redactor) value(v reflect.Value, depth int) string {
	if !v.IsValid() {
		return "nil"
	}
	if depth > maxDepth {
		return "…"
	}
	if v.CanInterface() {
		switch x := v.Interface().(type) {
		case error:
			return r.text(x.Error())
		case fmt.Stringer:
			return r.text(x.String())
		case encoding.TextMarshaler:
			b, err := x.MarshalText()
			if err != nil {
				return "[" + v.Type().String() + "]"
			}
			return r.text(string(b))
		}
	}
	switch v.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64:
		return fmt.Sprint(v.Interface())
	case reflect.String:
		return r.text(v.String())
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return "nil"
		}
		return r.value(v.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return fmt.Sprintf("[%d bytes]", v.Len())
		}
		var list []string
		for i := range min(v.Len(), maxList) {
			list = append(list, r.value(v.Index(i), depth+1))
		}
		return "[" + strings.Join(list, " ") + "]"
	case reflect.Map:
		var list []string
		for it := v.MapRange(); it.Next() && len(list) < maxList; {
			list = append(list, r.value(it.Key(), depth+1)+"="+r.value(it.Value(), depth+1))
		}
		slices.Sort(list)
		return "{" + strings.Join(list, " ") + "}"
	}
	return "[" + v.Type().String() + "]"
}

// maxList is how many elements of a list are printed.
const maxList = 32
