// Package storetest holds what every store of blocks must do, as a suite of tests
// (Run), and a store in memory that passes it, for the tests of those who use a
// store. Content makes blocks that show whom they belong to.
package storetest
