package seal

import (
	"errors"
	"fmt"
)

var (
	// ErrNoKey is what a *NoKeyError is.
	ErrNoKey = errors.New("no such sealing key")
	// ErrCorrupt means that an envelope or frame does not open: it was changed,
	// cut, or sealed for another organization, workspace, name or stream. Which
	// of these cannot be told.
	ErrCorrupt = errors.New("sealed data does not open: changed, or sealed as something else")
	// ErrVersion means that a newer release made the envelope or frame.
	ErrVersion = errors.New("sealed data has an unknown version")
	// ErrTooLarge means that a value exceeds MaxValue or a payload MaxPayload.
	ErrTooLarge = errors.New("too large to seal")
	// ErrTruncated means that a stream ended without its last frame.
	ErrTruncated = errors.New("sealed stream was cut off")
	// ErrKeyText means that a text is no exported key, or was mistyped.
	ErrKeyText = errors.New("not an exported workspace key")
)

// NoKeyError says which key an envelope was sealed to, where the ring does not
// hold it. The remedy is `signalbox-agent key import`.
type NoKeyError struct {
	KID KID
}

func (e *NoKeyError) Error() string {
	return fmt.Sprintf("no sealing key %s here: import it with `signalbox-agent key import`", e.KID)
}

// Is makes errors.Is(err, ErrNoKey) true.
func (e *NoKeyError) Is(target error) bool { return target == ErrNoKey }
