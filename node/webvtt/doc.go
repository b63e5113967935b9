// Package webvtt reads WebVTT as HLS subtitle segments carry it: cues with their
// times and plain text. It is pure: bytes in, values out; no goroutine is
// involved.
//
// Files come from strangers, so Parse bounds everything and never fails on what
// it can leave out: a cue that is not well formed is skipped, as the standard
// has browsers do. Styles, regions, notes and cue settings are skipped, tags are
// taken out of the text: who draws the cues decides how they look.
//
// The package does not know of players: PTS turns a cue's time into a
// presentation time stamp of the MPEG-2 transport stream beside it (RFC 8216bis
// 3.5.1), which is the clock that players and segments have in common.
package webvtt
