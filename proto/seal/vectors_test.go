package seal_test

import (
	"bytes"
	"crypto/ecdh"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/seal"
)

var update = flag.Bool("update", false, "write testdata/*.json anew")

// The vectors are read by frontend/src/seal too. Bytes are in hex.
type (
	envelopeVectors struct {
		About       string           `json:"about"`
		Key         string           `json:"key"`
		Private     string           `json:"private"`
		Public      string           `json:"public"`
		KID         string           `json:"kid"`
		Fingerprint string           `json:"fingerprint"`
		Cases       []envelopeVector `json:"cases"`
	}
	envelopeVector struct {
		Org        string `json:"org"`
		Workspace  string `json:"workspace"`
		Name       string `json:"name"`
		Value      string `json:"value"`
		Ephemeral  string `json:"ephemeral"` // private half
		ContentKey string `json:"content_key"`
		Nonce      string `json:"nonce"`
		Envelope   string `json:"envelope"`
		Text       string `json:"text"`
	}
	relayVectors struct {
		About   string        `json:"about"`
		Private string        `json:"private"`
		Public  string        `json:"public"`
		Org     string        `json:"org"`
		Run     string        `json:"run"`
		What    string        `json:"what"`
		Frames  []frameVector `json:"frames"`
	}
	frameVector struct {
		Payload string `json:"payload"`
		Final   bool   `json:"final"`
		Frame   string `json:"frame"`
	}
)

// fill is size bytes that begin with first and count up.
func fill(first byte, size int) []byte {
	filled := make([]byte, size)
	for i := range filled {
		filled[i] = first + byte(i)
	}
	return filled
}

func idOf(first byte) id.UUID { return id.UUID(fill(first, 16)) }

// nextEphemeral makes the process' randomness repeat and tells which X25519 key
// crypto/hpke makes of it next.
func nextEphemeral(t *testing.T, seed uint64) *ecdh.PrivateKey {
	t.Helper()
	cryptotest.SetGlobalRandom(t, seed)
	key, err := ecdh.X25519().GenerateKey(nil)
	require.NoError(t, err)
	cryptotest.SetGlobalRandom(t, seed)
	return key
}

// golden compares v with the file, or writes it with -update.
func golden(t *testing.T, file string, v any) {
	t.Helper()
	got, err := json.MarshalIndent(v, "", "  ")
	require.NoError(t, err)
	got = append(got, '\n')
	if *update {
		require.NoError(t, os.WriteFile(file, got, 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "after a change of the format: a new version, and go test -update")
}

// TestEnvelopeVectors holds the format: what it seals today is what the file
// says, byte by byte.
func TestEnvelopeVectors(t *testing.T) { //nolint:paralleltest // SetGlobalRandom is the whole process'
	private := fill(0x40, 32)
	key, err := seal.Generate(bytes.NewReader(private))
	require.NoError(t, err)
	vectors := envelopeVectors{
		About:       "Values sealed to a workspace key. Written by proto/seal, read by frontend/src/seal.",
		Key:         key.Export(),
		Private:     hex.EncodeToString(private),
		Public:      hex.EncodeToString(key.Public().Bytes()),
		KID:         key.KID().String(),
		Fingerprint: key.Fingerprint(),
	}
	for n, test := range []struct {
		name  string
		value string
	}{
		{seal.ParamName("epochs"), "10"},
		{seal.ParamName("dataset"), `"s3://lake/transactions/latest"`},
		{seal.OutputName("train", "größe"), "0.93"},
		{seal.ErrorName, ""},
		{seal.ParamName("exact"), strings.Repeat("x", 32)},
		{seal.ParamName("long"), strings.Repeat("0123456789", 20)},
	} {
		ephemeral := nextEphemeral(t, uint64(n))
		contentKey, nonce := fill(byte(n), 32), fill(byte(0x80+n), 12)
		random := bytes.NewReader(append(bytes.Clone(contentKey), nonce...))
		binding := seal.Binding{Org: idOf(0x10), Workspace: idOf(0x20 + byte(n)), Name: test.name}
		envelope, err := seal.NewSender(key.Public(), time.Now, random).Seal(binding, []byte(test.value))
		require.NoError(t, err)
		require.Equal(t, ephemeral.PublicKey().Bytes(), envelope[9:41])
		vectors.Cases = append(vectors.Cases, envelopeVector{
			Org:        id.Format(id.Org, binding.Org),
			Workspace:  id.Format(id.Workspace, binding.Workspace),
			Name:       binding.Name,
			Value:      hex.EncodeToString([]byte(test.value)),
			Ephemeral:  hex.EncodeToString(ephemeral.Bytes()),
			ContentKey: hex.EncodeToString(contentKey),
			Nonce:      hex.EncodeToString(nonce),
			Envelope:   hex.EncodeToString(envelope),
			Text:       seal.Text(envelope),
		})
	}
	golden(t, "testdata/envelope.json", vectors)
}

func TestRelayVectors(t *testing.T) { //nolint:paralleltest // SetGlobalRandom is the whole process'
	private := fill(0x60, 32)
	reader, err := seal.NewReaderKey(bytes.NewReader(private))
	require.NoError(t, err)
	stream := seal.Stream{Org: idOf(0x10), Run: idOf(0x30), What: seal.LogsOf("fold[3]/train", 1)}
	cryptotest.SetGlobalRandom(t, 7)
	sealer, err := seal.NewStreamSealer(reader.Public(), stream)
	require.NoError(t, err)
	vectors := relayVectors{
		About:   "Frames sealed to a reader's key. Written by proto/seal, read by frontend/src/seal.",
		Private: hex.EncodeToString(private),
		Public:  hex.EncodeToString(reader.Public()),
		Org:     id.Format(id.Org, stream.Org),
		Run:     id.Format(id.Run, stream.Run),
		What:    stream.What,
	}
	payloads := []string{"epoch 1\n", "", strings.Repeat("loss 0.1 ", 40), "done ✓\n"}
	for n, payload := range payloads {
		final := n == len(payloads)-1
		frame, err := sealer.Seal([]byte(payload), final)
		require.NoError(t, err)
		vectors.Frames = append(vectors.Frames, frameVector{
			Payload: hex.EncodeToString([]byte(payload)), Final: final, Frame: hex.EncodeToString(frame),
		})
	}
	golden(t, "testdata/relay.json", vectors)
}

// TestVectorsOpen opens the files as every later release must.
func TestVectorsOpen(t *testing.T) {
	t.Parallel()
	var envelopes envelopeVectors
	read(t, "testdata/envelope.json", &envelopes)
	key, err := seal.Import(envelopes.Key)
	require.NoError(t, err)
	for _, test := range envelopes.Cases {
		org, err := id.Parse(id.Org, test.Org)
		require.NoError(t, err)
		workspace, err := id.Parse(id.Workspace, test.Workspace)
		require.NoError(t, err)
		value, err := seal.NewRing(key).Open(seal.Binding{Org: org, Workspace: workspace, Name: test.Name},
			unhex(t, test.Envelope))
		require.NoError(t, err)
		require.Equal(t, test.Value, hex.EncodeToString(value))
	}

	var relay relayVectors
	read(t, "testdata/relay.json", &relay)
	reader, err := seal.NewReaderKey(bytes.NewReader(unhex(t, relay.Private)))
	require.NoError(t, err)
	org, err := id.Parse(id.Org, relay.Org)
	require.NoError(t, err)
	run, err := id.Parse(id.Run, relay.Run)
	require.NoError(t, err)
	opener := reader.Opener(seal.Stream{Org: org, Run: run, What: relay.What})
	for _, test := range relay.Frames {
		payload, final, err := opener.Open(unhex(t, test.Frame))
		require.NoError(t, err)
		require.Equal(t, test.Final, final)
		require.Equal(t, test.Payload, hex.EncodeToString(payload))
	}
	require.NoError(t, opener.Close())
}

func read(t *testing.T, file string, v any) {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, v))
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(text)
	require.NoError(t, err)
	return data
}
