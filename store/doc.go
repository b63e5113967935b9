// Package store is the cache of verified blocks: put, has, read, pin, evict
// under a cap. It is the only importer of bbolt.
//
// # From RAM to disk
//
// Put copies a block into RAM and returns; blocks are readable at once. One
// goroutine, the writer, gathers finished segments into groups (at most 8 MiB,
// at most a second late) and commits each group as one bbolt transaction,
// synced, to the active shard. A segment that stays unfinished is written as far
// as it got after two seconds without a new block, or ten seconds after its
// first. Blocks stay in RAM after they are written, oldest dropped first, as
// long as Options.RAM allows: a live viewer and those who ask him read the last
// minutes from there. While nothing is staged no timer runs.
//
// # Shards
//
// The disk holds Dir/%016x.shard files and Dir/LOCK. The newest shard is written
// by bbolt and only appended to: a run of blocks is the sole value of a bucket of
// its own, so its page is written once and never moves. A full shard is sealed:
// footer written, bbolt closed, tail cut off. From then on it is read with pread
// at offsets known in RAM, and goes away whole, by os.Remove: the cap holds
// without compaction. See record.go for the bytes.
//
// bbolt never opens a file that an earlier process wrote. The package's own
// reader (walk.go) finds the runs in it with pread alone, bounds checked, so a
// damaged file can neither panic nor fault; a shard that bbolt writes runs under
// SetPanicOnFault and recover, and a handle that failed is abandoned, because
// bbolt's locks may be held for ever. Every block read from disk is checked
// against a CRC32C that was computed in Put; a block that fails is forgotten and
// reads as ErrMiss.
//
// # When the disk does not serve
//
// Open does not fail for trouble with the disk. If another process holds the
// lock, the folder cannot be made, or three commits in a row fail, the store goes
// on in RAM alone; if free space falls below min(1 GiB, 10 %), it stops writing
// until there is room. Degraded says which.
//
// # Locks
//
// Two, taken in this order: writing serialises what changes files (commit, seal,
// trim, clear); mu guards the index and is never held during I/O. All methods may
// be called from any goroutine. The package knows nothing of peers, playlists or
// who asks for a block, and does not verify digests: callers put verified blocks.
package store
