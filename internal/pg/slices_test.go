package pg_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/pgtest"
)

type slices struct {
	IDs      []uuid.UUID
	SomeIDs  []*uuid.UUID `db:"some_ids"`
	Texts    []string
	SomeText []*string `db:"some_text"`
	Bytes    [][]byte
	Bools    []bool
	Int2s    []int16 `db:"int2s"`
	Int4s    []int32 `db:"int4s"`
	SomeInts []*int32
	Int8s    []int64   `db:"int8s"`
	Floats   []float64 `db:"floats"`
	Times    []time.Time
	SomeTime []*time.Time `db:"some_time"`
}

func TestSlicesTravelBothWays(t *testing.T) {
	t.Parallel()
	conn, err := pgtest.DB(t).Engine.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	one, word, n := uuid.New(), "word", int32(-7)
	at := time.Date(1969, 7, 20, 20, 17, 40, 123_456_000, time.UTC)
	later := time.Date(2400, 2, 29, 0, 0, 0, 1000, time.UTC)
	for name, s := range map[string]slices{
		"full": {
			IDs: []uuid.UUID{one, {}}, SomeIDs: []*uuid.UUID{nil, &one}, Texts: []string{"", "ä{,\"", "NULL"}, SomeText: []*string{&word, nil},
			Bytes: [][]byte{nil, {}, {0, 255}}, Bools: []bool{true, false}, Int2s: []int16{-1, 32767}, Int4s: []int32{n, 1 << 30},
			SomeInts: []*int32{nil, &n}, Int8s: []int64{-1 << 62, 1}, Floats: []float64{-0.5, 1e300}, Times: []time.Time{at, later},
			SomeTime: []*time.Time{nil, &at},
		},
		"empty": {
			IDs: []uuid.UUID{}, SomeIDs: []*uuid.UUID{}, Texts: []string{}, SomeText: []*string{}, Bytes: [][]byte{}, Bools: []bool{}, Int2s: []int16{},
			Int4s: []int32{}, SomeInts: []*int32{}, Int8s: []int64{}, Floats: []float64{}, Times: []time.Time{}, SomeTime: []*time.Time{},
		},
		"null": {},
	} {
		rows, _ := conn.Query(t.Context(), `
			SELECT @ids::uuid[] AS ids, @some_ids::uuid[] AS some_ids, @texts::text[] AS texts, @some_text::text[] AS some_text,
				@bytes::bytea[] AS bytes, @bools::boolean[] AS bools, @int2s::smallint[] AS int2s, @int4s::int[] AS int4s,
				@some_ints::int[] AS some_ints, @int8s::bigint[] AS int8s, @floats::float8[] AS floats,
				@times::timestamptz[] AS times, @some_time::timestamptz[] AS some_time`,
			pgx.StrictNamedArgs{
				"ids": s.IDs, "some_ids": s.SomeIDs, "texts": s.Texts, "some_text": s.SomeText, "bytes": s.Bytes, "bools": s.Bools,
				"int2s": s.Int2s, "int4s": s.Int4s, "some_ints": s.SomeInts, "int8s": s.Int8s, "floats": s.Floats,
				"times": s.Times, "some_time": s.SomeTime,
			})
		got, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[slices])
		require.NoError(t, err, name)
		for i := range got.Times {
			got.Times[i] = got.Times[i].UTC()
		}
		for _, at := range got.SomeTime {
			if at != nil {
				*at = at.UTC()
			}
		}
		require.Equal(t, s, got, name)
	}
}

func TestSlicesOfOtherArraysGoTheUsualWay(t *testing.T) {
	t.Parallel()
	var text string
	require.NoError(t, pgtest.DB(t).Engine.QueryRow(t.Context(), `SELECT array_to_string(@days::date[], ',') || array_to_string(@n::numeric[], ',') || @wide::bigint[]::text`,
		pgx.StrictNamedArgs{"days": []time.Time{time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)}, "n": []int64{12}, "wide": []int32{3}}).Scan(&text))
	require.Equal(t, "2026-07-0112{3}", text)
}
