package channel

import "errors"

// What Feed.Add finds wrong with a record. The first two say that a record is
// of no use (now); the others that who sent or who signed it is to blame.
var (
	// ErrStale: older than the window, replaced by a newer one, or not valid at
	// this time (expired, retired, or from the future).
	ErrStale = errors.New("stale")
	// ErrUnknownKey: no delegation that names the signer has been seen. Ask the
	// sender for the feed's base and try again.
	ErrUnknownKey = errors.New("signed by an unknown key")
	// ErrMalformed: not a record, or one of a version that is not understood.
	ErrMalformed = errors.New("malformed")
	// ErrForged: the signature does not hold.
	ErrForged = errors.New("forged")
	// ErrBroken: signed, but it does not link with its neighbours in the chain.
	ErrBroken = errors.New("chain broken")
	// ErrEquivocation: signed, but it contradicts another signed record. The
	// error is an *EquivocationError, which holds both.
	ErrEquivocation = errors.New("equivocation")
)

// EquivocationError proves that a publisher signed two different things for one
// place in the feed. Both records verify; neither may be changed.
type EquivocationError struct{ First, Second []byte }

func (e *EquivocationError) Error() string { return ErrEquivocation.Error() }

// Is makes errors.Is(err, ErrEquivocation) hold.
func (e *EquivocationError) Is(target error) bool { return target == ErrEquivocation }
