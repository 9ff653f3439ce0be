package seal

import (
	"crypto/hpke"
	"fmt"
	"io"
)

// ReaderKey is the key pair that a reader makes for one stream and forgets with
// it.
type ReaderKey struct {
	private hpke.PrivateKey
}

// NewReaderKey makes a key pair from 32 bytes of randomness.
func NewReaderKey(random io.Reader) (*ReaderKey, error) {
	var raw [keySize]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return nil, fmt.Errorf("make reader's key: %w", err)
	}
	private, err := suiteKEM().NewPrivateKey(raw[:])
	if err != nil {
		return nil, fmt.Errorf("make reader's key: %w", err)
	}
	return &ReaderKey{private: private}, nil
}

// Public is the half to send to the agent, 32 bytes.
func (k *ReaderKey) Public() []byte { return k.private.PublicKey().Bytes() }

// Opener opens the frames of stream, which were sealed to k.
func (k *ReaderKey) Opener(stream Stream) *StreamOpener {
	return &StreamOpener{private: k.private, stream: stream}
}

// StreamOpener opens the frames of one stream, in order. One goroutine at a time
// may use it.
type StreamOpener struct {
	private   hpke.PrivateKey
	stream    Stream
	recipient *hpke.Recipient // nil before the first frame
	seq       uint64
	final     bool
	err       error // the first error, which stays
}

// Open opens the next frame; final marks the stream's last. It returns
// ErrCorrupt for a frame that is not the next one of this stream, and from then
// on for all others.
func (o *StreamOpener) Open(frame []byte) (payload []byte, final bool, err error) {
	if o.err != nil {
		return nil, false, o.err
	}
	payload, err = o.open(frame)
	if err != nil {
		o.err = err
		return nil, false, err
	}
	return payload, o.final, nil
}

func (o *StreamOpener) open(frame []byte) ([]byte, error) {
	ciphertext, err := o.accept(frame)
	if err != nil {
		return nil, err
	}
	plaintext, err := o.recipient.Open(frameData(o.seq), ciphertext)
	if err != nil || len(plaintext) == 0 || plaintext[0] > payloadFinal {
		return nil, ErrCorrupt
	}
	o.seq++
	o.final = plaintext[0] == payloadFinal
	return plaintext[1:], nil
}

// accept checks a frame's kind against its place and returns its ciphertext.
func (o *StreamOpener) accept(frame []byte) ([]byte, error) {
	if len(frame) == 0 || o.final {
		return nil, ErrCorrupt
	}
	kind, rest := frame[0], frame[1:]
	if kind != frameFirst && kind != frameNext {
		return nil, fmt.Errorf("%w: frame of kind %d", ErrVersion, kind)
	}
	if (kind == frameFirst) != (o.recipient == nil) {
		return nil, ErrCorrupt
	}
	if kind == frameNext {
		return rest, nil
	}
	if len(rest) < encSize {
		return nil, ErrCorrupt
	}
	recipient, err := hpke.NewRecipient(rest[:encSize], o.private, suiteKDF(), suiteAEAD(), o.stream.info())
	if err != nil {
		return nil, ErrCorrupt
	}
	o.recipient = recipient
	return rest[encSize:], nil
}

// Close tells whether the stream was whole: ErrTruncated where its last frame
// has not come, or the error that Open met.
func (o *StreamOpener) Close() error {
	if o.err != nil {
		return o.err
	}
	if !o.final {
		return ErrTruncated
	}
	return nil
}
