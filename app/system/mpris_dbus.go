//go:build unix && !darwin

package system

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/introspect"
	"github.com/godbus/dbus/v5/prop"
)

// MPRIS 2.2, https://specifications.freedesktop.org/mpris-spec/2.2/
const (
	mprisName   = "org.mpris.MediaPlayer2.coral"
	mprisPath   = "/org/mpris/MediaPlayer2"
	mprisRoot   = "org.mpris.MediaPlayer2"
	mprisPlayer = "org.mpris.MediaPlayer2.Player"
	mprisTracks = "/org/coral/item/" // the specification reserves paths below its own
	noTrack     = "/org/mpris/MediaPlayer2/TrackList/NoTrack"
	properties  = "org.freedesktop.DBus.Properties"

	// minRate and maxRate are the player's.
	minRate, maxRate = 0.25, 4.0
	// maxURI bounds what is opened; links are shorter.
	maxURI = 64 << 10
	// mprisPeriod is at most how often changes are announced; the app draws as often.
	mprisPeriod = 100 * time.Millisecond
)

var (
	errBusy     = dbus.NewError("org.mpris.MediaPlayer2.coral.Busy", []any{"too many commands wait"})
	errReadOnly = dbus.NewError("org.freedesktop.DBus.Error.PropertyReadOnly", []any{"cannot be set"})
	errProperty = dbus.NewError("org.freedesktop.DBus.Error.UnknownProperty", []any{"no such property"})
	errValue    = dbus.NewError("org.freedesktop.DBus.Error.InvalidArgs", []any{"wrong type or value"})
	errWho      = dbus.NewError("org.freedesktop.DBus.Error.UnknownInterface", []any{"no such interface"})
)

func (m *MPRIS) run(ctx context.Context) error { return m.serve(ctx, sessionBus()) }

func (m *MPRIS) serve(ctx context.Context, bus string) error {
	c, err := connect(ctx, bus)
	if err != nil {
		return fmt.Errorf("offer media controls: %w", err)
	}
	defer c.Close()
	if err := m.export(c); err != nil {
		return fmt.Errorf("offer media controls: %w", err)
	}
	shown, _ := m.state(true)
	root, player := rootProperties(shown), playerProperties(shown)
	r, err := c.RequestName(mprisName, dbus.NameFlagDoNotQueue)
	if err == nil && r != dbus.RequestNameReplyPrimaryOwner {
		// Another user's folder, or a copy with its own: the specification's way.
		r, err = c.RequestName(fmt.Sprintf("%s.instance%d", mprisName, os.Getpid()), dbus.NameFlagDoNotQueue)
	}
	if err != nil {
		return fmt.Errorf("offer media controls: %w", err)
	}
	if r != dbus.RequestNameReplyPrimaryOwner {
		return errors.New("offer media controls: the name is taken")
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.Context().Done():
			return errors.New("offer media controls: the bus ended")
		case <-m.changed:
		}
		now, jump := m.state(true)
		root, player = announce(c, mprisRoot, root, rootProperties(now)), announce(c, mprisPlayer, player, playerProperties(now))
		if jump >= 0 {
			_ = c.Emit(mprisPath, mprisPlayer+".Seeked", jump.Microseconds())
		}
		if !pause(ctx, mprisPeriod) {
			return nil
		}
	}
}

// state returns what plays, where it is by now, and since the last call with
// take, the last jump or -1.
func (m *MPRIS) state(take bool) (p Playback, jump time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, jump = m.now, m.jumps
	p.Position = m.positionLocked()
	if take {
		m.jumps = -1
	}
	return p, jump
}

// announce emits what differs and returns now. Position never is announced: the
// desktop counts on by itself and is told of jumps.
func announce(c *dbus.Conn, iface string, before, now map[string]dbus.Variant) map[string]dbus.Variant {
	diff := maps.Clone(now)
	maps.DeleteFunc(diff, func(k string, v dbus.Variant) bool { return k == "Position" || reflect.DeepEqual(v, before[k]) })
	if len(diff) > 0 {
		_ = c.Emit(mprisPath, properties+".PropertiesChanged", iface, diff, []string{})
	}
	return now
}

func rootProperties(p Playback) map[string]dbus.Variant {
	return variants(map[string]any{
		"CanQuit": true, "CanRaise": true, "HasTrackList": false, "CanSetFullscreen": true, "Fullscreen": p.FullScreen,
		"Identity": "Coral", "DesktopEntry": "coral",
		"SupportedUriSchemes": []string{"coral", "magnet", "http", "https"}, "SupportedMimeTypes": []string{"application/vnd.apple.mpegurl", "application/x-bittorrent"},
	})
}

func playerProperties(p Playback) map[string]dbus.Variant {
	loaded := p.Status != Stopped
	data := map[string]dbus.Variant{"mpris:trackid": dbus.MakeVariant(trackID(p))}
	if loaded {
		data["xesam:title"] = dbus.MakeVariant(strings.ToValidUTF8(p.Channel, "�"))
		if p.Poster != "" {
			data["mpris:artUrl"] = dbus.MakeVariant(strings.ToValidUTF8(p.Poster, ""))
		}
		if !p.Live && p.Length > 0 {
			data["mpris:length"] = dbus.MakeVariant(p.Length.Microseconds())
		}
	}
	status := p.Status
	if status != Playing && status != Paused {
		status = Stopped
	}
	return variants(map[string]any{
		"PlaybackStatus": string(status), "Rate": p.Rate, "MinimumRate": minRate, "MaximumRate": maxRate,
		"Volume": float64(p.Volume) / 100, "Position": p.Position.Microseconds(), "Metadata": data,
		// Desktops hide a player that cannot play.
		"CanPlay": loaded, "CanPause": loaded, "CanSeek": loaded && p.Seekable, "CanGoNext": p.Zap, "CanGoPrevious": p.Zap, "CanControl": true,
	})
}

func variants(m map[string]any) map[string]dbus.Variant {
	v := make(map[string]dbus.Variant, len(m))
	for k, x := range m {
		v[k] = dbus.MakeVariant(x)
	}
	return v
}

// trackID tells items apart and nothing of what they are.
func trackID(p Playback) dbus.ObjectPath {
	if p.Status == Stopped {
		return noTrack
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(p.Item))
	return dbus.ObjectPath(mprisTracks + hex.EncodeToString(h.Sum(nil)))
}

// give passes a command on, if the app can take it.
func (m *MPRIS) give(c Command) *dbus.Error {
	select {
	case m.commands <- c:
		return nil
	default:
		return errBusy
	}
}

func (m *MPRIS) export(c *dbus.Conn) error {
	root := map[string]any{
		"Raise": func() *dbus.Error { return m.give(Raise{}) },
		"Quit":  func() *dbus.Error { return m.give(Quit{}) },
	}
	player := map[string]any{
		"Play":      func() *dbus.Error { return m.give(Play{}) },
		"Pause":     func() *dbus.Error { return m.give(Pause{}) },
		"PlayPause": func() *dbus.Error { return m.give(PlayPause{}) },
		"Stop":      func() *dbus.Error { return m.give(Stop{}) },
		"Next":      func() *dbus.Error { return m.give(Next{}) },
		"Previous":  func() *dbus.Error { return m.give(Previous{}) },
		"Seek":      func(by int64) *dbus.Error { return m.give(Seek{micro(by)}) },
		"SetPosition": func(track dbus.ObjectPath, to int64) *dbus.Error {
			// For a past item it comes too late, and is dropped as the specification says.
			if p, _ := m.state(false); to < 0 || track != trackID(p) || !p.Live && p.Length > 0 && micro(to) > p.Length {
				return nil
			}
			return m.give(SetPosition{micro(to)})
		},
		"OpenUri": func(uri string) *dbus.Error {
			if uri == "" || len(uri) > maxURI {
				return errValue
			}
			return m.give(OpenURI{uri})
		},
	}
	props := map[string]any{"Get": m.get, "GetAll": m.getAll, "Set": m.set}
	for iface, methods := range map[string]map[string]any{mprisRoot: root, mprisPlayer: player, properties: props} {
		if err := c.ExportMethodTable(methods, mprisPath, iface); err != nil {
			return err
		}
	}
	return c.Export(introspect.NewIntrospectable(mprisInterfaces()), mprisPath, "org.freedesktop.DBus.Introspectable")
}

// micro converts microseconds that may be anything.
func micro(n int64) time.Duration {
	return time.Duration(min(max(n, math.MinInt64/1000), math.MaxInt64/1000)) * time.Microsecond
}

func (m *MPRIS) getAll(iface string) (map[string]dbus.Variant, *dbus.Error) {
	p, _ := m.state(false)
	switch iface {
	case mprisRoot:
		return rootProperties(p), nil
	case mprisPlayer:
		return playerProperties(p), nil
	}
	return nil, errWho
}

func (m *MPRIS) get(iface, name string) (dbus.Variant, *dbus.Error) {
	all, err := m.getAll(iface)
	if err != nil {
		return dbus.Variant{}, err
	}
	v, ok := all[name]
	if !ok {
		return v, errProperty
	}
	return v, nil
}

func (m *MPRIS) set(iface, name string, v dbus.Variant) *dbus.Error {
	if _, err := m.get(iface, name); err != nil {
		return err
	}
	switch x := v.Value().(type) {
	case float64:
		switch {
		case math.IsNaN(x):
		case name == "Volume": // beyond the ends counts as the end
			return m.give(SetVolume{int(math.Round(100 * min(max(x, 0), 1)))})
		case name == "Rate" && x == 0: // as the specification wants it
			return m.give(Pause{})
		case name == "Rate" && x >= minRate && x <= maxRate:
			return m.give(SetRate{x})
		}
	case bool:
		if name == "Fullscreen" {
			return m.give(SetFullScreen{x})
		}
	}
	if name == "Volume" || name == "Rate" || name == "Fullscreen" {
		return errValue
	}
	return errReadOnly
}

// mprisInterfaces are for programs that look before they call.
func mprisInterfaces() *introspect.Node {
	in := func(name string, args ...string) introspect.Method {
		m := introspect.Method{Name: name}
		for i := 0; i+1 < len(args); i += 2 {
			m.Args = append(m.Args, introspect.Arg{Name: args[i], Type: args[i+1], Direction: "in"})
		}
		return m
	}
	props := func(m map[string]dbus.Variant, writable ...string) (list []introspect.Property) {
		for name, v := range m {
			access := "read"
			for _, w := range writable {
				if w == name {
					access = "readwrite"
				}
			}
			list = append(list, introspect.Property{Name: name, Type: v.Signature().String(), Access: access})
		}
		return list
	}
	return &introspect.Node{Name: mprisPath, Interfaces: []introspect.Interface{
		introspect.IntrospectData, prop.IntrospectData,
		{Name: mprisRoot, Methods: []introspect.Method{in("Raise"), in("Quit")}, Properties: props(rootProperties(Playback{}), "Fullscreen")},
		{
			Name: mprisPlayer,
			Methods: []introspect.Method{
				in("Next"), in("Previous"), in("Pause"), in("PlayPause"), in("Stop"), in("Play"),
				in("Seek", "Offset", "x"), in("SetPosition", "TrackId", "o", "Position", "x"), in("OpenUri", "Uri", "s"),
			},
			Signals:    []introspect.Signal{{Name: "Seeked", Args: []introspect.Arg{{Name: "Position", Type: "x"}}}},
			Properties: props(playerProperties(Playback{}), "Rate", "Volume"),
		},
	}}
}
