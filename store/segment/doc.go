// Package segment holds the words that every layer shares: what names a
// segment, how it is cut into blocks, and how blocks are hashed. It is pure and
// imports nothing of Coral's.
package segment
