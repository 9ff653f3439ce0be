package e2e_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const canaryPipeline = `signalbox: v1
name: canary
params:
  word: {type: string}
tasks:
  speak:
    run: |
      echo "out $WORD"
      echo "err $WORD" >&2
      printf %s "$WORD" > "$SB_OUTPUTS/said"
    env: {WORD: "${{ params.word }}"}
    outputs: {said: string}
  fail:
    run: |
      test "$HEARD" = "$WORD" || exit 3
      echo "error $HEARD" > "$SB_ERROR"
      exit 1
    env: {WORD: "${{ params.word }}", HEARD: "${{ tasks.speak.outputs.said }}"}
`

// A random word goes in as a param and an agent's address, and from there into an environment value,
// both streams, an output and an error. It must be found nowhere but with the
// customer.
func TestValuesNeverReachTheControlPlaneInTheClear(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		var raw [12]byte
		_, err := rand.Read(raw[:])
		require.NoError(t, err)
		word := "canary-" + hex.EncodeToString(raw[:])

		wire := eavesdrop(t, s)
		tn := s.signUp("turing")
		tn.agent("one", 2, "SIGNALBOX_AGENT_ADDRESS="+word) // where gangs meet
		tn.apply(canaryPipeline)
		out, code := tn.cli("run", "start", "canary", "-p", "word="+word, "--watch")
		require.Equal(t, 9, code, "the run fails, and says so: %s", out)
		run := tn.finished("@latest", 10*time.Second)
		require.Equal(t, "failed", run.GetRun().GetState())
		require.NotEmpty(t, attempts(run, "fail")[0].GetSealedError())

		logs := tn.must("run", "logs", "@latest", "speak")
		require.Contains(t, logs, "out "+word)
		require.Contains(t, logs, "err "+word)
		require.Contains(t, tn.must("run", "values", "@latest"), word)

		dump, err := exec.CommandContext(t.Context(), newest(t, "pg_dump"), s.database).Output()
		require.NoError(t, err)
		require.Contains(t, string(dump), "canary", "the dump is one of this database")
		absent(t, "the database", string(dump), word)
		for _, p := range s.servers {
			absent(t, "the log of "+p.name, p.output(), word)
		}
		absent(t, "what went over the wire", wire(), word)
	})
}

// absent looks for a word as it is and as an encoding would hide it.
func absent(t *testing.T, where, text, word string) {
	t.Helper()
	require.NotContains(t, text, word, where)
	require.NotContains(t, text, hex.EncodeToString([]byte(word)), where)
	for shift := range 3 {
		b := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + word))
		// The first and last characters depend on what stands beside the word.
		require.NotContains(t, text, b[4:len(b)-4], where)
	}
}

// eavesdrop puts a proxy before the stack that keeps every request's and
// answer's bytes.
func eavesdrop(t *testing.T, s *stack) func() string {
	t.Helper()
	u, err := url.Parse(s.url)
	require.NoError(t, err)
	heard := &recording{}
	proxy := httputil.NewSingleHostReverseProxy(u)
	proxy.FlushInterval = -1
	proxy.ModifyResponse = func(r *http.Response) error {
		r.Body = heard.tee(r.Body)
		return nil
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Compression would hide what it carries.
		r.Header.Del("Accept-Encoding")
		r.Header.Del("Connect-Accept-Encoding")
		r.Body = heard.tee(r.Body)
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.CloseClientConnections)
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return heard.text
}

func newest(t *testing.T, program string) string {
	t.Helper()
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + program)
	require.NoError(t, err)
	require.NotEmpty(t, found, program)
	sort.Strings(found)
	return found[len(found)-1]
}
