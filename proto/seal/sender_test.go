package seal_test

import (
	"bytes"
	"crypto/rand"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/proto/seal"
)

// header is what envelopes of one content key share.
func header(t *testing.T, sender *seal.Sender) string {
	t.Helper()
	envelope, err := sender.Seal(newBinding(seal.ErrorName), []byte("x"))
	require.NoError(t, err)
	return string(envelope[:89])
}

func TestSenderWrapsOnceAnHour(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)
	sender := seal.NewSender(newKey(t).Public(), func() time.Time { return now }, rand.Reader)
	first := header(t, sender)
	now = now.Add(seal.ContentKeyLife - 1)
	require.Equal(t, first, header(t, sender))
	now = now.Add(1)
	second := header(t, sender)
	require.NotEqual(t, first, second)
	now = now.Add(-time.Minute)
	require.NotEqual(t, second, header(t, sender), "a clock that went back says nothing about the age")
}

func TestSendersShareNoContentKey(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	require.NotEqual(t, header(t, newSender(key)), header(t, newSender(key)))
	require.Equal(t, key.KID(), newSender(key).KID())
}

func TestSenderRefusesAnIncompleteBinding(t *testing.T) {
	t.Parallel()
	sender, whole := newSender(newKey(t)), newBinding(seal.ErrorName)
	for _, binding := range []seal.Binding{
		{Workspace: whole.Workspace, Name: whole.Name},
		{Org: whole.Org, Name: whole.Name},
		{Org: whole.Org, Workspace: whole.Workspace},
	} {
		_, err := sender.Seal(binding, nil)
		require.ErrorContains(t, err, "binding")
	}
}

func TestSenderReportsFailingRandomness(t *testing.T) {
	t.Parallel()
	binding := newBinding(seal.ErrorName)
	for _, bytesLeft := range []int64{0, 31, 32, 43} {
		sender := seal.NewSender(newKey(t).Public(), time.Now, io.LimitReader(rand.Reader, bytesLeft))
		_, err := sender.Seal(binding, []byte("x"))
		require.Error(t, err, bytesLeft)
	}
}

func TestSenderServesManyGoroutines(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	sender, ring, binding := newSender(key), seal.NewRing(key), newBinding(seal.ErrorName)
	var wait sync.WaitGroup
	for n := range 8 {
		wait.Go(func() {
			value := bytes.Repeat([]byte{byte(n)}, 40)
			for range 50 {
				envelope, err := sender.Seal(binding, value)
				if err != nil {
					t.Error(err)
					return
				}
				if opened, err := ring.Open(binding, envelope); err != nil || !bytes.Equal(value, opened) {
					t.Error("does not open", err)
				}
			}
		})
	}
	wait.Wait()
}

func BenchmarkSealAndOpen(b *testing.B) {
	key := newKey(b)
	sender, ring, binding := newSender(key), seal.NewRing(key), newBinding(seal.ErrorName)
	value := bytes.Repeat([]byte("v"), 1024)
	for b.Loop() {
		envelope, err := sender.Seal(binding, value)
		require.NoError(b, err)
		_, err = ring.Open(binding, envelope)
		require.NoError(b, err)
	}
}
