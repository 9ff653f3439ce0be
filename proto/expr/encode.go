package expr

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// encoder writes a result as JSON and stops at a limit: a small expression can
// name a list of lists that would fill the memory if it were written out.
type encoder struct {
	out   bytes.Buffer
	limit int
}

func (e *encoder) value(value ref.Val) error {
	if e.out.Len() > e.limit {
		return fmt.Errorf("the result is longer than %d bytes", e.limit)
	}
	switch value := value.(type) {
	case types.Null:
		e.out.WriteString("null")
	case types.Bool:
		e.out.WriteString(strconv.FormatBool(bool(value)))
	case types.Int:
		e.out.WriteString(strconv.FormatInt(int64(value), 10))
	case types.Uint:
		e.out.WriteString(strconv.FormatUint(uint64(value), 10))
	case types.Double:
		return e.float(float64(value))
	case types.String:
		return e.text(string(value))
	case types.Bytes:
		return e.text(base64.StdEncoding.EncodeToString(value))
	case types.Duration:
		return e.duration(value.Duration)
	case types.Timestamp:
		return e.text(value.Format(time.RFC3339Nano))
	case traits.Mapper:
		return e.mapping(value)
	case traits.Lister:
		return e.list(value)
	default:
		return fmt.Errorf("no value can be a %s", value.Type().TypeName())
	}
	return nil
}

func (e *encoder) text(text string) error {
	if len(text) > e.limit {
		return fmt.Errorf("the result is longer than %d bytes", e.limit)
	}
	raw, err := json.Marshal(text)
	if err != nil {
		return fmt.Errorf("write text: %w", err)
	}
	e.out.Write(raw)
	return nil
}

func (e *encoder) float(number float64) error {
	if math.IsNaN(number) || math.IsInf(number, 0) {
		return errors.New("the result is not a finite number")
	}
	raw, err := json.Marshal(number)
	if err != nil {
		return fmt.Errorf("write number: %w", err)
	}
	e.out.Write(raw)
	return nil
}

func (e *encoder) duration(duration time.Duration) error {
	if duration%time.Millisecond != 0 {
		return errors.New("the duration is not a whole number of milliseconds")
	}
	return e.text(plan.Millis(duration.Milliseconds()).String())
}

func (e *encoder) list(list traits.Lister) error {
	e.out.WriteByte('[')
	first := true
	for at := list.Iterator(); at.HasNext() == types.True; first = false {
		if !first {
			e.out.WriteByte(',')
		}
		if err := e.value(at.Next()); err != nil {
			return err
		}
	}
	e.out.WriteByte(']')
	return nil
}

func (e *encoder) mapping(mapping traits.Mapper) error {
	e.out.WriteByte('{')
	first := true
	for at := mapping.Iterator(); at.HasNext() == types.True; first = false {
		key, ok := at.Next().(types.String)
		if !ok {
			return errors.New("the keys of a json object are strings")
		}
		if !first {
			e.out.WriteByte(',')
		}
		if err := e.text(string(key)); err != nil {
			return err
		}
		e.out.WriteByte(':')
		if err := e.value(mapping.Get(key)); err != nil {
			return err
		}
	}
	e.out.WriteByte('}')
	return nil
}
