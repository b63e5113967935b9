package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"coral/node/budget"
)

// The types of flags' values. Each checks as much as can be known without
// asking the network.

// choice is on, off, or not given.
type choice uint8

const (
	unset choice = iota
	on
	off
)

var onOff = []string{"on", "off"}

func (c *choice) String() string { return [...]string{"", "on", "off"}[*c] }

func (c *choice) Set(s string) error {
	switch s {
	case "on":
		*c = on
	case "off":
		*c = off
	default:
		return errors.New("write on or off")
	}
	return nil
}

// rateValue and sizeValue are budget's types as flags.
type rateValue struct{ budget.Rate }

func (v *rateValue) Set(s string) (err error) {
	v.Rate, err = budget.ParseRate(s)
	return unquoted(err)
}

type sizeValue struct{ budget.Size }

func (v *sizeValue) Set(s string) (err error) {
	v.Size, err = budget.ParseSize(s)
	return unquoted(err)
}

// unquoted leaves out what an error says of its input, which package flag has
// said already.
func unquoted(err error) error {
	if err == nil {
		return nil
	}
	if _, why, ok := strings.Cut(err.Error(), `": `); ok {
		return errors.New(why)
	}
	return err
}

// text is any text up to a bound.
type text struct {
	s   *string
	max int
}

func (v text) String() string {
	if v.s == nil {
		return ""
	}
	return *v.s
}

func (v text) Set(s string) error {
	if s == "" {
		return errors.New("is empty")
	}
	if len(s) > v.max {
		return fmt.Errorf("is longer than %d bytes", v.max)
	}
	*v.s = s
	return nil
}

// maxPath bounds file names on the command line: PATH_MAX on Linux.
const maxPath = 4096

// hostPort is an address to listen at: HOST:PORT, [IPV6]:PORT or :PORT.
type hostPort struct {
	s *string
	// loopback: only this machine may connect.
	loopback bool
}

func (v hostPort) String() string { return text{s: v.s}.String() }

func (v hostPort) Set(s string) error {
	host, _, err := splitHostPort(s)
	if err != nil {
		return err
	}
	if v.loopback {
		if host == "" {
			return errors.New("name the address, such as 127.0.0.1:0: the proxy is for this machine only")
		}
		if !isLoopback(host) {
			return errors.New("is not an address of this machine alone, such as 127.0.0.1:0")
		}
	}
	*v.s = s
	return nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// splitHostPort checks HOST:PORT, where HOST may be empty and PORT 0.
func splitHostPort(s string) (host string, port uint16, err error) {
	host, p, err := net.SplitHostPort(s)
	if err != nil {
		return "", 0, errors.New("write HOST:PORT")
	}
	n, err := strconv.ParseUint(p, 10, 16)
	if err != nil {
		return "", 0, errors.New("the port is a number from 0 to 65535")
	}
	if len(host) > 253 || strings.ContainsAny(host, " /@?#") { // RFC 1035 names
		return "", 0, errors.New("write HOST:PORT")
	}
	return host, uint16(n), nil
}

// advertised are addresses for others: a host and a port are needed.
type advertised struct{ list *[]string }

// maxAdvertised keeps links short enough to type in and scan.
const maxAdvertised = 8

func (v advertised) String() string {
	if v.list == nil {
		return ""
	}
	return strings.Join(*v.list, ",")
}

func (v advertised) Set(s string) error {
	host, port, err := splitHostPort(s)
	if err != nil {
		return err
	}
	if host == "" || port == 0 {
		return errors.New("others need a host and a port")
	}
	if a, err := netip.ParseAddr(host); err == nil && a.IsUnspecified() {
		return errors.New("others cannot reach this address")
	}
	if len(*v.list) == maxAdvertised {
		return fmt.Errorf("at most %d can be given", maxAdvertised)
	}
	*v.list = append(*v.list, s)
	return nil
}

// address is an IP address of this machine.
type address struct{ netip.Addr }

func (v *address) String() string {
	if !v.IsValid() {
		return ""
	}
	return v.Addr.String()
}

func (v *address) Set(s string) (err error) {
	if v.Addr, err = netip.ParseAddr(s); err != nil {
		return errors.New("write an IP address")
	}
	if v.IsUnspecified() || v.IsMulticast() {
		return errors.New("is no address that packets can come from")
	}
	return nil
}

// maxURL bounds URLs on the command line.
const maxURL = 2048

// checkURL checks an http or https URL that a person typed.
func checkURL(s string) error {
	if len(s) > maxURL {
		return fmt.Errorf("is longer than %d bytes", maxURL)
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return errors.New("is not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return errors.New("write an http or https URL")
	case u.Hostname() == "":
		return errors.New("the URL names no host")
	case u.User != nil:
		return errors.New("a URL with a password in it would be seen by everyone")
	}
	return nil
}

// viewerOrigin is a URL or none.
type viewerOrigin struct{ s *string }

const noOrigin = "none"

func (v viewerOrigin) String() string { return text{s: v.s}.String() }

func (v viewerOrigin) Set(s string) error {
	if s != noOrigin {
		if err := checkURL(s); err != nil {
			return err
		}
	}
	*v.s = s
	return nil
}
