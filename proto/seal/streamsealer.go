package seal

import (
	"crypto/hpke"
	"errors"
	"fmt"
)

// StreamSealer seals the frames of one stream, in order. One goroutine at a time
// may use it.
type StreamSealer struct {
	enc    []byte // goes with the first frame, nil afterwards
	sender *hpke.Sender
	seq    uint64
	closed bool
}

// NewStreamSealer seals to the key that a reader made for this stream, 32 bytes.
// It returns an error for bytes that are no such key.
func NewStreamSealer(reader []byte, stream Stream) (*StreamSealer, error) {
	key, err := suiteKEM().NewPublicKey(reader)
	if err != nil {
		return nil, fmt.Errorf("parse reader's key: %w", err)
	}
	enc, sender, err := hpke.NewSender(key, suiteKDF(), suiteAEAD(), stream.info())
	if err != nil {
		return nil, fmt.Errorf("seal to reader's key: %w", err)
	}
	return &StreamSealer{enc: enc, sender: sender}, nil
}

// Seal makes the next frame. The stream's last frame says so with final, and may
// be empty; no frame can follow it. It returns ErrTooLarge for a payload over
// MaxPayload, which leaves the stream usable.
func (s *StreamSealer) Seal(payload []byte, final bool) ([]byte, error) {
	if s.closed {
		return nil, errors.New("seal frame: the stream has had its last frame")
	}
	if len(payload) > MaxPayload {
		return nil, fmt.Errorf("%w: a payload of %d bytes, over %d", ErrTooLarge, len(payload), MaxPayload)
	}
	plaintext := make([]byte, 1, 1+len(payload))
	plaintext[0] = payloadMore
	if final {
		plaintext[0] = payloadFinal
	}
	ciphertext, err := s.sender.Seal(frameData(s.seq), append(plaintext, payload...))
	if err != nil {
		return nil, fmt.Errorf("seal frame: %w", err)
	}
	frame := []byte{frameNext}
	if s.seq == 0 {
		frame = append([]byte{frameFirst}, s.enc...)
	}
	s.seq++
	s.closed = final
	return append(frame, ciphertext...), nil
}
