//go:build race

package app

const timed = false
