package library

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"coral/app/durable"
	"coral/node/budget"
)

const (
	// maxAccounts bounds the channels with accounts of their own. Of those that
	// are too many the ones that moved least are only part of the whole.
	maxAccounts = 1000
	// keptMonths is how many months are told apart: this one, and two before it,
	// since a traveller's clock may go back into the last.
	keptMonths = 3
	// maxLedgerFile bounds ledger.json, at about 300 bytes an account.
	maxLedgerFile = 2 << 20
	// maxBytes is where sums end: an exabyte, as far as budget can read.
	maxBytes budget.Size = 1e18
)

// Usage is what was given to peers and taken from them, on the wire.
type Usage struct {
	Channel                          string // ID; "": all channels
	SessionUp, MonthUp, EverUp       budget.Size
	SessionDown, MonthDown, EverDown budget.Size
}

// amount is bytes given and taken.
type amount struct {
	Up   budget.Size `json:"up"`
	Down budget.Size `json:"down"`
}

func (a amount) plus(b amount) amount {
	return amount{min(a.Up+b.Up, maxBytes), min(a.Down+b.Down, maxBytes)}
}

// account is what is kept of one channel, or of all.
type account struct {
	Ever   amount            `json:"ever"`
	Months map[string]amount `json:"months"` // by "2026-11"

	session amount
}

// Ledger counts bytes by channel, session and month.
type Ledger struct {
	file  string
	found durable.Found

	saving sync.Mutex // held while the file is written; taken before mu

	mu       sync.Mutex // guards what follows; never held while writing
	all      account
	channels map[string]*account
	edits    uint64
	saved    uint64
}

// monthOf names t's month, in t's time zone.
func monthOf(t time.Time) string { return t.Format("2006-01") }

// OpenLedger reads the ledger in the library's folder. It does not fail for what
// is in the file: Found tells. The error is that of a file that exists and cannot
// be read; even then the Ledger can be used, and begins at nothing.
func OpenLedger(dir string) (*Ledger, error) {
	l := &Ledger{file: filepath.Join(dir, "ledger.json"), channels: map[string]*account{}}
	found, err := durable.Read(l.file, maxLedgerFile, l.decode)
	l.found = found
	if err != nil {
		return l, fmt.Errorf("open ledger: %w", err)
	}
	return l, nil
}

// Found says what was wrong with the file when it was opened.
func (l *Ledger) Found() durable.Found { return l.found }

// Add counts what went over the wire since the last Add of this channel; "" is
// for what belongs to none. at is in the user's time zone.
func (l *Ledger) Add(channel string, up, down budget.Size, at time.Time) {
	a := amount{clamp(up), clamp(down)}
	if a == (amount{}) {
		return
	}
	month := monthOf(at)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all.add(a, month)
	l.edits++
	if channel == "" {
		return
	}
	own := l.channels[channel]
	if own == nil {
		own = &account{}
		l.channels[channel] = own
	}
	own.add(a, month)
	l.bound(channel)
}

func clamp(n budget.Size) budget.Size { return max(0, min(n, maxBytes)) }

func (a *account) add(n amount, month string) {
	a.session, a.Ever = a.session.plus(n), a.Ever.plus(n)
	if a.Months == nil {
		a.Months = map[string]amount{}
	}
	a.Months[month] = a.Months[month].plus(n)
	for len(a.Months) > keptMonths {
		oldest := ""
		for m := range a.Months {
			if m != month && (oldest == "" || m < oldest) {
				oldest = m
			}
		}
		delete(a.Months, oldest)
	}
}

// bound drops the accounts that are too many, but not the one that was just
// opened. mu is held.
func (l *Ledger) bound(but string) {
	if len(l.channels) <= maxAccounts {
		return
	}
	byMoved := slices.SortedFunc(maps.Keys(l.channels), func(a, b string) int {
		return cmp.Or(cmp.Compare(l.channels[a].moved(), l.channels[b].moved()), cmp.Compare(a, b))
	})
	for _, id := range byMoved {
		if id != but && len(l.channels) > maxAccounts {
			delete(l.channels, id)
		}
	}
}

func (a *account) moved() budget.Size { return a.Ever.Up + a.Ever.Down }

// Forget removes a channel's own account. What it moved stays part of the whole.
func (l *Ledger) Forget(channel string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.channels[channel] != nil {
		delete(l.channels, channel)
		l.edits++
	}
}

// Total returns what all channels moved, the month being at's.
func (l *Ledger) Total(at time.Time) Usage {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.usage("", monthOf(at))
}

// Usage returns what all channels moved, first, and then each, those that moved
// most first. The month is at's.
func (l *Ledger) Usage(at time.Time) []Usage {
	month := monthOf(at)
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]Usage, 0, 1+len(l.channels))
	for id, a := range l.channels {
		list = append(list, a.usage(id, month))
	}
	slices.SortFunc(list, func(a, b Usage) int {
		return cmp.Or(cmp.Compare(b.EverUp+b.EverDown, a.EverUp+a.EverDown), cmp.Compare(a.Channel, b.Channel))
	})
	return slices.Insert(list, 0, l.all.usage("", month))
}

func (a *account) usage(channel, month string) Usage {
	m := a.Months[month]
	return Usage{
		Channel:   channel,
		SessionUp: a.session.Up, MonthUp: m.Up, EverUp: a.Ever.Up,
		SessionDown: a.session.Down, MonthDown: m.Down, EverDown: a.Ever.Down,
	}
}

// Run writes what is gathered, every few seconds, until ctx ends, and then once
// more. Its error is that of the last time; what could not be written before is
// tried again.
func (l *Ledger) Run(ctx context.Context) error { return flushUntil(ctx, l.Flush) }

// ledgerDocument is the file.
type ledgerDocument struct {
	Version  int                 `json:"version"`
	All      account             `json:"all"`
	Channels map[string]*account `json:"channels"`
}

// decode reads the file, or takes nothing of it.
func (l *Ledger) decode(b []byte) error {
	var d ledgerDocument
	if err := json.Unmarshal(b, &d); err != nil {
		return err
	}
	if err := checkVersion(d.Version); err != nil {
		return err
	}
	for id, a := range d.Channels {
		if a == nil || len(id) > maxID {
			delete(d.Channels, id)
		} else {
			a.trim()
		}
	}
	d.All.trim()
	l.all = d.All
	if d.Channels != nil {
		l.channels = d.Channels
	}
	l.bound("")
	return nil
}

// maxID bounds what stands for a channel in the ledger; ours have 40 letters.
const maxID = 100

// trim removes what no ledger of ours has written.
func (a *account) trim() {
	months := slices.Sorted(maps.Keys(a.Months))
	for i, m := range months {
		if _, err := time.Parse("2006-01", m); err != nil || i < len(months)-keptMonths {
			delete(a.Months, m)
		}
	}
}

// Flush writes what is not yet written.
func (l *Ledger) Flush() error {
	l.saving.Lock()
	defer l.saving.Unlock()
	l.mu.Lock()
	edits, done := l.edits, l.edits == l.saved
	var b bytes.Buffer
	var err error
	if !done {
		err = json.NewEncoder(&b).Encode(ledgerDocument{fileVersion, l.all, l.channels})
	}
	l.mu.Unlock()
	if done {
		return nil
	}
	if err == nil {
		err = durable.Write(l.file, b.Bytes())
	}
	if err != nil {
		return fmt.Errorf("save ledger: %w", err)
	}
	l.mu.Lock()
	l.saved = edits
	l.mu.Unlock()
	return nil
}
