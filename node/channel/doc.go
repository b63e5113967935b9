// Package channel holds what a channel is made of.
package channel
