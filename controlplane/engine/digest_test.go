package engine_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
)

// touch makes a value other than it is, with one element in every list.
func touch(v reflect.Value) {
	switch v.Kind() { //nolint:exhaustive // Others have no digest, which the test would find out.
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(v.Uint() + 1)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(v.Float() + 1)
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		if v.Type() == reflect.TypeFor[[]byte]() {
			v.SetBytes([]byte(`1`))
		} else {
			touch(v.Index(0))
		}
	case reflect.Array:
		touch(v.Index(v.Len() - 1))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		touch(key)
		touch(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		touch(v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(v.Interface().(time.Time).Add(time.Hour)))
			return
		}
		for _, f := range v.Fields() {
			if f.CanSet() {
				touch(f)
				return
			}
		}
	default:
		panic("touch " + v.Type().String())
	}
}

// leaves calls each for every exported field below v that holds no other.
func leaves(v reflect.Value, path string, each func(path string, v reflect.Value)) {
	switch {
	case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]():
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				leaves(v.Field(i), path+"."+f.Name, each)
			}
		}
	case v.Kind() == reflect.Slice && v.Len() > 0:
		for i := range v.Len() {
			leaves(v.Index(i), fmt.Sprintf("%s[%d]", path, i), each)
		}
	default:
		each(path, v)
	}
}

// No exported field of a state may change unseen, whoever added it.
func TestDigestCoversEveryField(t *testing.T) {
	t.Parallel()
	s := engine.NewState(id.UUID{1})
	s.Tasks = make([]engine.Task, 2)
	for _, f := range reflect.ValueOf(s).Elem().Fields() { // lists get an element, so that its fields are seen
		if f.Kind() == reflect.Slice && f.Len() == 0 && f.CanSet() {
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
		}
	}
	seen := map[engine.StateDigest]string{s.Digest(): "nothing"}
	leaves(reflect.ValueOf(s).Elem(), "State", func(path string, v reflect.Value) {
		before := reflect.New(v.Type()).Elem()
		before.Set(v)
		touch(v)
		d := s.Digest()
		require.NotContains(t, seen, d, "%s is as %s", path, seen[d])
		seen[d] = path
		v.Set(before)
	})
	require.Greater(t, len(seen), 30)
	require.Equal(t, "nothing", seen[s.Digest()])
}

func TestDigestIsOfTheContentAlone(t *testing.T) {
	t.Parallel()
	a, b := engine.NewState(id.UUID{1}), engine.NewState(id.UUID{1})
	b.Tasks = []engine.Task{}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	a.StartedAt, b.StartedAt = at, at.In(time.FixedZone("there", 3600))
	require.Equal(t, a.Digest(), b.Digest())
	a.Reason = "x\nRun failed" // no text may look like another line
	b.Reason = "x"
	b.Run = engine.RunFailed
	require.NotEqual(t, a.Digest(), b.Digest())
	require.Equal(t, "signalbox.state/1\nGeneration 1\nID 01000000000000000000000000000000\nReason \"x\\nRun failed\"\nStartedAt 2026-03-01T12:00:00Z\n",
		string(a.Canonical()))
}

// A large state is hashed in pieces.
func TestDigestIsThatOfTheText(t *testing.T) {
	t.Parallel()
	s := engine.NewState(id.UUID{1})
	s.Tasks = make([]engine.Task, 5000)
	for i := range s.Tasks {
		s.Tasks[i].Attempt = int32(i + 1)
	}
	text := string(s.Canonical())
	require.Equal(t, 5000, strings.Count(text, ".Attempt "))
	require.Equal(t, sum(text), s.Digest())
}

// Two states of one history are equal exactly where their digests are.
func TestDigestsOfRandomHistories(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		if rapid.IntRange(0, 9).Draw(r, "one in ten") > 0 {
			return
		}
		w := randomJournal(r)
		s := engine.NewState(runID)
		seen := map[engine.StateDigest]bool{}
		for _, e := range w.journal {
			require.NoError(r, engine.Fold(w.g, s, e))
			require.False(r, seen[s.Digest()], "each entry changes the state")
			seen[s.Digest()] = true
		}
		require.Equal(r, w.s.Digest(), s.Digest())
	})
}

func BenchmarkDigest(b *testing.B) {
	s := engine.NewState(id.UUID{1})
	s.Tasks = make([]engine.Task, 10_000)
	for i := range s.Tasks {
		s.Tasks[i] = engine.Task{State: engine.TaskSucceeded, Attempt: 1, S: 2, EndSeq: int64(i)}
	}
	for b.Loop() {
		s.Digest()
	}
}
