package pg

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
)

// arrayTypes are the arrays that hot statements pass to unnest.
var arrayTypes = map[string]uint32{
	"_uuid": pgtype.UUIDArrayOID, "_text": pgtype.TextArrayOID, "_bytea": pgtype.ByteaArrayOID, "_bool": pgtype.BoolArrayOID,
	"_int2": pgtype.Int2ArrayOID, "_int4": pgtype.Int4ArrayOID, "_int8": pgtype.Int8ArrayOID,
	"_float8": pgtype.Float8ArrayOID, "_timestamptz": pgtype.TimestamptzArrayOID,
}

// arrayCodec is pgx's codec, with shortcuts for the slices that go into such an
// array as they are: pgx finds out for each element how to write it.
type arrayCodec struct{ *pgtype.ArrayCodec }

// PlanEncode is called by pgx to find how to write value.
func (c arrayCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if format == pgtype.BinaryFormatCode {
		if plan := planSlice(oid, c.ElementType.OID, value); plan != nil {
			return plan
		}
	}
	return c.ArrayCodec.PlanEncode(m, oid, format, value)
}

func planSlice(array, element uint32, value any) pgtype.EncodePlan {
	switch value.(type) {
	case []uuid.UUID:
		return sliceIf(array == pgtype.UUIDArrayOID, element, encodeID)
	case []*uuid.UUID:
		return sliceIf(array == pgtype.UUIDArrayOID, element, orNull(encodeID))
	case []string:
		return sliceIf(array == pgtype.TextArrayOID, element, encodeText)
	case []*string:
		return sliceIf(array == pgtype.TextArrayOID, element, orNull(encodeText))
	case [][]byte:
		return sliceIf(array == pgtype.ByteaArrayOID, element, encodeBytes)
	case []bool:
		return sliceIf(array == pgtype.BoolArrayOID, element, encodeBool)
	case []int16:
		return sliceIf(array == pgtype.Int2ArrayOID, element, encodeInt2)
	case []int32:
		return sliceIf(array == pgtype.Int4ArrayOID, element, encodeInt4)
	case []*int32:
		return sliceIf(array == pgtype.Int4ArrayOID, element, orNull(encodeInt4))
	case []int64:
		return sliceIf(array == pgtype.Int8ArrayOID, element, encodeInt8)
	case []float64:
		return sliceIf(array == pgtype.Float8ArrayOID, element, encodeFloat8)
	case []time.Time:
		return sliceIf(array == pgtype.TimestamptzArrayOID, element, encodeTime)
	case []*time.Time:
		return sliceIf(array == pgtype.TimestamptzArrayOID, element, orNull(encodeTime))
	}
	return nil
}

func sliceIf[T any](fits bool, element uint32, each func(buf []byte, v *T) []byte) pgtype.EncodePlan {
	if !fits {
		return nil
	}
	return encodeSlice[T]{element, each}
}

// encodeSlice writes a []T as an array of one dimension. each appends the length
// of an element, -1 for NULL, and its bytes.
type encodeSlice[T any] struct {
	element uint32
	each    func(buf []byte, v *T) []byte
}

// Encode is called by pgx. A nil slice is NULL, as pgx has it.
func (e encodeSlice[T]) Encode(value any, buf []byte) ([]byte, error) {
	list, _ := value.([]T) // pgx plans by type
	if list == nil {
		return nil, nil
	}
	if len(list) == 0 {
		return appendInt32s(buf, 0, 0, int32(e.element)), nil
	}
	// The flag says that there may be NULLs: PostgreSQL looks for itself.
	buf = appendInt32s(buf, 1, 1, int32(e.element), int32(len(list)), 1)
	for i := range list {
		buf = e.each(buf, &list[i])
	}
	return buf, nil
}

func appendInt32s(buf []byte, all ...int32) []byte {
	for _, n := range all {
		buf = binary.BigEndian.AppendUint32(buf, uint32(n))
	}
	return buf
}

func orNull[T any](each func(buf []byte, v *T) []byte) func(buf []byte, v **T) []byte {
	return func(buf []byte, v **T) []byte {
		if *v == nil {
			return appendInt32s(buf, -1)
		}
		return each(buf, *v)
	}
}

func encodeID(buf []byte, v *uuid.UUID) []byte { return append(appendInt32s(buf, 16), v[:]...) }

func encodeText(buf []byte, v *string) []byte {
	return append(appendInt32s(buf, int32(len(*v))), *v...)
}

func encodeBytes(buf []byte, v *[]byte) []byte {
	if *v == nil {
		return appendInt32s(buf, -1)
	}
	return append(appendInt32s(buf, int32(len(*v))), *v...)
}

func encodeBool(buf []byte, v *bool) []byte {
	b := byte(0)
	if *v {
		b = 1
	}
	return append(appendInt32s(buf, 1), b)
}

func encodeInt2(buf []byte, v *int16) []byte {
	return binary.BigEndian.AppendUint16(appendInt32s(buf, 2), uint16(*v))
}

func encodeInt4(buf []byte, v *int32) []byte { return appendInt32s(buf, 4, *v) }

func encodeInt8(buf []byte, v *int64) []byte {
	return binary.BigEndian.AppendUint64(appendInt32s(buf, 8), uint64(*v))
}

func encodeFloat8(buf []byte, v *float64) []byte {
	return binary.BigEndian.AppendUint64(appendInt32s(buf, 8), math.Float64bits(*v))
}

// epoch is from when PostgreSQL counts, in microseconds since 1970.
const epoch = 946_684_800_000_000

func encodeTime(buf []byte, v *time.Time) []byte {
	return binary.BigEndian.AppendUint64(appendInt32s(buf, 8), uint64(v.UnixMicro()-epoch))
}
