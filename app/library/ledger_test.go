package library

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"coral/node/budget"
)

func openLedger(t *testing.T, dir string) *Ledger {
	t.Helper()
	l, err := OpenLedger(dir)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLedger(t *testing.T) {
	dir := t.TempDir()
	l := openLedger(t, dir)
	now := time.Date(2026, 11, 30, 23, 59, 59, 0, time.UTC)
	l.Add("a", 100, 10, now)
	l.Add("b", 1000, 0, now)
	l.Add("a", 1, 0, now)
	l.Add("a", -50, -50, now) // counters that began anew
	l.Add("", 5, 0, now)
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	l = openLedger(t, dir)
	next := now.Add(time.Second)
	l.Add("a", 5, 7, next)
	want := []Usage{
		{Channel: "", SessionUp: 5, SessionDown: 7, MonthUp: 5, MonthDown: 7, EverUp: 1111, EverDown: 17},
		{Channel: "b", EverUp: 1000},
		{Channel: "a", SessionUp: 5, SessionDown: 7, MonthUp: 5, MonthDown: 7, EverUp: 106, EverDown: 17},
	}
	got := l.Usage(next)
	for i, w := range want {
		if i >= len(got) || got[i] != w {
			t.Errorf("got %+v, want %+v", got, want)
			break
		}
	}
	if got := l.Total(next); got != want[0] {
		t.Errorf("total %+v", got)
	}
	// West of here it is still November, and its limit is still used.
	west := next.In(time.FixedZone("", -3600))
	l.Add("b", 3, 0, west)
	if got := l.Total(west); got.MonthUp != 1109 {
		t.Errorf("November: %+v", got)
	}
	if got := l.Total(next); got.MonthUp != 5 || got.EverUp != 1114 {
		t.Errorf("December: %+v", got)
	}
	l.Forget("a")
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	if got := openLedger(t, dir).Usage(next); len(got) != 2 || got[0].EverUp != 1114 {
		t.Errorf("after forgetting: %+v", got)
	}
}

func TestLedgerIsBounded(t *testing.T) {
	dir := t.TempDir()
	l := openLedger(t, dir)
	at := time.Date(2026, 1, 15, 0, 0, 0, 0, time.UTC)
	for month := range 10 {
		l.Add("steady", 1_000_000, 0, at.AddDate(0, month, 0))
	}
	for i := range maxAccounts + 50 {
		l.Add(fmt.Sprintf("%040d", i), budget.Size(i+1), 0, at)
	}
	last := at.AddDate(0, 9, 0)
	l.Add("steady", maxBytes, maxBytes, last)
	l.Add("steady", maxBytes, maxBytes, last)
	l.Add("new and small", 1, 0, last)
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	l = openLedger(t, dir)
	list := l.Usage(last)
	if len(list) != maxAccounts+1 || l.Found().Damaged {
		t.Errorf("%d accounts, %+v", len(list), l.Found())
	}
	if l.channels["new and small"] == nil || list[1].Channel != "steady" || list[1].EverUp != maxBytes || len(l.channels["steady"].Months) != keptMonths {
		t.Errorf("%+v", list[1])
	}
	if info, err := os.Stat(filepath.Join(dir, "ledger.json")); err != nil || info.Size() > maxLedgerFile/2 {
		t.Errorf("%v, %v", info.Size(), err)
	}
}

func TestDamagedLedger(t *testing.T) {
	dir := t.TempDir()
	at := time.Now()
	l := openLedger(t, dir)
	for range 2 {
		l.Add("a", 1, 0, at)
		if err := l.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Join(dir, "ledger.json")
	for _, bad := range []string{"", "{", `{"version":1,"all":{"ever":{"up":"-5","down":"0"}}}`, `{"version":1,"channels":[]}`, `{}`} {
		if err := os.WriteFile(name, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		l := openLedger(t, dir)
		if !l.Found().Damaged || !l.Found().Backup || l.Total(at).EverUp != 1 {
			t.Errorf("%s: %+v, %+v", bad, l.Found(), l.Total(at))
		}
	}
	strange := `{"version":1,"all":{"ever":{"up":"7","down":"0"},"months":{"x":{},"2026-13":{},"2026-01":{"up":"1"},"2026-02":{},"2026-03":{},"2026-04":{}}},"channels":{"a":null,"b":{}}}`
	if err := os.WriteFile(name, []byte(strange), 0o600); err != nil {
		t.Fatal(err)
	}
	l = openLedger(t, dir)
	l.Add("a", 1, 1, at)
	l.Add("b", 1, 1, at)
	if got := l.Total(at); got.EverUp != 9 || len(l.all.Months) > keptMonths || l.Found().Damaged {
		t.Errorf("%+v, %v, %+v", got, l.all.Months, l.Found())
	}
}

func FuzzLedger(f *testing.F) {
	f.Add([]byte(`{"version":1,"all":{"ever":{"up":"7","down":"0"},"months":{"2026-11":{"up":"1","down":"2"}}},"channels":{"a":{}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		l := &Ledger{channels: map[string]*account{}}
		if l.decode(b) != nil {
			return
		}
		l.Add("a", 1, 1, time.Unix(0, 0).UTC())
		for _, u := range l.Usage(time.Unix(0, 0).UTC()) {
			if u.EverUp < 0 || u.EverDown > maxBytes || u.MonthUp < 0 {
				t.Fatalf("%+v", u)
			}
		}
	})
}
