// Package budget holds what the user allows the program to spend: rates and
// sizes as types, as they are written in flags and settings, a token bucket
// that keeps a rate, and the rate that leaves the household its line.
//
// It is pure: no clock, no goroutine. A Bucket is owned by whoever takes from
// it; the caller says what time it is and does the waiting.
package budget
