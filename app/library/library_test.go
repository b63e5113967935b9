package library

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"coral/app/settings"
)

func open(t *testing.T, dir string) *Library {
	t.Helper()
	l, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func add(t *testing.T, l *Library, c Channel) Channel {
	t.Helper()
	c, err := l.Add(c)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func names(list []Channel) (s []string) {
	for _, c := range list {
		s = append(s, c.Name)
	}
	return s
}

func plain(n int) Channel {
	return Channel{Link: fmt.Sprintf("https://tv.example/%05d.m3u8", n), Name: fmt.Sprintf("TV %05d", n)}
}

func TestEditsAreKept(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	now := time.Now()
	a := add(t, l, Channel{Link: "https://tv.example/a.m3u8", Name: "A\x1b[2J \u202e b", Group: "News", Logo: "https://tv.example/a.png"})
	b := add(t, l, Channel{Link: "https://tv.example/sub/b.m3u8", Logo: "file:///etc/passwd"})
	if a.Name != "A[2J b" || !a.Plain || b.Name != "tv.example/sub/b" || b.Logo != "" || a.Added.Before(now) {
		t.Errorf("%+v, %+v", a, b)
	}
	for _, err := range []error{
		l.Rename(a.ID, "  Mine\n"), l.SetFavorite(b.ID, true), l.SetConsent(b.ID, settings.WatchOnly),
		l.Update(b.ID, func(c *Channel) { c.Group, c.ID, c.Link = "Sport", "x", "y" }),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	l.Touch(a.ID, now)
	l.Touch(a.ID, now.Add(-time.Hour)) // a clock that went back
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	add(t, l, Channel{Link: "https://tv.example/a.m3u8", Name: "Theirs"})
	again := open(t, dir)
	list := again.List("", "")
	if len(list) != 2 || list[0].ID != b.ID || list[0].Consent != settings.WatchOnly || list[0].Group != "Sport" || !list[0].Favorite ||
		list[1].Name != "Mine" || !list[1].LastSeen.Equal(now.UTC().Truncate(time.Second)) || list[1].Logo != "https://tv.example/a.png" {
		t.Errorf("%+v", list)
	}
	if err := again.Rename(a.ID, ""); err != nil {
		t.Fatal(err)
	}
	if c, _ := again.Get(a.ID); c.Name != "Theirs" {
		t.Errorf("its own name is %q", c.Name)
	}
	if err := again.Forget(a.ID); err != nil {
		t.Fatal(err)
	}
	if list = open(t, dir).List("", ""); len(list) != 1 || list[0].ID != b.ID {
		t.Errorf("after forgetting: %+v", list)
	}
	for _, err := range []error{again.Forget(a.ID), again.Rename(a.ID, "x"), again.SetPoster(a.ID, frame(1, 1))} {
		if !errors.Is(err, ErrUnknown) {
			t.Errorf("of a channel that is not there: %v", err)
		}
	}
	if _, err := again.Add(Channel{Link: "nonsense"}); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
}

func TestSearch(t *testing.T) {
	l := open(t, t.TempDir())
	for i, name := range []string{"Café Müller", "Straße der Łódź", "ØRESUND Radio", "İstanbul TV", "ＮＨＫ World", "Ελληνικός"} {
		c := plain(i)
		c.Name, c.Group = name, "Kultur;Übrige"
		add(t, l, c)
	}
	for query, want := range map[string]string{
		"cafe": "Café Müller", "MULLER café": "Café Müller", "strasse": "Straße der Łódź", "lodz": "Straße der Łódź",
		"øresund": "ØRESUND Radio", "oresund rad": "ØRESUND Radio", "istanbul": "İstanbul TV", "nhk": "ＮＨＫ World",
		"ελληνικοσ": "Ελληνικός", "ubrige istan": "İstanbul TV", "mu\u0308ller": "Café Müller",
	} {
		if got := names(l.List(query, "")); len(got) != 1 || got[0] != want {
			t.Errorf("%q finds %q", query, got)
		}
	}
	if got := l.List("muller radio", ""); len(got) != 0 {
		t.Errorf("words of two channels find %q", names(got))
	}
	if got := l.List("  ", "Übrige"); len(got) != 6 {
		t.Errorf("a group has %d", len(got))
	}
	if got := l.List("", "ubrige"); len(got) != 0 {
		t.Errorf("no group has %d", len(got))
	}
	if got := l.Groups(); !slices.Equal(got, []string{"Kultur", "Übrige"}) {
		t.Errorf("groups %q", got)
	}
}

func TestOrderAndZapping(t *testing.T) {
	l := open(t, t.TempDir())
	now := time.Now()
	if _, ok := l.Next("", 1); ok {
		t.Error("an empty library has a next channel")
	}
	var ids []string
	var list []Channel
	for i := range 5 {
		list = append(list, plain(i))
	}
	if n, err := l.Import(list); err != nil || n != 5 {
		t.Fatal(n, err)
	}
	for _, c := range l.List("", "") {
		ids = append(ids, c.ID)
	}
	if got := names(l.List("", "")); !slices.IsSorted(got) {
		t.Errorf("a list keeps its order: %q", got)
	}
	l.SetFavorite(ids[3], true)
	l.Touch(ids[2], now)
	if got, want := names(l.List("", "")), []string{"TV 00003", "TV 00002", "TV 00000", "TV 00001", "TV 00004"}; !slices.Equal(got, want) {
		t.Errorf("order %q, want %q", got, want)
	}
	// Watching each as it comes does not lead in circles.
	step := func(id string, by int) string {
		c, ok := l.Next(id, by)
		if !ok {
			t.Fatal("no next channel")
		}
		now = now.Add(time.Second)
		l.Touch(c.ID, now)
		return c.ID
	}
	at := ids[3]
	var seen []string
	for range 5 {
		at = step(at, 1)
		seen = append(seen, at)
	}
	if want := []string{ids[2], ids[0], ids[1], ids[4], ids[3]}; !slices.Equal(seen, want) {
		t.Errorf("seen %q, want %q", seen, want)
	}
	if back := step(at, -1); back != ids[4] {
		t.Errorf("back is %s", back)
	}
	// Somewhere else by hand: from there, in the order as it is now.
	if got := step(ids[3], 1); got != l.List("", "")[1].ID {
		t.Errorf("%s is next", got)
	}
	if first, _ := l.Next("?", 1); first.ID != ids[3] {
		t.Errorf("the first is %s", first.Name)
	}
	list = l.List("", "")
	if last, _ := l.Next("?", -1); last.ID != list[4].ID {
		t.Errorf("the last is %s", last.Name)
	}
	if last, _ := l.Next(ids[3], -11); last.ID != list[4].ID {
		t.Errorf("eleven back is %s", last.Name)
	}
	l.Forget(ids[3])
	if c, ok := l.Next(ids[3], 1); !ok || c.ID != l.List("", "")[0].ID {
		t.Errorf("after forgetting: %v", c.Name)
	}
}

func TestBounds(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	list := make([]Channel, MaxChannels+5)
	for i := range list {
		list[i] = plain(i)
	}
	list[7].Link = "nonsense"
	n, err := l.Import(list)
	if n != MaxChannels || !errors.Is(err, ErrFull) {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := l.Add(plain(99999)); !errors.Is(err, ErrFull) {
		t.Errorf("%v", err)
	}
	if _, err := l.Add(plain(3)); err != nil {
		t.Errorf("one that is there: %v", err)
	}
	if again := open(t, dir); len(again.List("", "")) != MaxChannels {
		t.Errorf("%d are read", len(again.List("", "")))
	}
}

func TestRevision(t *testing.T) {
	l := open(t, t.TempDir())
	last := l.Revision()
	moved := func(what string, want bool) {
		t.Helper()
		if now := l.Revision(); (now != last) != want {
			t.Errorf("%s: %v", what, now != last)
		}
		last = l.Revision()
	}
	c := add(t, l, plain(1))
	moved("add", true)
	add(t, l, plain(1))
	moved("the same again", false)
	l.SetFavorite(c.ID, false)
	moved("no favourite, still", false)
	l.Touch(c.ID, time.Now())
	moved("touch", true)
	if err := l.SetPoster(c.ID, frame(16, 9)); err != nil {
		t.Fatal(err)
	}
	moved("poster", true)
	l.List("x", "")
	moved("list", false)
}

func TestDamagedLibrary(t *testing.T) {
	good := `{"link":"https://tv.example/a.m3u8","title":"A","favorite":true,"share":"on","later":[1]}`
	file := func(lines ...string) string {
		return `{"version":1,"channels":[` + strings.Join(lines, ",\n") + `]}`
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "channels.json")
	for _, c := range []struct {
		what, content string
		kept, dropped int
		damaged       bool
		consent       settings.Consent
	}{
		{"good", file(good), 1, 0, false, settings.Share},
		{"twice", file(good, good), 1, 0, false, settings.Share},
		{"one wrong", file(good, `{"link":"file:///x"}`, `7`, `null`, `{}`, `[]`), 1, 5, false, settings.Share},
		{"wrong field", file(`{"link":"https://tv.example/a.m3u8","title":7,"favorite":true,"share":"on"}`), 1, 0, false, settings.Unasked},
		{"newer", `{"version":2,"channels":[` + good + `]}`, 1, 0, false, settings.Unasked},
		{"no version", `{"channels":[` + good + `]}`, 0, 0, true, ""},
		{"cut", file(good)[:40], 0, 0, true, ""},
		{"empty", "", 0, 0, true, ""},
		{"not a list", `{"version":1,"channels":{}}`, 0, 0, true, ""},
	} {
		os.Remove(path + ".bak")
		if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		l := open(t, dir)
		list := l.List("", "")
		if len(list) != c.kept || l.Found().Dropped != c.dropped || l.Found().Damaged != c.damaged || c.kept > 0 && (list[0].Consent != c.consent || !list[0].Favorite) {
			t.Errorf("%s: %+v, %+v", c.what, list, l.Found())
		}
	}
}

func TestLibraryBackup(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	c := add(t, l, plain(1))
	if err := l.SetConsent(c.ID, settings.Share); err != nil {
		t.Fatal(err)
	}
	if err := l.SetConsent(c.ID, settings.WatchOnly); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, "channels.json"), 30); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir)
	if got, ok := again.Get(c.ID); !ok || got.Consent != settings.Unasked || !again.Found().Backup {
		t.Errorf("%+v, %+v", got, again.Found())
	}
}

func TestLedgerRun(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l := openLedger(t, dir)
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- l.Run(ctx) }()
		l.Add("a", 1, 2, time.Now())
		cancel()
		if err := <-done; err != nil || openLedger(t, dir).Total(time.Now()).EverDown != 2 {
			t.Error(err)
		}
	})
}

// What is gathered is written by Run after a while, and when it ends.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l := open(t, dir)
		c := add(t, l, plain(1))
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- l.Run(ctx) }()
		seen := func() time.Time {
			c, _ := open(t, dir).Get(c.ID)
			return c.LastSeen.Local()
		}
		at := time.Now().Truncate(time.Second)
		l.Touch(c.ID, at)
		if !seen().Equal(time.Time{}) {
			t.Error("written at once")
		}
		time.Sleep(saveAfter + time.Second)
		synctest.Wait()
		if !seen().Equal(at) {
			t.Errorf("written: %v, want %v", seen(), at)
		}
		l.Touch(c.ID, at.Add(time.Hour))
		cancel()
		if err := <-done; err != nil || !seen().Equal(at.Add(time.Hour)) {
			t.Errorf("%v, %v", err, seen())
		}
	})
}

func FuzzChannels(f *testing.F) {
	f.Add([]byte(`{"version":1,"channels":[{"link":"https://tv.example/a.m3u8","added":"2026-11-23T01:02:03Z","seen":"x"}]}`))
	f.Add([]byte(`{"version":1,"channels":[{"link":"magnet:?xt=urn:btih:0123456789012345678901234567890123456789&dn=a","share":"on","name":"\u202e"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, _, err := decodeChannels(b)
		if err != nil {
			return
		}
		for _, c := range list {
			if c.Name == "" || c.Name != showable(c.Name) || c.Group != showable(c.Group) || len(c.ID) < 30 || strings.ContainsAny(c.ID, `/\.`) {
				t.Fatalf("%+v", c)
			}
		}
		again, err := encodeChannels(list)
		if err != nil || !json.Valid(again) {
			t.Fatalf("%s, %v", again, err)
		}
		if list2, dropped, err := decodeChannels(again); err != nil || dropped > 0 || len(list2) != len(list) {
			t.Fatalf("%d channels, then %d, %d dropped, %v", len(list), len(list2), dropped, err)
		}
	})
}

func BenchmarkSearch(b *testing.B) {
	l, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	list := make([]Channel, MaxChannels)
	for i := range list {
		list[i] = plain(i)
	}
	if _, err := l.Import(list); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if got := l.List("tv 777", ""); len(got) == 0 {
			b.Fatal("found nothing")
		}
	}
}
