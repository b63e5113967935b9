// Package assets holds what is embedded in Coral's programs: the icons, the
// screens' translations, and the demo clip, with a live origin that plays it for
// ever.
//
// The clip (24 seconds, 640x360, H.264 and AAC, about 400 kbit/s) is drawn and
// sounded by make.go and draw.go beside this file; ffmpeg only encodes it:
//
//	go generate ./assets
//
// The package owns no goroutine, opens no socket and knows nothing of the rest
// of Coral: [Origin] is an http.Handler that stands in for an organiser's server.
package assets

//go:generate go run make.go draw.go
