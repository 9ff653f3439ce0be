package pg

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// registerTypes lets uuid.UUID travel in binary. Left alone, pgx sees a
// driver.Valuer and an sql.Scanner and goes through text, which the hot
// statements that pass arrays of ids to unnest would pay for on every row; and
// the Scanner takes NULL for the zero id.
func registerTypes(_ context.Context, conn *pgx.Conn) error {
	t := &pgtype.Type{Name: "uuid", OID: pgtype.UUIDOID, Codec: uuidCodec{}}
	conn.TypeMap().RegisterType(t)
	conn.TypeMap().RegisterType(&pgtype.Type{Name: "_uuid", OID: pgtype.UUIDArrayOID, Codec: &pgtype.ArrayCodec{ElementType: t}})
	for name, oid := range arrayTypes {
		known, ok := conn.TypeMap().TypeForOID(oid)
		if !ok {
			continue
		}
		if codec, ok := known.Codec.(*pgtype.ArrayCodec); ok {
			conn.TypeMap().RegisterType(&pgtype.Type{Name: name, OID: oid, Codec: arrayCodec{codec}})
		}
	}
	return nil
}

var errNullUUID = errors.New("NULL does not fit a uuid.UUID: scan into a *uuid.UUID or uuid.NullUUID")

// uuidCodec is pgx's codec, with shortcuts for uuid.UUID in binary.
type uuidCodec struct{ pgtype.UUIDCodec }

// PlanEncode is called by pgx to find how to write value.
func (c uuidCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if _, ok := value.(uuid.UUID); ok && format == pgtype.BinaryFormatCode {
		return encodeUUID{}
	}
	return c.UUIDCodec.PlanEncode(m, oid, format, value)
}

// PlanScan is called by pgx to find how to read into target.
func (c uuidCodec) PlanScan(m *pgtype.Map, oid uint32, format int16, target any) pgtype.ScanPlan {
	if _, ok := target.(*uuid.UUID); ok && format == pgtype.BinaryFormatCode {
		return scanUUID{}
	}
	return c.UUIDCodec.PlanScan(m, oid, format, target)
}

// DecodeValue makes the value that a row without target types has.
func (c uuidCodec) DecodeValue(m *pgtype.Map, oid uint32, format int16, src []byte) (any, error) {
	if src == nil {
		return nil, nil
	}
	var u uuid.UUID
	err := m.Scan(oid, format, src, &u)
	return u, err
}

type encodeUUID struct{}

// Encode appends the 16 bytes.
func (encodeUUID) Encode(value any, buf []byte) ([]byte, error) {
	u, ok := value.(uuid.UUID)
	if !ok {
		return nil, fmt.Errorf("encode %T as a uuid", value)
	}
	return append(buf, u[:]...), nil
}

type scanUUID struct{}

// Scan copies the 16 bytes.
func (scanUUID) Scan(src []byte, target any) error {
	u, ok := target.(*uuid.UUID)
	switch {
	case !ok:
		return fmt.Errorf("scan a uuid into %T", target)
	case src == nil:
		return errNullUUID
	case len(src) != len(u):
		return fmt.Errorf("a uuid of %d bytes", len(src))
	}
	copy(u[:], src)
	return nil
}
