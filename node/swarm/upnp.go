package swarm

import (
	"log/slog"
	"time"

	alog "github.com/anacrolix/log"
	"github.com/anacrolix/upnp"
)

const (
	// upnpWithin is how long routers have to answer the search.
	upnpWithin = 2 * time.Second
	// upnpLease is what is asked for, so that a router forgets a crashed node;
	// it is renewed at half time.
	upnpLease = time.Hour
)

// forwardPort asks the router to forward our port, until the Client closes. It
// is best effort: nothing depends on it but that strangers can dial us.
func (c *Client) forwardPort() {
	port := int(c.Addr().Port())
	protocols := []upnp.Protocol{upnp.TCP, upnp.UDP}
	devices := upnp.Discover(0, upnpWithin, quietLog())
	for {
		for _, d := range devices {
			for _, p := range protocols {
				if _, err := d.AddPortMapping(p, port, port, "Coral", upnpLease); err != nil {
					c.log.Debug("router does not forward the port", "err", err)
				} else {
					c.reach.mapped.Store(true)
				}
			}
		}
		select {
		case <-time.After(upnpLease / 2):
		case <-c.ctx.Done():
			for _, d := range devices {
				for _, p := range protocols {
					_ = d.DeletePortMapping(p, port)
				}
			}
			return
		}
	}
}

// quietLog drops all: these libraries' logs have nothing a user could act on.
func quietLog() alog.Logger {
	l := alog.NewLogger()
	l.SetHandlers(alog.SlogHandlerAsHandler{SlogHandler: slog.DiscardHandler})
	return l
}
