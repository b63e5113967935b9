// Package nodetest is what the tests of Coral's engine share: a fake origin that
// serves every shape of HLS and every kind of trouble, a model player that
// checks every byte it plays, and a network in memory.
//
// The bytes of a segment are a function of its Ident, which they carry in clear
// text, so that anyone who holds a segment can tell whether it is right without
// asking anybody. They are not decodable media; tests that need a real decoder
// use ffmpeg.
//
// Everything takes its time from package time, so that it runs in a
// testing/synctest bubble as well as outside. Origins are http.Handlers and own
// no goroutine; Play runs on its caller's.
package nodetest
