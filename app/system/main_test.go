package system

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain is also the other program of the tests that need one: see instance_test.go.
func TestMain(m *testing.M) {
	if dir := os.Getenv("CORAL_TEST_CLAIM"); dir != "" {
		os.Exit(claimant(dir, os.Args[1:]))
	}
	goleak.VerifyTestMain(m)
}
