package relay

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/internal/fault"
	relayv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

func testStream(l Limits) *stream {
	return newStream(id.New(), id.New(), id.New(), l.withDefaults(), func(int) error { return nil })
}

func frame(seq uint64, size int) *relayv1.Frame {
	return &relayv1.Frame{Seq: seq, Ciphertext: make([]byte, size)}
}

// reader collects what pump sends, in a goroutine.
type reader struct {
	mu   sync.Mutex
	seqs []uint64
	done chan error
}

func read(ctx context.Context, s *stream) *reader {
	r := &reader{done: make(chan error, 1)}
	go func() {
		r.done <- s.pump(ctx, func(f *relayv1.Frame) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.seqs = append(r.seqs, f.GetSeq())
			return nil
		})
	}()
	return r
}

// TestFramesArriveInOrderOnce has several senders push the frames of one stream
// in any order, parts of them again and again, as an agent does that lost
// answers on the way through different replicas.
func TestFramesArriveInOrderOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "frames")
		size := rapid.IntRange(0, 100).Draw(t, "size")
		s := testStream(Limits{Buffer: 4 * (100 + frameOverhead), RoomWithin: time.Minute})
		r := read(context.Background(), s)
		var senders sync.WaitGroup
		for range rapid.IntRange(1, maxWaiting).Draw(t, "senders") {
			starts := rapid.SliceOfN(rapid.IntRange(0, n-1), 0, 4).Draw(t, "starts")
			senders.Go(func() {
				for _, from := range append(starts, 0) {
					frames := make([]*relayv1.Frame, 0, n)
					for seq := from; seq < n; seq++ {
						f := frame(uint64(seq), size)
						f.Last = seq == n-1
						frames = append(frames, f)
					}
					if from > 0 {
						// Its turn may never come from here alone.
						ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
						_ = s.push(ctx, frames)
						cancel()
						continue
					}
					_ = s.push(context.Background(), frames)
				}
			})
		}
		senders.Wait()
		require.NoError(t, <-r.done)
		require.Len(t, r.seqs, n)
		for i, seq := range r.seqs {
			require.EqualValues(t, i, seq)
		}
	})
}

func TestSlowReaderSlowsTheAgentDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := testStream(Limits{Buffer: 1000})
		require.NoError(t, s.push(t.Context(), []*relayv1.Frame{frame(0, 5000)}), "the first always fits")
		began := time.Now()
		two := []*relayv1.Frame{frame(1, 400), frame(2, 400)}
		require.ErrorIs(t, s.push(t.Context(), two), errSlowReader)
		require.Equal(t, 5*time.Second, time.Since(began))

		pushed := make(chan error)
		go func() { pushed <- s.push(t.Context(), two) }()
		synctest.Wait()
		frames, _ := s.take()
		require.Len(t, frames, 1)
		require.NoError(t, <-pushed, "the room went to who waited")
		frames, _ = s.take()
		require.Len(t, frames, 2)
	})
}

func TestEmptyFramesAreBoundedToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := testStream(Limits{Buffer: 1000})
		frames := make([]*relayv1.Frame, 100)
		for i := range frames {
			frames[i] = frame(uint64(i), 0)
		}
		require.ErrorIs(t, s.push(t.Context(), frames), errSlowReader)
		require.LessOrEqual(t, s.bytes, 1000)
	})
}

func TestGapIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := testStream(Limits{})
		err := s.push(t.Context(), []*relayv1.Frame{frame(1, 1)})
		require.Equal(t, fault.KindInvalid, fault.KindOf(err))
		require.NoError(t, s.push(t.Context(), []*relayv1.Frame{frame(0, 1)}))
	})
}

func TestSendersThatWaitAreFew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := testStream(Limits{})
		results := make(chan error, maxWaiting+1)
		for range maxWaiting {
			go func() { results <- s.push(t.Context(), []*relayv1.Frame{frame(1, 1)}) }()
		}
		synctest.Wait()
		require.ErrorIs(t, s.push(t.Context(), []*relayv1.Frame{frame(1, 1)}), errSlowReader)
		s.end(errStreamClosed)
		for range maxWaiting {
			require.ErrorIs(t, <-results, errStreamClosed)
		}
	})
}

func TestNothingFollowsTheLastFrame(t *testing.T) {
	t.Parallel()
	s := testStream(Limits{})
	last := []*relayv1.Frame{{Last: true}}
	require.NoError(t, s.push(t.Context(), last))
	require.NoError(t, s.push(t.Context(), last), "again")
	require.ErrorIs(t, s.push(t.Context(), []*relayv1.Frame{frame(1, 1)}), errStreamClosed)
	require.NoError(t, <-read(t.Context(), s).done)
}

func TestAgentThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		require.ErrorIs(t, <-read(t.Context(), testStream(Limits{})).done, errNoAnswer)
		require.Equal(t, 15*time.Second, time.Since(began))
	})
}

func TestAnyFrameIsLife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := testStream(Limits{})
		r := read(t.Context(), s)
		for seq := range uint64(5) {
			require.NoError(t, s.push(t.Context(), []*relayv1.Frame{frame(seq, 0)}))
			<-time.After(59 * time.Second)
		}
		began := time.Now()
		require.ErrorIs(t, <-r.done, errFellSilent)
		require.Equal(t, time.Second, time.Since(began))
		require.Len(t, r.seqs, 5)
	})
}

func TestStreamLastsAnHourAtMost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := testStream(Limits{})
		began := time.Now()
		r := read(t.Context(), s)
		var err error
		for seq := uint64(0); err == nil; seq++ {
			require.NoError(t, s.push(t.Context(), []*relayv1.Frame{frame(seq, 0)}))
			select {
			case <-time.After(30 * time.Second):
			case err = <-r.done:
			}
		}
		require.ErrorIs(t, err, errLasted)
		require.Equal(t, time.Hour, time.Since(began))
	})
}

func TestReaderWhoTakesNothingIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := testStream(Limits{Buffer: 100})
		release, done := make(chan struct{}), make(chan error, 1)
		go func() {
			done <- s.pump(t.Context(), func(*relayv1.Frame) error {
				<-release
				return nil
			})
		}()
		require.NoError(t, s.push(t.Context(), []*relayv1.Frame{frame(0, 50)}))
		synctest.Wait()
		require.NoError(t, s.push(t.Context(), []*relayv1.Frame{frame(1, 50)}))
		began := time.Now()
		err := error(errSlowReader)
		for errors.Is(err, errSlowReader) {
			err = s.push(t.Context(), []*relayv1.Frame{frame(2, 50)})
		}
		require.ErrorIs(t, err, errStreamClosed)
		require.Equal(t, time.Minute, time.Since(began))
		close(release)
		require.ErrorIs(t, <-done, errStuck)
	})
}

func TestReaderWhoLeavesIsNoError(t *testing.T) {
	t.Parallel()
	s := testStream(Limits{})
	ctx, cancel := context.WithCancel(t.Context())
	broken := errors.New("broken pipe")
	require.NoError(t, s.push(t.Context(), []*relayv1.Frame{frame(0, 1)}))
	require.ErrorIs(t, s.pump(ctx, func(*relayv1.Frame) error { return broken }), errStreamClosed)
	cancel()
	require.ErrorIs(t, s.pump(ctx, func(*relayv1.Frame) error { return broken }), context.Canceled)
}

func TestBytesOfAnHourAreCounted(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	q := newQuota(1000, func() time.Time { return now })
	ours, theirs := id.New(), id.New()
	require.NoError(t, q.spend(ours, 999))
	require.NoError(t, q.spend(ours, 500), "the frame that crosses the line is still passed on")
	err := q.spend(ours, 0)
	require.Equal(t, fault.KindResourceExhausted, fault.KindOf(err))
	require.ErrorContains(t, err, "go on at 2027-01-15 09:00:00 UTC")
	require.NoError(t, q.spend(theirs, 1))

	now = now.Add(59 * time.Minute)
	q.sweep()
	require.Error(t, q.spend(ours, 1))
	now = now.Add(time.Minute)
	require.NoError(t, q.spend(ours, 1))
	now = now.Add(2 * time.Hour)
	q.sweep()
	require.Empty(t, q.hours)
}

func TestStreamEndsWhereTheBytesDo(t *testing.T) {
	t.Parallel()
	s := testStream(Limits{})
	refused := errTooManyBytes(50_000_000, time.Unix(0, 0))
	s.spend = func(int) error { return refused }
	require.ErrorIs(t, s.push(t.Context(), []*relayv1.Frame{frame(0, 1)}), errStreamClosed)
	require.Equal(t, refused, <-read(t.Context(), s).done)
}
