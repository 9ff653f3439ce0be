package relay_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/fakeplane"
	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/agent/logs"
	"github.com/signalboxhq/signalbox/agent/relay"
	"github.com/signalboxhq/signalbox/agent/value"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
	relayv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/proto/seal"
)

type testBundle struct {
	plane    *fakeplane.Plane
	client   *link.Client
	session  string
	logs     *logs.Store
	key      *seal.WorkspaceKey
	answerer *relay.Answerer
	run      id.UUID
	reader   *seal.ReaderKey
}

func setup(t *testing.T) *testBundle {
	t.Helper()
	b := &testBundle{plane: fakeplane.Start(t), run: id.New()}
	path := filepath.Join(t.TempDir(), "identity.json")
	identity, err := link.LoadIdentity(path)
	require.NoError(t, err)
	b.client = link.NewClient(link.Options{Server: b.plane.URL, Identity: identity, Path: path})
	require.NoError(t, b.client.Enroll(t.Context(), fakeplane.Token, "laptop", "v1"))
	session, _, err := b.client.OpenSession(t.Context(), link.Opening{})
	require.NoError(t, err)
	b.session = session.ID
	b.logs, err = logs.Open(t.TempDir(), logs.Options{})
	require.NoError(t, err)
	keyring, err := value.OpenKeyring(filepath.Join(t.TempDir(), "keys"))
	require.NoError(t, err)
	current, _, err := keyring.Settle(t.Context(), b.client.OfferSealingKey)
	require.NoError(t, err)
	b.key = keyring.Ring().Keys()[0]
	workspace := value.NewWorkspace(b.plane.Org, b.plane.Workspace, keyring, current)
	b.answerer = relay.New(b.client, b.plane.Org, b.logs, func() *value.Workspace { return workspace }, slog.New(slog.DiscardHandler))
	b.reader, err = seal.NewReaderKey(rand.Reader)
	require.NoError(t, err)
	return b
}

// ask has the plane put a request, polls it, and answers it in the background.
// The channel is closed with the answer's end.
func (b *testBundle) ask(t *testing.T, request *agentv1.DataRequest) (stream string, done <-chan struct{}) {
	t.Helper()
	request.RunId, request.PublicKey = id.Format(id.Run, b.run), b.reader.Public()
	stream = b.plane.Ask(request)
	work, err := b.client.Poll(t.Context(), link.Poll{Session: b.session, Wait: time.Second})
	require.NoError(t, err)
	require.Len(t, work.Data, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.answerer.Answer(t.Context(), work.Data[0])
	}()
	return stream, ended
}

// opened opens all frames of a stream that has ended.
func (b *testBundle) opened(t *testing.T, stream, what string) string {
	t.Helper()
	opener := b.reader.Opener(seal.Stream{Org: b.plane.Org, Run: b.run, What: what})
	var text bytes.Buffer
	for _, frame := range b.plane.Frames(stream, 0) {
		payload, final, err := opener.Open(frame.GetCiphertext())
		require.NoError(t, err)
		require.Equal(t, final, frame.GetLast())
		text.Write(payload)
	}
	require.NoError(t, opener.Close())
	return text.String()
}

func (b *testBundle) writeLog(t *testing.T, attempt uint32) *logs.Log {
	t.Helper()
	log, err := b.logs.Create(logs.Key{Run: id.Format(id.Run, b.run), Task: "train", Attempt: attempt})
	require.NoError(t, err)
	t.Cleanup(func() { _ = log.Close() })
	return log
}

func write(t *testing.T, log *logs.Log, text string) {
	t.Helper()
	_, err := log.Writer(logs.Stdout).Write([]byte(text))
	require.NoError(t, err)
}

type record struct {
	Offset uint64
	Time   time.Time
	Stream string
	Text   string
}

func records(t *testing.T, text string) []record {
	t.Helper()
	var all []record
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r record
		require.NoError(t, json.Unmarshal(lines.Bytes(), &r))
		all = append(all, r)
	}
	return all
}

func TestLogIsSealedToItsReader(t *testing.T) {
	t.Parallel()
	b := setup(t)
	log := b.writeLog(t, 3)
	write(t, log, "CANARY one <&>\n")
	write(t, log, "two\n")
	require.NoError(t, log.Close())

	stream, done := b.ask(t, &agentv1.DataRequest{Kind: relayv1.DataKind_DATA_KIND_LOGS, Task: "train"})
	<-done
	all := records(t, b.opened(t, stream, seal.LogsOf("train", 0)))
	require.Len(t, all, 2)
	require.Equal(t, "CANARY one <&>\n", all[0].Text)
	require.Equal(t, "stdout", all[0].Stream)
	require.WithinDuration(t, time.Now(), all[0].Time, time.Minute)
	require.NotContains(t, string(b.plane.Sent()), "CANARY")

	// Where a reader was cut off it goes on.
	stream, done = b.ask(t, &agentv1.DataRequest{Kind: relayv1.DataKind_DATA_KIND_LOGS, Task: "train", Attempt: 3, Offset: all[1].Offset})
	<-done
	require.Equal(t, all[1:], records(t, b.opened(t, stream, seal.LogsOf("train", 3))))
}

func TestLongLog(t *testing.T) {
	t.Parallel()
	b := setup(t)
	log := b.writeLog(t, 1)
	want := strings.Repeat("0123456789abcdef", 20_000)
	write(t, log, want)
	require.NoError(t, log.Close())
	stream, done := b.ask(t, &agentv1.DataRequest{Kind: relayv1.DataKind_DATA_KIND_LOGS, Task: "train", Attempt: 1})
	b.plane.LoseAnswer("SendFrames")
	<-done
	var got strings.Builder
	for _, r := range records(t, b.opened(t, stream, seal.LogsOf("train", 1))) {
		got.WriteString(r.Text)
	}
	require.Equal(t, want, got.String())
	require.Greater(t, len(b.plane.Frames(stream, 0)), 3)
}

func TestFollow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	log := b.writeLog(t, 1)
	stream, done := b.ask(t, &agentv1.DataRequest{Kind: relayv1.DataKind_DATA_KIND_LOGS, Task: "train", Attempt: 1, Follow: true})
	write(t, log, "first\n")
	b.plane.Frames(stream, 0)
	write(t, log, "second\n")
	b.plane.Frames(stream, 1)
	require.NoError(t, log.Close())
	<-done
	require.Len(t, records(t, b.opened(t, stream, seal.LogsOf("train", 1))), 2)
}

func TestReaderGoesAway(t *testing.T) {
	t.Parallel()
	b := setup(t)
	log := b.writeLog(t, 1)
	stream, done := b.ask(t, &agentv1.DataRequest{Kind: relayv1.DataKind_DATA_KIND_LOGS, Task: "train", Attempt: 1, Follow: true})
	write(t, log, "first\n")
	b.plane.Frames(stream, 0)
	b.plane.CloseStream(stream)
	write(t, log, "second\n")
	<-done
}

// The control plane asks again where it did not hear the agent in time.
func TestAStreamIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	log := b.writeLog(t, 1)
	request := link.DataRequest{
		Stream: "str_x", Run: id.Format(id.Run, b.run), Task: "train", Attempt: 1, Kind: link.DataLogs, PublicKey: b.reader.Public(),
	}
	request.Grant = b.plane.Grant(request.Run, request.PublicKey, time.Now().Add(time.Minute))
	write(t, log, "x\n")
	require.NoError(t, log.Close())
	b.answerer.Answer(t.Context(), request)
	once := bytes.Count(b.plane.Sent(), []byte("SendFrames"))
	require.Positive(t, once)
	b.answerer.Answer(t.Context(), request)
	require.Equal(t, once, bytes.Count(b.plane.Sent(), []byte("SendFrames")))
}

func TestNoLog(t *testing.T) {
	t.Parallel()
	b := setup(t)
	stream, done := b.ask(t, &agentv1.DataRequest{Kind: relayv1.DataKind_DATA_KIND_LOGS, Task: "train"})
	<-done
	all := records(t, b.opened(t, stream, seal.LogsOf("train", 0)))
	require.Equal(t, "agent", all[0].Stream)
	require.Contains(t, all[0].Text, "this agent has no log of the attempt")
}

func TestValues(t *testing.T) {
	t.Parallel()
	b := setup(t)
	envelope, err := seal.NewSender(b.key.Public(), time.Now, rand.Reader).
		Seal(seal.Binding{Org: b.plane.Org, Workspace: b.plane.Workspace, Name: "params.token"}, []byte(`"CANARY"`))
	require.NoError(t, err)
	version := b.plane.Deploy(&plan.Plan{Name: "p", Tasks: []plan.Task{{Name: "a", Run: "true"}}})
	b.plane.Queue(fakeplane.Attempt{Version: version, Run: b.run, Task: "a", Params: []*runv1.Value{
		{Name: "token", Content: &runv1.Value_Sealed{Sealed: envelope}},
		{Name: "n", Content: &runv1.Value_OpenJson{OpenJson: []byte("7")}},
	}})
	stream, done := b.ask(t, &agentv1.DataRequest{Kind: relayv1.DataKind_DATA_KIND_VALUES})
	<-done
	require.JSONEq(t, `{"params": {"token": "CANARY", "n": 7}, "tasks": {}}`, b.opened(t, stream, seal.ValuesOfRun))
	require.NotContains(t, string(b.plane.Sent()), "CANARY")
}

func TestRefusedRequestsAreNotAnswered(t *testing.T) {
	t.Parallel()
	b := setup(t)
	log := b.writeLog(t, 1)
	write(t, log, "x\n")
	require.NoError(t, log.Close())
	good := link.DataRequest{
		Stream: "str_x", Run: id.Format(id.Run, b.run), Task: "train", Kind: link.DataLogs, PublicKey: b.reader.Public(),
	}
	good.Grant = b.plane.Grant(good.Run, good.PublicKey, time.Now().Add(time.Minute))
	for name, spoil := range map[string]func(*link.DataRequest){
		"no grant":    func(r *link.DataRequest) { r.Grant = "" },
		"expired":     func(r *link.DataRequest) { r.Grant = b.plane.Grant(r.Run, r.PublicKey, time.Now().Add(-time.Hour)) },
		"another run": func(r *link.DataRequest) { r.Run = id.Format(id.Run, id.New()) },
		"no key": func(r *link.DataRequest) {
			r.PublicKey = []byte{1}
			r.Grant = b.plane.Grant(r.Run, r.PublicKey, time.Now())
		},
		"unknown kind":  func(r *link.DataRequest) { r.Kind = link.DataUnknown },
		"stream closed": func(*link.DataRequest) {},
	} {
		request := good
		request.Stream += name
		spoil(&request)
		before := bytes.Count(b.plane.Sent(), []byte("SendFrames"))
		b.answerer.Answer(t.Context(), request)
		after := bytes.Count(b.plane.Sent(), []byte("SendFrames"))
		if name == "stream closed" {
			require.Equal(t, before+1, after, name)
		} else {
			require.Equal(t, before, after, name)
		}
	}
}

func TestGivesUp(t *testing.T) {
	t.Parallel()
	b := setup(t)
	log := b.writeLog(t, 1)
	write(t, log, "x\n")
	b.plane.Fail("SendFrames", 1, connect.CodeInvalidArgument, faultv1.Reason_REASON_INVALID_ARGUMENT)
	_, done := b.ask(t, &agentv1.DataRequest{Kind: relayv1.DataKind_DATA_KIND_LOGS, Task: "train", Follow: true})
	<-done

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b.answerer.Answer(ctx, link.DataRequest{})
}
