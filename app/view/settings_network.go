package view

import (
	"slices"
	"strconv"
	"strings"

	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"

	"coral/app/settings"
)

// networkSection is how this machine meets others.
type networkSection struct {
	bind      *picker[string]
	port      *field
	portRow   *settingRow
	mapPort   *toggle
	dht       *toggle
	blocklist *field
	blockRow  *settingRow
	reach     *note
	advice    *note
}

func newNetworkSection(p *settingsPage) *section {
	s := &networkSection{reach: newHeading("", theme.SizeNameText), advice: newHint("")}
	s.bind = newPicker(nil, nil, func(v string) { p.edit(func(x *settings.Settings) { x.Bind = v }) })
	s.mapPort = newToggle(func(on bool) { p.edit(func(x *settings.Settings) { x.MapPort = on }) })
	s.dht = newToggle(func(on bool) { p.edit(func(x *settings.Settings) { x.DHT = on }) })
	s.buildPort(p)
	s.buildBlocklist(p)
	root := newSectionBody(lang.L("Network"),
		newGroup("", newStatus(s.reach, s.advice)),
		newGroup("",
			newRow(lang.L("Network interface"), lang.L("Peers are met through this one only: a VPN's, for instance. While it is away, nothing is shared."), least(200, 0, s.bind.widget)),
			s.portRow,
			newRow(lang.L("Open the port in the router"), lang.L("Asks the router by UPnP, so that others can connect to you."), s.mapPort),
			newRow(lang.L("Find viewers through the DHT"), lang.L("A public directory without a server. Channels whose link names a tracker work without it, too."), s.dht)),
		newGroup("", s.blockRow),
	)
	return &section{title: lang.L("Network"), icon: theme.ComputerIcon(), root: root, show: s.show}
}

func newStatus(title, text *note) *settingRow {
	r := newTallRow("", "", newColumn(-8, title, text))
	r.Objects[0].Hide()
	return r
}

func (s *networkSection) buildPort(p *settingsPage) {
	s.port = newField(lang.L("any"))
	s.portRow = newRow(lang.L("Port"), lang.L("TCP and UDP. A fixed one is needed to open it in a router by hand."), least(100, 0, s.port))
	commit := func() {
		n, ok := parsePort(strings.TrimSpace(s.port.Text))
		if !ok {
			s.portRow.wrong.say(lang.L("Write a number from 1 to 65535, or nothing for any port."))
			return
		}
		s.portRow.wrong.say("")
		p.edit(func(x *settings.Settings) { x.Port = n })
	}
	s.port.OnSubmitted = func(string) { commit() }
	s.port.onBlur = commit
}

func (s *networkSection) buildBlocklist(p *settingsPage) {
	s.blocklist = newFileControl(p, lang.L("none"), false, func(path string) {
		path = strings.TrimSpace(path)
		wrong := ""
		if !p.edit(func(x *settings.Settings) { x.Blocklist = path }) {
			wrong = lang.L("Write the whole path of the file, or choose it with the button.")
		}
		s.blockRow.wrong.say(wrong)
	})
	s.blockRow = newTallRow(lang.L("Blocked addresses"), lang.L("A text file with one address, prefix or range to a line. None of them is ever connected to."), inside(s.blocklist))
}

func (s *networkSection) show(m *Model, v settings.Settings) {
	addresses, names := []string{""}, []string{lang.L("As the system chooses")}
	for _, i := range m.System.Interfaces {
		addresses = append(addresses, i.Address)
		names = append(names, i.Name+" ("+i.Address+")")
	}
	if v.Bind != "" && !slices.Contains(addresses, v.Bind) {
		addresses = append(addresses, v.Bind)
		names = append(names, lang.L("{{.Address}} (not here now)", map[string]any{"Address": v.Bind}))
	}
	s.bind.offer(addresses, names)
	s.bind.show(v.Bind, v.Bind)
	if !s.portRow.wrong.Visible() {
		s.port.show(portText(v.Port))
	}
	s.mapPort.set(v.MapPort)
	s.dht.set(v.DHT)
	if !s.blockRow.wrong.Visible() {
		s.blocklist.show(v.Blocklist)
	}
	s.showReach(m, v)
}

func (s *networkSection) showReach(m *Model, v settings.Settings) {
	port := map[string]any{"Port": m.System.Port}
	switch m.System.Reachable {
	case Reachable:
		s.reach.set(lang.L("Others can connect to you."))
		s.advice.set(lang.L("Port {{.Port}} is open from outside.", port))
	case NotReachable:
		s.reach.set(lang.L("Others cannot connect to you."))
		if v.MapPort {
			s.advice.set(lang.L("You can still watch and share: Coral connects to them. If you want to help more, let port {{.Port}} through your router, TCP and UDP.", port))
		} else {
			s.advice.set(lang.L("You can still watch and share: Coral connects to them. If you want to help more, switch on “Open the port in the router”."))
		}
	default:
		s.reach.set(lang.L("Not known yet whether others can connect to you."))
		s.advice.set(lang.L("This shows a while after a shared channel was opened."))
	}
}

func portText(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
