package library

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// List returns the channels whose name or group has every word of query, and
// that are in group ("": all), as they are shown: favourites first, then what was
// watched last, then what came last, lists in their own order. Case and accents
// do not matter.
func (l *Library) List(query, group string) []Channel {
	words := strings.Fields(fold(query))
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []Channel
	for _, e := range l.sorted() {
		if e.matches(words) && (group == "" || slices.Contains(e.groups(), group)) {
			list = append(list, e.Channel)
		}
	}
	return list
}

// Groups returns the names of all groups, sorted.
func (l *Library) Groups() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	names := map[string]string{} // by what they are sorted by
	for _, e := range l.all {
		for _, g := range e.groups() {
			names[fold(g)+"\x00"+g] = g
		}
	}
	list := make([]string, 0, len(names))
	for _, key := range slices.Sorted(maps.Keys(names)) {
		list = append(list, names[key])
	}
	return list
}

// walk is a way through the library, channel by channel. Watching a channel
// moves it to the front, so who walks keeps the order in which the walk began;
// else two steps forward would lead back.
type walk struct {
	order []string
	at    int // where the last step led
}

// Next returns the channel that is `by` places after (or before) the one with the
// ID, in the order of List, around the end. If that is not known it is the first
// (or last). Steps that follow each other keep to the order in which the first
// found the library, until it is edited.
func (l *Library) Next(id string, by int) (Channel, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.all)
	if n == 0 {
		return Channel{}, false
	}
	w := &l.walk
	if len(w.order) != n || w.order[w.at] != id {
		w.order = w.order[:0]
		for _, e := range l.sorted() {
			w.order = append(w.order, e.ID)
		}
		w.at = slices.Index(w.order, id)
		if w.at < 0 && by < 0 {
			w.at = 0 // one before the first is the last
		}
	}
	w.at = ((w.at+by)%n + n) % n
	return l.all[w.order[w.at]].Channel, true
}

// sorted returns the channels as they are shown; mu is held.
func (l *Library) sorted() []*entry {
	if l.order == nil {
		l.order = slices.SortedFunc(maps.Values(l.all), func(a, b *entry) int {
			if a.Favorite != b.Favorite {
				if a.Favorite {
					return -1
				}
				return 1
			}
			return cmp.Or(b.LastSeen.Compare(a.LastSeen), b.Added.Compare(a.Added), a.number-b.number)
		})
	}
	return l.order
}

func (e *entry) matches(words []string) bool {
	for _, w := range words {
		if !strings.Contains(e.key, w) {
			return false
		}
	}
	return true
}

func searchKey(c Channel) string { return fold(c.Name + "\n" + c.Group) }

// strokes are letters that Unicode does not take for one with an accent, but who
// searches does.
var strokes = strings.NewReplacer("ø", "o", "ł", "l", "đ", "d", "ð", "d", "þ", "th", "æ", "ae", "œ", "oe", "ı", "i", "ħ", "h")

// fold makes texts equal that differ only in case, accents or width.
func fold(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFKD.String(s))
	return strokes.Replace(cases.Fold().String(s))
}
