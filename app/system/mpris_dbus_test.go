//go:build unix && !darwin

package system

import (
	"context"
	"fmt"
	"math"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// desktop is another program that controls m over a real bus.
type desktop struct {
	t       *testing.T
	m       *MPRIS
	bus     string
	conn    *dbus.Conn
	player  dbus.BusObject
	signals chan *dbus.Signal
}

func newDesktop(t *testing.T) *desktop {
	d := &desktop{t: t, m: NewMPRIS(), bus: privateBus(t), signals: make(chan *dbus.Signal, 64)}
	d.conn = onBus(t, d.bus)
	for _, o := range [][]dbus.MatchOption{
		{dbus.WithMatchObjectPath(mprisPath)},
		{dbus.WithMatchInterface("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, mprisName)},
	} {
		if err := d.conn.AddMatchSignal(o...); err != nil {
			t.Fatal(err)
		}
	}
	d.conn.Signal(d.signals)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.m.serve(ctx, d.bus) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	d.signal("NameOwnerChanged")
	d.player = d.conn.Object(mprisName, mprisPath)
	return d
}

// signal waits for the next one named so.
func (d *desktop) signal(name string) *dbus.Signal {
	d.t.Helper()
	late := time.After(10 * time.Second)
	for {
		select {
		case s := <-d.signals:
			if strings.HasSuffix(s.Name, "."+name) {
				return s
			}
		case <-late:
			d.t.Fatalf("no %s", name)
		}
	}
}

func (d *desktop) expect(c Command) {
	d.t.Helper()
	select {
	case got := <-d.m.Commands():
		if got != c {
			d.t.Errorf("command %#v, want %#v", got, c)
		}
	case <-time.After(10 * time.Second):
		d.t.Fatalf("no command, want %#v", c)
	}
}

func (d *desktop) call(method string, args ...any) error {
	if !strings.Contains(method, ".") {
		method = mprisPlayer + "." + method
	}
	return d.player.Call(method, 0, args...).Err
}

func (d *desktop) get(name string) any {
	d.t.Helper()
	v, err := d.player.GetProperty(mprisPlayer + "." + name)
	if err != nil {
		d.t.Fatal(err)
	}
	return v.Value()
}

func TestMPRISCommands(t *testing.T) {
	d := newDesktop(t)
	d.m.Set(Playback{Status: Paused, Item: "a", Length: time.Hour, Rate: 1})
	id := trackID(Playback{Status: Paused, Item: "a"})
	for _, c := range []struct {
		method string
		args   []any
		want   Command
	}{
		{"Play", nil, Play{}},
		{"Pause", nil, Pause{}},
		{"PlayPause", nil, PlayPause{}},
		{"Stop", nil, Stop{}},
		{"Next", nil, Next{}},
		{"Previous", nil, Previous{}},
		{"Seek", []any{int64(-5_000_000)}, Seek{-5 * time.Second}},
		{"Seek", []any{int64(math.MaxInt64)}, Seek{math.MaxInt64 / 1000 * time.Microsecond}},
		{"SetPosition", []any{dbus.ObjectPath("/other"), int64(1)}, nil},
		{"SetPosition", []any{id, int64(-1)}, nil},
		{"SetPosition", []any{id, int64(3601e6)}, nil},
		{"SetPosition", []any{id, int64(61e6)}, SetPosition{61 * time.Second}},
		{"OpenUri", []any{"coral:?xt=1"}, OpenURI{"coral:?xt=1"}},
		{mprisRoot + ".Raise", nil, Raise{}},
		{mprisRoot + ".Quit", nil, Quit{}},
	} {
		if err := d.call(c.method, c.args...); err != nil {
			t.Errorf("%s: %v", c.method, err)
		}
		if c.want != nil {
			d.expect(c.want)
		}
	}
	for name, c := range map[string]struct {
		value any
		want  Command
	}{
		mprisPlayer + ".Volume":   {0.424, SetVolume{42}},
		mprisPlayer + ".Rate":     {1.5, SetRate{1.5}},
		mprisRoot + ".Fullscreen": {true, SetFullScreen{true}},
	} {
		if err := d.player.SetProperty(name, dbus.MakeVariant(c.value)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		d.expect(c.want)
	}
	if err := d.player.SetProperty(mprisPlayer+".Rate", dbus.MakeVariant(0.0)); err != nil {
		t.Error(err)
	}
	d.expect(Pause{})
	if err := d.player.SetProperty(mprisPlayer+".Volume", dbus.MakeVariant(1e300)); err != nil {
		t.Error(err)
	}
	d.expect(SetVolume{100})
}

func TestMPRISRefuses(t *testing.T) {
	d := newDesktop(t)
	for name, value := range map[string]any{
		mprisPlayer + ".Volume": "loud", mprisPlayer + ".Rate": math.NaN(), mprisPlayer + ".Metadata": 1.0, mprisPlayer + ".None": 1.0,
		mprisRoot + ".Identity": "x", mprisRoot + ".Fullscreen": 1.0, "org.other.Volume": 1.0, mprisRoot + ".Volume": 1.0, mprisRoot + ".Rate": 0.0,
	} {
		if err := d.player.SetProperty(name, dbus.MakeVariant(value)); err == nil {
			t.Errorf("%s was set to %v", name, value)
		}
	}
	if d.call("OpenUri", "") == nil || d.call("OpenUri", strings.Repeat("x", maxURI+1)) == nil || d.call("Nothing") == nil {
		t.Error("nonsense was taken")
	}
	for range maxCommands {
		if err := d.call("Play"); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.call("Play"); err == nil {
		t.Error("more commands than fit")
	}
	for range maxCommands {
		d.expect(Play{})
	}
	select {
	case c := <-d.m.Commands():
		t.Errorf("%#v", c)
	default:
	}
}

// changed merges announcements until one has key.
func (d *desktop) changed(key string) map[string]dbus.Variant {
	d.t.Helper()
	all := map[string]dbus.Variant{}
	for {
		s := d.signal("PropertiesChanged")
		for k, v := range s.Body[1].(map[string]dbus.Variant) {
			all[k] = v
		}
		if _, ok := all[key]; ok {
			return all
		}
	}
}

func TestMPRISProperties(t *testing.T) {
	d := newDesktop(t)
	if got := d.get("PlaybackStatus"); got != "Stopped" {
		t.Error(got)
	}
	if d.get("CanPlay") != false {
		t.Error("can play with nothing loaded")
	}
	p := Playback{Status: Playing, Channel: "The Race", Item: "1", Live: true, Position: 90 * time.Second, Length: time.Hour, Seekable: true, Rate: 1, Volume: 80}
	d.m.Set(p)
	c := d.changed("PlaybackStatus")
	if fmt.Sprint(c["PlaybackStatus"].Value(), c["CanPlay"].Value(), c["CanSeek"].Value(), c["Volume"].Value()) != "Playingtrue true 0.8" {
		t.Errorf("announced %v", c)
	}
	if _, ok := c["Position"]; ok {
		t.Error("Position was announced")
	}
	if _, ok := c["CanGoNext"]; ok {
		t.Error("what did not change was announced")
	}
	data := c["Metadata"].Value().(map[string]dbus.Variant)
	if _, ok := data["mpris:length"]; ok || data["xesam:title"].Value() != "The Race" || data["mpris:trackid"].Value() != trackID(p) {
		t.Errorf("metadata %v", data)
	}
	// The desktop may ask at any time, and hears where the picture is by then.
	if at := d.get("Position").(int64); at < 90e6 || at > 100e6 {
		t.Errorf("position %d", at)
	}
	still := NewMPRIS() // while the picture waits it does not count on
	still.Set(Playback{Status: Playing, Waiting: true, Live: true, Position: time.Second, Rate: 1})
	still.at = still.at.Add(-time.Minute)
	if at := still.positionLocked(); at != time.Second {
		t.Errorf("waiting, it is at %v", at)
	}
	// A jump is told, playing on is not.
	p.Position += 20 * time.Millisecond
	d.m.Set(p)
	p.Position = 20 * time.Second
	d.m.Set(p)
	if s := d.signal("Seeked"); s.Body[0] != int64(20e6) {
		t.Errorf("seeked %v", s.Body)
	}
	p.Item, p.Channel, p.Live, p.Position, p.Status, p.FullScreen = "2", "Bad \xff name", false, 0, Paused, true
	d.m.Set(p)
	c = d.changed("Metadata")
	data = c["Metadata"].Value().(map[string]dbus.Variant)
	if data["mpris:length"].Value() != int64(3600e6) || data["xesam:title"].Value() != "Bad � name" {
		t.Errorf("metadata %v", data)
	}
	v, err := d.player.GetProperty(mprisRoot + ".Fullscreen")
	if err != nil || v.Value() != true {
		t.Error(v, err)
	}
	var all map[string]dbus.Variant
	if err := d.player.Call(properties+".GetAll", 0, mprisPlayer).Store(&all); err != nil || len(all) != 13 {
		t.Error(len(all), err)
	}
}

func TestMPRISSecond(t *testing.T) {
	d := newDesktop(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- NewMPRIS().serve(ctx, d.bus) }()
	defer func() { cancel(); <-done }()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		var names []string
		if err := d.conn.BusObject().Call("org.freedesktop.DBus.ListNames", 0).Store(&names); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(strings.Join(names, " "), mprisName+".instance") {
			return
		}
		if time.Now().After(end) {
			t.Fatal(names)
		}
	}
}

func TestMPRISBusEnds(t *testing.T) {
	bus, stop := stoppableBus(t)
	done := make(chan error, 1)
	m := NewMPRIS()
	go func() { done <- m.serve(t.Context(), bus) }()
	c := onBus(t, bus)
	for c.Object(mprisName, mprisPath).Call("org.freedesktop.DBus.Peer.Ping", dbus.FlagNoAutoStart).Err != nil {
		time.Sleep(time.Millisecond)
	}
	stop()
	if err := <-done; err == nil || !strings.Contains(err.Error(), "bus ended") {
		t.Error(err)
	}
	if err := m.serve(t.Context(), ""); err == nil {
		t.Error("served without a bus")
	}
}

// What GNOME's own tool makes of it.
func TestMPRISIntrospection(t *testing.T) {
	d := newDesktop(t)
	gdbus, err := exec.LookPath("gdbus")
	if err != nil {
		t.Skip("gdbus is not installed")
	}
	cmd := exec.Command(gdbus, "introspect", "--address", d.bus, "--dest", mprisName, "--object-path", mprisPath)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, want := range []string{"PlayPause();", "SetPosition(in  o TrackId,", "readwrite d Volume = 1.0;", "readonly s PlaybackStatus = 'Stopped';", "Seeked(x Position);", "readwrite b Fullscreen = false;"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%s is missing in\n%s", want, out)
		}
	}
}
