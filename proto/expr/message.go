package expr

import (
	"regexp"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/operators"
)

var (
	undeclared = regexp.MustCompile(`^undeclared reference to '([^']*)'`)
	suggested  = regexp.MustCompile(`\(did you mean '([^']*)'\?\)`)
	overload   = regexp.MustCompile(`^found no matching overload for '([^']*)' applied to '\((.*)\)'$`)
	method     = regexp.MustCompile(`^found no matching overload for '([^']*)' applied to '(.+)\.\((.*)\)'$`)
	mismatch   = regexp.MustCompile(`^expected type '(.*)' but found '(.*)'$`)
	expecting  = regexp.MustCompile(`(?s) expecting .*$`)
	selection  = regexp.MustCompile(`^type '(.*)' does not support field selection$`)
	nullable   = regexp.MustCompile(`wrapper\((\w+)\)`)
)

// celTypes are CEL's names of types that have others here. The order matters.
var celTypes = strings.NewReplacer(
	"google.protobuf.Duration", "duration",
	"google.protobuf.Timestamp", "timestamp",
	"null_type", "null",
	"double", "float",
	"dyn", "json",
)

// translate turns CEL's messages into ours; nil where there are none. CEL may
// report one place several times, of which only the first says something.
func translate(source string, issues *cel.Issues) Errors {
	if issues == nil {
		return nil
	}
	var errs Errors
	for _, issue := range issues.Errors() {
		at := lineOffset(source, issue.Location.Line(), issue.Location.Column())
		if len(errs) > 0 && (errs[len(errs)-1].Offset == at || strings.HasPrefix(issue.Message, "Syntax error")) {
			continue
		}
		errs = append(errs, reword(source, at, issue.Message))
	}
	return errs
}

// reword knows the messages that authors meet; others stay as CEL wrote them.
func reword(source string, at int, message string) *Error {
	if found := undeclared.FindStringSubmatch(message); found != nil {
		return undeclaredName(source, at, found[1], suggested.FindStringSubmatch(message))
	}
	message = nullable.ReplaceAllString(message, "$1?")
	message = celTypes.Replace(strings.ReplaceAll(expecting.ReplaceAllString(message, ""), "Syntax error: ", ""))
	switch {
	case overload.MatchString(message):
		found := overload.FindStringSubmatch(message)
		message = misapplied(found[1], splitTypes(found[2]))
	case method.MatchString(message):
		found := method.FindStringSubmatch(message)
		message = "`" + found[1] + "` does not work on " + found[2] + " with (" + found[3] + ")"
	case mismatch.MatchString(message):
		found := mismatch.FindStringSubmatch(message)
		message = "this is " + found[2] + ", and " + found[1] + " is needed"
	case selection.MatchString(message):
		message = selection.FindStringSubmatch(message)[1] + " has no fields"
	case strings.Contains(message, "max recursion depth exceeded"):
		message = "the expression is nested too deeply"
	case strings.Contains(message, "'<EOF>'") && !strings.Contains(message, "extraneous"):
		message = "the expression ends too early"
	}
	return &Error{Offset: pastDot(source, at), Text: message}
}

// undeclaredName tells variables from functions, of which CEL gives the bracket's
// place, and whose near names only CEL knows.
func undeclaredName(source string, at int, unknown string, near []string) *Error {
	if strings.HasPrefix(source[at:], "(") {
		wrong := &Error{Offset: max(at-len(unknown), 0), Text: "there is no function `" + unknown + "`"}
		if near != nil {
			wrong.Near = near[1:]
		}
		return wrong
	}
	return &Error{
		Offset: at,
		Text:   "there is no `" + unknown + "`; expressions read params, tasks, item and run",
		Near:   Nearest(unknown, []string{rootParams, rootTasks, rootItem, rootRun}),
	}
}

// misapplied says that an operator or function does not take these types.
func misapplied(function string, args []string) string {
	symbol, isOperator := operators.FindReverse(function)
	if function == operators.Conditional {
		if args[0] != "bool" && args[0] != "json" {
			return "the condition before `?` must be bool, and is " + args[0]
		}
		return "the two sides of `:` must have one type, and are " + args[1] + " and " + args[2]
	}
	if function == operators.Index {
		return args[0] + " cannot be indexed with " + args[1]
	}
	if !isOperator || symbol == "" {
		return "`" + function + "` does not work on (" + strings.Join(args, ", ") + ")"
	}
	text := "`" + symbol + "` does not work on " + strings.Join(args, " and ")
	if len(args) == 2 && (args[0] == "int" && args[1] == "float" || args[0] == "float" && args[1] == "int") {
		text += "; write float(…) around the int"
	}
	return text
}

// splitTypes splits at the commas that no bracket encloses.
func splitTypes(list string) []string {
	var split []string
	depth, from := 0, 0
	for i := range len(list) {
		switch list[i] {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				split = append(split, strings.TrimSpace(list[from:i]))
				from = i + 1
			}
		}
	}
	return append(split, strings.TrimSpace(list[from:]))
}

// lineOffset turns a line from 1 and a column of characters from 0 into an
// offset in bytes.
func lineOffset(text string, line, column int) int {
	at := 0
	for ; line > 1; line-- {
		next := strings.IndexByte(text[at:], '\n')
		if next < 0 {
			break
		}
		at += next + 1
	}
	return at + byteOffset(text[at:], column)
}
