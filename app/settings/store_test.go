package settings

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coral/node/budget"
)

func open(t *testing.T, file string) *Store {
	t.Helper()
	s, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func write(t *testing.T, content string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "settings.json")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// other returns valid settings that differ from the defaults in everything.
func other() Settings {
	s := Settings{
		Version: Version,
		Consent: Share, Upload: 1_500_000, Gentle: 0, Down: 10_000_000, Monthly: 5e9, Metered: true, Battery: true,
		Background: BackgroundRatio, StopAfter: 90 * time.Minute, StopRatio: 1.5, OnClose: CloseTray,
		Bind: "192.0.2.7", Port: 26725, Blocklist: abs("list.p2p"), CacheDir: abs("cache"), CacheSize: 512 << 20,
		Theme: ThemeContrast, Scale: 1.25, Language: "de",
		MaxHeight: 720, Latency: 8 * time.Second, Volume: 35, Muted: true, Captions: "pt-BR",
		Window: Window{Width: 800.5, Height: 600, FullScreen: true},
	}
	s.Week[0][3], s.Week[6][23] = Gentle, Full
	return s
}

func abs(name string) string {
	p, _ := filepath.Abs(name)
	return p
}

func TestDefaultIsValid(t *testing.T) {
	if err := Default().Validate(); err != nil {
		t.Error(err)
	}
	if err := other().Validate(); err != nil {
		t.Error(err)
	}
	if Default().Consent != Unasked || Default().Background != BackgroundOff || Default().Metered || Default().Battery {
		t.Error("the defaults share more than the user said")
	}
}

// The table of fields and the type must agree.
func TestFieldsAreAllThere(t *testing.T) {
	var keys []string
	typ := reflect.TypeFor[Settings]()
	a, b := reflect.ValueOf(Default()), reflect.ValueOf(other())
	for i := range typ.NumField() {
		keys = append(keys, typ.Field(i).Tag.Get("json"))
		if name := typ.Field(i).Name; name != "Version" && a.Field(i).Equal(b.Field(i)) {
			t.Errorf("%s is not tested: other has the default", name)
		}
	}
	got := []string{versionKey}
	for _, f := range fields {
		got = append(got, f.key)
	}
	if !slices.Equal(got, keys) {
		t.Errorf("fields are\n%q, the type's tags are\n%q", got, keys)
	}
}

func TestRoundTrip(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config", "settings.json")
	s := open(t, file)
	if s.Get() != Default() {
		t.Fatalf("a first start has %+v", s.Get())
	}
	for _, want := range []Settings{other(), Default()} {
		if err := s.Commit(want); err != nil {
			t.Fatal(err)
		}
		again := open(t, file)
		if again.Get() != want || !reflect.DeepEqual(again.Found(), Found{}) {
			t.Errorf("read again:\n%+v, %+v, want\n%+v", again.Get(), again.Found(), want)
		}
	}
}

// People read the file, and edit it.
func TestFileIsReadable(t *testing.T) {
	b, err := encode(other(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`"version": 1`, `"share": "on"`, `"upload-limit": "1.5M"`, `"gentle-limit": "0"`, `"monthly-limit": "5GB"`,
		`"background-for": "1h30m0s"`, `"latency": "8s"`, `"cache-size": "512MiB"`, `"port": 26725`,
		`"week": ["000100000000000000000000","000000000000000000000000"`,
	} {
		if !strings.Contains(string(b), "\t"+line) {
			t.Errorf("the file has no line %s:\n%s", line, b)
		}
	}
	if b, _ = encode(Default(), nil); !strings.Contains(string(b), `"monthly-limit": "unlimited"`) || !strings.Contains(string(b), `"download-limit": "unlimited"`) {
		t.Errorf("no limit is not a word:\n%s", b)
	}
	by := open(t, write(t, `{"upload-limit": "800k", "volume": 30}`)).Get()
	want := Default()
	want.Upload, want.Volume = 800_000, 30
	if by != want {
		t.Errorf("by hand: %+v", by)
	}
}

// Each value that cannot be used gives way alone.
func TestWrongValues(t *testing.T) {
	wrong := map[string][]string{
		"share":             {`"yes"`, `true`, `null`},
		"upload-limit":      {`"fast"`, `-5`, `"2000G"`, `[]`},
		"gentle-limit":      {`{}`},
		"download-limit":    {`"-1"`},
		"monthly-limit":     {`"-1"`, `-1`, `"2000000TB"`, `"No Limit"`},
		"share-on-metered":  {`"on"`, `null`, `1`},
		"share-on-battery":  {`"true"`},
		"week":              {`[]`, `["222"]`, `["", "", "", "", "", "", ""]`, `[` + strings.Repeat(`"33333333333333333333333x",`, 6) + `"222222222222222222222222"]`, `"full"`},
		"background":        {`"sometimes"`, `false`},
		"background-for":    {`5`, `"5"`, `"1s"`, `"-1h"`, `"9999h"`},
		"background-ratio":  {`-1`, `0`, `1e9`, `"NaN"`, `1e999`},
		"on-close":          {`""`},
		"bind":              {`"eth0"`, `"0.0.0.0"`, `"::"`, `"224.0.0.1"`, `7`},
		"port":              {`-1`, `65536`, `1.5`, `"80"`},
		"upnp":              {`0`},
		"dht":               {`"off"`},
		"blocklist":         {`"list.txt"`, `"/a\u0000b"`, `"/` + strings.Repeat("x", maxPath) + `"`},
		"cache-dir":         {`"../cache"`, `"/\u001b[2J"`},
		"cache-size":        {`"0"`, `"1kB"`, `"unlimited"`},
		"theme":             {`"neon"`},
		"scale":             {`0.5`, `3`, `-0.1`},
		"language":          {`"de_DE.UTF-8"`, `"` + strings.Repeat("x", 40) + `"`},
		"hardware-decoding": {`"auto"`},
		"max-height":        {`1`, `100000`, `-1`},
		"latency":           {`"-1s"`, `"1h"`},
		"volume":            {`-1`, `101`, `1e400`},
		"muted":             {`""`},
		"captions":          {`"<b>"`},
		"window":            {`{"width":0,"height":0}`, `{"width":1e30,"height":700}`, `[]`, `{"width":-5,"height":700}`},
	}
	for _, f := range fields {
		if len(wrong[f.key]) == 0 {
			t.Errorf("%s: nothing wrong is tried", f.key)
		}
		for _, bad := range wrong[f.key] {
			// The last of two equal keys counts.
			b, err := encode(other(), map[string]json.RawMessage{f.key: json.RawMessage(bad)})
			if err != nil {
				t.Fatalf("%s %s: %v", f.key, bad, err)
			}
			s := open(t, write(t, string(b)))
			want, zero := other(), Default()
			v, _ := f.write(&zero)
			if err := f.read(&want, v); err != nil {
				t.Fatal(err)
			}
			if f.guard {
				want.Consent = Unasked
			}
			if s.Get() != want || !slices.Equal(s.Found().Reset, []string{f.key}) || s.Found().Damaged {
				t.Errorf("%s = %.60s:\n%+v, %+v, want\n%+v", f.key, bad, s.Get(), s.Found(), want)
			}
		}
	}
}

func TestDamagedFiles(t *testing.T) {
	deep := `{"x":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}`
	for _, content := range []string{
		"", "\x00\x00\x00\x00", "{", `{"version":1`, `[]`, `null`, `"x"`, `{"version":"x"}`, `{"version":0}`,
		`{"version":-9223372036854775808}`, `{"version":1e99}`, `{"x":"` + strings.Repeat("x", maxFile) + `"}`,
		strings.Repeat("[", 60000), `{"version":1}{"version":1}`,
	} {
		s := open(t, write(t, content))
		if s.Get() != Default() || !s.Found().Damaged || s.Found().SetAside == "" {
			t.Errorf("%.30q: %+v, %+v", content, s.Get(), s.Found())
		}
		if err := s.Commit(other()); err != nil {
			t.Errorf("%.30q: %v", content, err)
		}
		if b, err := os.ReadFile(s.Found().SetAside); err != nil || string(b) != content {
			t.Errorf("%.30q is not where it was put", content)
		}
	}
	// What is only strange is kept, and does not grow.
	file := write(t, deep)
	s := open(t, file)
	if s.Found().Damaged {
		t.Error("an unknown key counts as damage")
	}
	if err := s.Commit(other()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Size() > maxFile {
		t.Errorf("%v, %v", info.Size(), err)
	}
	if got := open(t, file); got.Get() != other() {
		t.Error("the file cannot be read again")
	}
}

// A damaged file's backup may be older than the last "no".
func TestBackupAsksAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "settings.json")
	s := open(t, file)
	a := other()
	if err := s.Commit(a); err != nil {
		t.Fatal(err)
	}
	a.Consent = WatchOnly
	if err := s.Commit(a); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := open(t, file)
	a.Consent = Unasked
	if got.Get() != a || !got.Found().Backup {
		t.Errorf("%+v, %+v", got.Get(), got.Found())
	}
}

func TestOtherVersions(t *testing.T) {
	file := write(t, `{"version": 7, "share": "on", "volume": 12, "newer": {"a": [1, 2]}, "week": "always"}`)
	s := open(t, file)
	want := Default()
	want.Volume = 12
	if s.Get() != want || !s.Found().Newer || !slices.Equal(s.Found().Reset, []string{"week"}) {
		t.Errorf("%+v, %+v", s.Get(), s.Found())
	}
	if err := s.Commit(s.Get()); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(b), `"newer": {"a":[1,2]}`) || !strings.Contains(string(b), `"version": 1`) {
		t.Errorf("%s, %v", b, err)
	}
}

func TestValidateIsALineEach(t *testing.T) {
	s := Default()
	s.Volume, s.Theme, s.Bind = 101, "x\ny", "a\nb"
	s.Window.Width = -1
	want := "bind: want an IP address of this machine, or nothing\n" +
		"theme: want one of \"system\", \"light\", \"dark\", \"contrast\"\n" +
		"volume: want 0 to 100\n" +
		"window: sides: want 200 to 16384"
	if err := s.Validate(); err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
	store := open(t, filepath.Join(t.TempDir(), "s.json"))
	if err := store.Commit(s); err == nil || errors.Is(err, ErrNotSaved) {
		t.Errorf("commit: %v", err)
	}
	if store.Get() != Default() {
		t.Error("refused settings are in force")
	}
}

func TestSubscribe(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "s.json"))
	var heard []string
	cancel := s.Subscribe(func(old, new Settings) {
		if s.Get() != new {
			t.Error("told before it is in force")
		}
		heard = append(heard, fmt.Sprint(old.Volume, "→", new.Volume))
	})
	for _, v := range []int{10, 10, 20} {
		next := s.Get()
		next.Volume = v
		if err := s.Commit(next); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := s.Commit(other()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"80→10", "10→20"}; !slices.Equal(heard, want) {
		t.Errorf("heard %q, want %q", heard, want)
	}
}

// Commits from many goroutines are told in one order, without a gap.
func TestSubscribeInOrder(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "s.json"))
	last, told := Default(), 0
	s.Subscribe(func(old, new Settings) {
		if old != last {
			t.Errorf("old has volume %d, told last was %d", old.Volume, last.Volume)
		}
		last = new
		told++
	})
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for i := range 10 {
				next := Default()
				next.Volume, next.Port = i, 1000+g
				if err := s.Commit(next); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if s.Get() != last || told < 10 {
		t.Errorf("told %d times, last %+v", told, last)
	}
}

// A lower cap must hold even if it cannot be remembered.
func TestCommitOnFullDisk(t *testing.T) {
	folder := t.TempDir()
	s := open(t, filepath.Join(folder, "deep", "s.json"))
	if err := os.WriteFile(filepath.Join(folder, "deep"), nil, 0o600); err != nil { // no folder can be made
		t.Fatal(err)
	}
	told := budget.Rate(-2)
	s.Subscribe(func(_, new Settings) { told = new.Upload })
	next := Default()
	next.Upload = 0
	if err := s.Commit(next); !errors.Is(err, ErrNotSaved) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
	if s.Get().Upload != 0 || told != 0 {
		t.Errorf("in force: %v, told: %v", s.Get().Upload, told)
	}
	if err := os.Remove(filepath.Join(folder, "deep")); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(next); err != nil { // the same again: it is not saved yet
		t.Fatal(err)
	}
	if open(t, filepath.Join(folder, "deep", "s.json")).Get() != next {
		t.Error("it is not saved")
	}
}

func FuzzDecode(f *testing.F) {
	b, err := encode(other(), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"week":["2"],"window":{"width":1e9},"x":[[[]]]}`))
	f.Add([]byte(`{"version":99,"share":"on","latency":"1e5h"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > maxFile {
			return
		}
		d, err := decode(b)
		if err != nil {
			return
		}
		if err := d.settings.Validate(); err != nil {
			t.Fatalf("invalid settings were read: %v", err)
		}
		again, err := encode(d.settings, d.unknown)
		if err != nil || len(again) > maxFile {
			t.Fatalf("%d bytes, %v", len(again), err)
		}
		if d2, err := decode(again); err != nil || d2.settings != d.settings || len(d2.reset) > 0 {
			t.Fatalf("%+v → %+v, %v", d.settings, d2.settings, err)
		}
	})
}
