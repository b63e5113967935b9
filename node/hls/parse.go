package hls

import "errors"

// Parse reads a playlist: exactly one of mv and m is not nil, or err.
func Parse(body []byte) (mv *Multivariant, m *Media, err error) {
	return nil, nil, errors.New("hls: being written")
}
