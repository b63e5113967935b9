//go:build !race

package node

// timed: how well playback went is looked at, not only what was played.
const timed = true
