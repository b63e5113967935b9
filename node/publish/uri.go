package publish

import (
	"net/url"
	"path"
	"strings"
)

// audience of a URI: where viewers fetch from.
type reachability uint8

const (
	// sameServer: viewers ask the source itself.
	sameServer reachability = iota
	// otherServer: viewers ask a server that holds the same tree.
	otherServer
	// noServer: viewers have the swarm only.
	noServer
)

// publicURI is what a record says of where something is that the source's
// playlist at base calls uri. Viewers resolve it against nominal, where they
// believe the playlist to be.
//
// Where viewers ask the source, a relative URI stays as it is if they resolve it
// right, and becomes absolute if not (the source redirects to another folder).
// Where they ask another server, what is absolute and below the playlist's
// folder becomes relative to it. Where they ask none, no server is named.
func (p *Publisher) publicURI(nominal, base, uri string) string {
	if !isURL(base) {
		return uri // of a folder: never absolute
	}
	switch p.reach {
	case sameServer:
		abs, err := resolveURL(base, uri)
		if err != nil {
			return uri
		}
		if seen, err := resolveURL(nominal, uri); err == nil && seen == abs {
			return uri
		}
		return abs
	case otherServer:
		return below(base, uri)
	}
	if rel := below(base, uri); !absolute(rel) {
		return rel
	}
	u, err := url.Parse(uri)
	if err != nil {
		return "segment"
	}
	return (&url.URL{Path: "./" + path.Base(u.Path)}).String()
}

// publicKeyURI is publicURI for keys, which only servers have.
func (p *Publisher) publicKeyURI(nominal, base, uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" {
		return uri // a key system's own
	}
	if p.reach == noServer {
		if abs, err := resolveURL(base, uri); err == nil {
			return abs
		}
		return uri
	}
	return p.publicURI(nominal, base, uri)
}

func absolute(uri string) bool {
	u, err := url.Parse(uri)
	return err != nil || u.Scheme != "" || u.Host != ""
}

// below makes uri relative to base's folder if it is absolute and within it.
func below(base, uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" && u.Host == "" && !strings.HasPrefix(u.Path, "/") {
		return uri
	}
	b, err := url.Parse(base)
	if err != nil {
		return uri
	}
	u = b.ResolveReference(u)
	dir, _ := path.Split(b.EscapedPath())
	rel, ok := strings.CutPrefix(u.EscapedPath(), dir)
	if !ok || rel == "" || u.Scheme != b.Scheme || u.Host != b.Host {
		return uri
	}
	if first, _, _ := strings.Cut(rel, "/"); strings.Contains(first, ":") {
		rel = "./" + rel
	}
	if u.RawQuery != "" {
		rel += "?" + u.RawQuery
	}
	return rel
}
