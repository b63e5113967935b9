//go:build !race

package app

// timed says whether tests may look at how long something took.
const timed = true
