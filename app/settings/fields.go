package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"path/filepath"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"coral/node/budget"
)

// field is one setting: how it is written, read and checked.
type field struct {
	key   string
	guard bool // limits or hides sharing: see package comment
	write func(*Settings) (json.RawMessage, error)
	read  func(*Settings, json.RawMessage) error // changes nothing if there is an error
	check func(*Settings) error
}

// fields are all settings, in the file's order.
var fields = []field{
	value("share", func(s *Settings) *Consent { return &s.Consent }, oneOf(Unasked, Share, WatchOnly)),
	guard(value("upload-limit", func(s *Settings) *budget.Rate { return &s.Upload }, rate)),
	guard(value("gentle-limit", func(s *Settings) *budget.Rate { return &s.Gentle }, rate)),
	guard(value("download-limit", func(s *Settings) *budget.Rate { return &s.Down }, rate)),
	guard(text("monthly-limit", func(s *Settings) *budget.Size { return &s.Monthly }, formatLimit, parseLimit, monthly)),
	guard(value("share-on-metered", func(s *Settings) *bool { return &s.Metered }, anything)),
	guard(value("share-on-battery", func(s *Settings) *bool { return &s.Battery }, anything)),
	guard(value("week", func(s *Settings) *Week { return &s.Week }, week)),

	value("background", func(s *Settings) *Background { return &s.Background },
		oneOf(BackgroundOff, BackgroundTime, BackgroundRatio, BackgroundAlways)),
	text("background-for", func(s *Settings) *time.Duration { return &s.StopAfter }, time.Duration.String, time.ParseDuration,
		between(minStopAfter, maxStopAfter)),
	value("background-ratio", func(s *Settings) *float64 { return &s.StopRatio }, between(minStopRatio, maxStopRatio)),
	value("on-close", func(s *Settings) *OnClose { return &s.OnClose }, oneOf(CloseAsk, CloseQuit, CloseTray)),

	guard(value("bind", func(s *Settings) *string { return &s.Bind }, bind)),
	value("port", func(s *Settings) *int { return &s.Port }, between(0, math.MaxUint16)),
	value("upnp", func(s *Settings) *bool { return &s.MapPort }, anything),
	guard(value("dht", func(s *Settings) *bool { return &s.DHT }, anything)),
	guard(value("blocklist", func(s *Settings) *string { return &s.Blocklist }, path)),

	value("cache-dir", func(s *Settings) *string { return &s.CacheDir }, path),
	value("cache-size", func(s *Settings) *budget.Size { return &s.CacheSize }, between(MinCache, maxAmount)),

	value("theme", func(s *Settings) *Theme { return &s.Theme }, oneOf(ThemeSystem, ThemeLight, ThemeDark, ThemeContrast)),
	value("scale", func(s *Settings) *float64 { return &s.Scale }, zeroOr(between[float64](minScale, maxScale))),
	value("language", func(s *Settings) *string { return &s.Language }, language),

	value("hardware-decoding", func(s *Settings) *bool { return &s.Hardware }, anything),
	value("max-height", func(s *Settings) *int { return &s.MaxHeight }, zeroOr(between(minHeight, maxHeight))),
	text("latency", func(s *Settings) *time.Duration { return &s.Latency }, time.Duration.String, time.ParseDuration,
		between(0, maxLatency)),
	value("volume", func(s *Settings) *int { return &s.Volume }, between(0, maxVolume)),
	value("muted", func(s *Settings) *bool { return &s.Muted }, anything),
	value("captions", func(s *Settings) *string { return &s.Captions }, language),

	value("window", func(s *Settings) *Window { return &s.Window }, window),
}

// value is a field that is written as encoding/json does.
func value[T any](key string, at func(*Settings) *T, check func(T) error) field {
	same := func(v T) T { return v }
	return coded(key, at, same, func(v T) (T, error) { return v, nil }, check)
}

// text is a field that is written as a text of its own.
func text[T any](key string, at func(*Settings) *T, format func(T) string, parse func(string) (T, error), check func(T) error) field {
	return coded(key, at, format, parse, check)
}

// coded is a field T that is written as a W.
func coded[T, W any](key string, at func(*Settings) *T, format func(T) W, parse func(W) (T, error), check func(T) error) field {
	return field{
		key:   key,
		write: func(s *Settings) (json.RawMessage, error) { return json.Marshal(format(*at(s))) },
		read: func(s *Settings, b json.RawMessage) error {
			if bytes.Equal(b, []byte("null")) { // which json takes for anything
				return errors.New("no value")
			}
			var w W
			if err := json.Unmarshal(b, &w); err != nil {
				return err
			}
			v, err := parse(w)
			if err == nil {
				err = check(v)
			}
			if err == nil {
				*at(s) = v
			}
			return err
		},
		check: func(s *Settings) error { return check(*at(s)) },
	}
}

func guard(f field) field {
	f.guard = true
	return f
}

// Validate reports everything that cannot be: a line each, in the file's order.
func (s Settings) Validate() error {
	var errs []error
	for _, f := range fields {
		if err := f.check(&s); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", f.key, err))
		}
	}
	return errors.Join(errs...)
}

func anything(bool) error { return nil }

func oneOf[T ~string](allowed ...T) func(T) error {
	return func(v T) error {
		names := make([]string, len(allowed))
		for i, a := range allowed {
			if v == a {
				return nil
			}
			names[i] = fmt.Sprintf("%q", string(a))
		}
		return fmt.Errorf("want one of %s", strings.Join(names, ", "))
	}
}

// between also refuses what is not a number: no comparison with it holds.
func between[T ~int | ~int64 | ~float32 | ~float64](least, most T) func(T) error {
	return func(v T) error {
		if !(v >= least && v <= most) {
			return fmt.Errorf("want %v to %v", least, most)
		}
		return nil
	}
}

func zeroOr[T ~int | ~float64](check func(T) error) func(T) error {
	return func(v T) error {
		if v == 0 {
			return nil
		}
		if err := check(v); err != nil {
			return fmt.Errorf("%w, or 0", err)
		}
		return nil
	}
}

func rate(r budget.Rate) error {
	if r != budget.Unlimited && (r < 0 || r > maxRate) {
		return fmt.Errorf("want 0 to %v, or unlimited", maxRate)
	}
	return nil
}

func monthly(n budget.Size) error {
	if n != NoLimit && (n < 0 || n > maxAmount) {
		return fmt.Errorf("want 0 to %v, or unlimited", maxAmount)
	}
	return nil
}

// unlimited is NoLimit in the file, as it is budget.Unlimited.
const unlimited = "unlimited"

func formatLimit(n budget.Size) string {
	if n == NoLimit {
		return unlimited
	}
	return n.String()
}

func parseLimit(s string) (budget.Size, error) {
	if s == unlimited {
		return NoLimit, nil
	}
	return budget.ParseSize(s)
}

// bind takes the address of one interface. An address that stands for all or
// many of them is not what who binds wants.
func bind(s string) error {
	if s == "" {
		return nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.IsUnspecified() || a.IsMulticast() {
		return errors.New("want an IP address of this machine, or nothing")
	}
	return nil
}

func path(s string) error {
	switch {
	case s == "":
		return nil
	case len(s) > maxPath:
		return fmt.Errorf("longer than %d bytes", maxPath)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		return errors.New("holds characters that cannot be shown")
	case !filepath.IsAbs(s):
		return errors.New("want the whole path")
	}
	return nil
}

// language takes the shape of a language tag; which ones there are is for those
// to know who have the translations and the subtitles.
func language(s string) error {
	if len(s) > maxTag {
		return fmt.Errorf("longer than %d letters", maxTag)
	}
	for _, c := range s {
		if c != '-' && !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
			return errors.New("want a language tag: en, de, pt-BR")
		}
	}
	return nil
}

func window(w Window) error {
	side := between[float32](minWindow, maxWindow)
	if err := errors.Join(side(w.Width), side(w.Height)); err != nil {
		return fmt.Errorf("sides: want %v to %v", minWindow, maxWindow)
	}
	return nil
}
