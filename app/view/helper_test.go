package view

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/test"

	"coral/app/settings"
	"coral/assets"
)

func TestMain(m *testing.M) {
	if err := lang.AddTranslationsFS(assets.Translations(), "translations"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// intents records what the views want.
type intents struct{ all []Intent }

func (r *intents) emit(i Intent) { r.all = append(r.all, i) }

// want fails unless exactly these intents came since the last call.
func (r *intents) want(t *testing.T, want ...Intent) {
	t.Helper()
	if !slices.EqualFunc(r.all, want, func(a, b Intent) bool { return a == b }) {
		t.Fatalf("intents:\n%s\nwant:\n%s", list(r.all), list(want))
	}
	r.all = nil
}

// change returns the settings of the one Change that came since the last call.
func (r *intents) change(t *testing.T) settings.Settings {
	t.Helper()
	if len(r.all) != 1 {
		t.Fatalf("intents:\n%s\nwant one Change", list(r.all))
	}
	c, ok := r.all[0].(Change)
	if !ok {
		t.Fatalf("intent %T, want Change", r.all[0])
	}
	r.all = nil
	if err := c.Settings.Validate(); err != nil {
		t.Errorf("a change that the settings refuse: %v", err)
	}
	return c.Settings
}

func list(all []Intent) (s string) {
	for _, i := range all {
		s += fmt.Sprintf("  %T%+v\n", i, i)
	}
	return s
}

// window shows o alone at a size.
func window(t *testing.T, o fyne.CanvasObject, w, h float32) fyne.Window {
	t.Helper()
	test.NewTempApp(t)
	win := test.NewTempWindow(t, o)
	win.SetPadded(false)
	win.Resize(fyne.NewSize(w, h))
	return win
}

func press(f fyne.Focusable, keys ...fyne.KeyName) {
	for _, k := range keys {
		f.TypedKey(&fyne.KeyEvent{Name: k})
	}
}

// someSettings are valid and not the zero value anywhere that matters.
func someSettings() settings.Settings {
	s := settings.Default()
	s.Consent, s.StopAfter, s.CacheSize = settings.Share, 2*time.Hour, 5_000_000_000
	return s
}

func someChannels(n int) []Channel {
	all := make([]Channel, n)
	for i := range all {
		all[i] = Channel{ID: fmt.Sprint("id", i), Name: fmt.Sprint("Channel ", i), State: Live, Peers: i}
	}
	return all
}
