// Package settings holds what the user may set: the values and their defaults,
// the file that keeps them, and the rules that follow from them alone: what may
// be shared now and why not, when that changes, and which addresses to keep away
// from.
//
// Settings is a plain value. A Store owns the file: Get and Commit may be called
// from any goroutine; a commit is checked, kept on the disk and told to the
// subscribers before the next one is begun. The rules (share.go, week.go,
// blocklist.go) are pure: they take `now` and what was found out about the
// machine.
//
// The package does not carry anything out, and knows no window, player, peer or
// channel. It starts no goroutine and logs nothing: what was wrong with a file is
// in Store.Found.
//
// # The file
//
// A JSON object with one key for each setting, named as coralnode's flags are,
// with values as people write them: "2M", "5GB", "1h0m0s", "unlimited". The week
// is seven texts, Monday first, with a digit for each hour: 0 off, 1 gentle,
// 2 full. A value that cannot be used gives way to the default, for itself alone;
// but if it is one that limits or hides sharing (a cap, the week, the address to
// bind to), the user is asked again before anything is shared. Keys that are not
// known are kept: another version of Coral may have written them.
package settings
