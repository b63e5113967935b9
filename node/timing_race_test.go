//go:build race

package node

// timed: under the race detector a node is many times slower than its segments
// are short; what counts there is that every byte is right and nothing races.
const timed = false
