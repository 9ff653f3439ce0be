package datastream_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/datastream"
	relayv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1/relayv1connect"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// agent answers every stream with the payloads, sealed as what says.
type agent struct {
	org      id.UUID
	what     string
	payloads [][]byte
	// spoil may change the frames before they are sent.
	spoil func([][]byte) [][]byte
}

func (a *agent) OpenDataStream(_ context.Context, req *relayv1.OpenDataStreamRequest, out *connect.ServerStream[relayv1.OpenDataStreamResponse]) error {
	run, err := id.Parse(id.Run, req.GetRunId())
	if err != nil {
		return err
	}
	sealer, err := seal.NewStreamSealer(req.GetPublicKey(), seal.Stream{Org: a.org, Run: run, What: a.what})
	if err != nil {
		return err
	}
	var frames [][]byte
	for i, p := range a.payloads {
		f, err := sealer.Seal(p, i == len(a.payloads)-1)
		if err != nil {
			return err
		}
		frames = append(frames, f)
	}
	if a.spoil != nil {
		frames = a.spoil(frames)
	}
	for _, f := range frames {
		if err := out.Send(&relayv1.OpenDataStreamResponse{Event: &relayv1.OpenDataStreamResponse_Frame{Frame: &relayv1.Frame{Ciphertext: f}}}); err != nil {
			return err
		}
	}
	return nil
}

func setup(t *testing.T, a *agent) (relayv1connect.RelayServiceClient, datastream.Source) {
	t.Helper()
	a.org = id.New()
	mux := http.NewServeMux()
	mux.Handle(relayv1connect.NewRelayServiceHandler(a))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return relayv1connect.NewRelayServiceClient(server.Client(), server.URL), datastream.Source{
		Org: a.org, Run: id.Format(id.Run, id.New()), Kind: relayv1.DataKind_DATA_KIND_LOGS, Task: "train", Attempt: 2,
	}
}

func TestReadOpensFramesInOrder(t *testing.T) {
	t.Parallel()
	relay, src := setup(t, &agent{what: seal.LogsOf("train", 2), payloads: [][]byte{[]byte("a"), []byte("b"), nil}})
	var got bytes.Buffer
	err := datastream.Read(t.Context(), relay, rand.Reader, src, func(p []byte) error { got.Write(p); return nil })
	require.NoError(t, err)
	require.Equal(t, "ab", got.String())

	stop := errors.New("enough")
	require.ErrorIs(t, datastream.Read(t.Context(), relay, rand.Reader, src, func([]byte) error { return stop }), stop)
	require.False(t, datastream.Cut(stop))
}

func TestReadRefusesWhatIsNotTheStream(t *testing.T) {
	t.Parallel()
	drop := func(t *testing.T, a *agent) error {
		t.Helper()
		relay, src := setup(t, a)
		return datastream.Read(t.Context(), relay, rand.Reader, src, func([]byte) error { return nil })
	}
	payloads := [][]byte{[]byte("a"), []byte("b"), []byte("c")}
	what := seal.LogsOf("train", 2)
	require.ErrorIs(t, drop(t, &agent{what: seal.LogsOf("train", 1), payloads: payloads}), seal.ErrCorrupt)
	require.ErrorIs(t, drop(t, &agent{what: seal.ValuesOfRun, payloads: payloads}), seal.ErrCorrupt)
	require.ErrorIs(t, drop(t, &agent{what: what, payloads: payloads, spoil: func(f [][]byte) [][]byte {
		return [][]byte{f[0], f[2]}
	}}), seal.ErrCorrupt, "a frame is missing")
	cut := drop(t, &agent{what: what, payloads: payloads, spoil: func(f [][]byte) [][]byte { return f[:2] }})
	require.ErrorIs(t, cut, seal.ErrTruncated)
	require.True(t, datastream.Cut(cut), "the rest may be had by asking again")
}

func TestReadLogAndValuesRefuseWhatIsNoJSON(t *testing.T) {
	t.Parallel()
	relay, src := setup(t, &agent{what: seal.LogsOf("train", 2), payloads: [][]byte{[]byte("\n{}\nnonsense\n")}})
	lines := 0
	err := datastream.ReadLog(t.Context(), relay, rand.Reader, src, func(datastream.Line) error { lines++; return nil })
	require.ErrorContains(t, err, "read the log")
	require.Equal(t, 1, lines)

	relay, src = setup(t, &agent{what: seal.ValuesOfRun, payloads: [][]byte{[]byte("nonsense")}})
	src.Kind = relayv1.DataKind_DATA_KIND_VALUES
	_, err = datastream.ReadValues(t.Context(), relay, rand.Reader, src)
	require.ErrorContains(t, err, "read the values")

	src.Run = "nonsense"
	_, err = datastream.ReadValues(t.Context(), relay, rand.Reader, src)
	require.Error(t, err)
}
