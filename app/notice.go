package app

import (
	"slices"
	"time"

	"coral/app/view"
)

const (
	// maxNotices are shown at once; more bury what matters.
	maxNotices = 3
	// newsStay is how long news stay that need no answer.
	newsStay = 6 * time.Second
)

// notices are what the user is told, newest first.
type notices struct {
	all  []view.Notice
	gone map[uint64]time.Time // when news go by themselves
	last uint64
	open uint64 // what was wrong with what was to be opened last; the next one answers it
}

// notice tells the user something. The same text is not told twice at a time.
// It returns the notice's ID.
func (a *app) notice(kind view.NoticeKind, text, hint string) uint64 {
	return a.noticeWith(view.Notice{Kind: kind, Text: text, Hint: hint})
}

func (a *app) noticeWith(n view.Notice) uint64 {
	s := &a.notices
	if i := slices.IndexFunc(s.all, func(o view.Notice) bool { return o.Text == n.Text }); i >= 0 {
		return s.all[i].ID
	}
	s.last++
	n.ID = s.last
	s.all = slices.Insert(s.all, 0, n)
	if len(s.all) > maxNotices {
		s.all = s.all[:maxNotices]
	}
	if n.Kind == view.Info {
		if s.gone == nil {
			s.gone = map[uint64]time.Time{}
		}
		s.gone[n.ID] = time.Now().Add(newsStay)
	}
	return n.ID
}

// dismiss takes a notice away.
func (s *notices) dismiss(id uint64) {
	s.all = slices.DeleteFunc(s.all, func(n view.Notice) bool { return n.ID == id })
	delete(s.gone, id)
}

// now returns what is to be seen.
func (s *notices) now(now time.Time) []view.Notice {
	for id, at := range s.gone {
		if now.After(at) {
			s.dismiss(id)
		}
	}
	return slices.Clone(s.all)
}
