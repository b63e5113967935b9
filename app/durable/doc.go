// Package durable keeps small files that a program replaces whole: settings,
// lists, totals. A file is at any moment, even when the process is killed or the
// machine loses power, either all of what was written last or all of what was
// written before; beside it lies one generation more, for a disk that errs.
//
// It has no goroutine and no lock: whoever owns a file calls Write for it from
// one goroutine at a time. It does not know what is in the files; whoever reads
// one says whether it can be read.
package durable
