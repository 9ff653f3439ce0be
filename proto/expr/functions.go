package expr

import (
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// functions are what CEL's own lack. They are named and behave like those of
// CEL's strings extension, which is not used because its replace and join can
// make gigabytes of two values before any limit of cost is asked.
func functions() []cel.EnvOption {
	text, list := cel.StringType, cel.ListType(cel.StringType)
	method := func(name string, args []*cel.Type, result *cel.Type, call func(args ...ref.Val) ref.Val) cel.EnvOption {
		return cel.Function(name, cel.MemberOverload("signalbox_"+name, args, result, cel.FunctionBinding(call)))
	}
	return []cel.EnvOption{
		method("lowerAscii", []*cel.Type{text}, text, onText(lowerASCII)),
		method("upperAscii", []*cel.Type{text}, text, onText(upperASCII)),
		method("trim", []*cel.Type{text}, text, onText(strings.TrimSpace)),
		method("replace", []*cel.Type{text, text, text}, text, replace),
		method("split", []*cel.Type{text, text}, list, split),
		method("join", []*cel.Type{list, text}, text, join),
		cel.Function("float",
			cel.Overload("signalbox_float_int", []*cel.Type{cel.IntType}, cel.DoubleType, cel.UnaryBinding(toFloat)),
			cel.Overload("signalbox_float_float", []*cel.Type{cel.DoubleType}, cel.DoubleType, cel.UnaryBinding(toFloat)),
			cel.Overload("signalbox_float_string", []*cel.Type{text}, cel.DoubleType, cel.UnaryBinding(toFloat)),
		),
	}
}

// toFloat is CEL's double() under the name that the type has here.
func toFloat(value ref.Val) ref.Val { return value.ConvertToType(types.DoubleType) }

func onText(change func(string) string) func(args ...ref.Val) ref.Val {
	return func(args ...ref.Val) ref.Val {
		text, ok := args[0].(types.String)
		if !ok {
			return types.MaybeNoSuchOverloadErr(args[0])
		}
		return types.String(change(string(text)))
	}
}

func lowerASCII(text string) string { return mapASCII(text, 'A', 'Z', 'a'-'A') }
func upperASCII(text string) string { return mapASCII(text, 'a', 'z', 'A'-'a') }

func mapASCII(text string, from, to, by rune) string {
	return strings.Map(func(r rune) rune {
		if from <= r && r <= to {
			return r + by
		}
		return r
	}, text)
}

func replace(args ...ref.Val) ref.Val {
	text, isText := args[0].(types.String)
	old, isOld := args[1].(types.String)
	by, isBy := args[2].(types.String)
	if !isText || !isOld || !isBy {
		return types.NewErr("replace works on strings")
	}
	size := len(text) + strings.Count(string(text), string(old))*(len(by)-len(old))
	if size > plan.MaxValueBytes {
		return tooLong("replace")
	}
	return types.String(strings.ReplaceAll(string(text), string(old), string(by)))
}

func split(args ...ref.Val) ref.Val {
	text, isText := args[0].(types.String)
	separator, isSeparator := args[1].(types.String)
	if !isText || !isSeparator {
		return types.NewErr("split works on strings")
	}
	return types.NewStringList(types.DefaultTypeAdapter, strings.Split(string(text), string(separator)))
}

func join(args ...ref.Val) ref.Val {
	list, isList := args[0].(traits.Lister)
	separator, isSeparator := args[1].(types.String)
	if !isList || !isSeparator {
		return types.NewErr("join works on a list of strings")
	}
	var joined strings.Builder
	first := true
	for at := list.Iterator(); at.HasNext() == types.True; first = false {
		text, ok := at.Next().(types.String)
		if !ok {
			return types.NewErr("join works on a list of strings")
		}
		if !first {
			joined.WriteString(string(separator))
		}
		joined.WriteString(string(text))
		if joined.Len() > plan.MaxValueBytes {
			return tooLong("join")
		}
	}
	return types.String(joined.String())
}

func tooLong(function string) ref.Val {
	return types.NewErr("%s gives more than %d bytes", function, plan.MaxValueBytes)
}
