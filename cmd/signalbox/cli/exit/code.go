package exit

// Code is a process's exit code. The numbers are part of the public interface:
// they never change.
type Code int

// The exit codes. 65 and 75 are those of sysexits.h, 130 the shell's for SIGINT.
const (
	OK          Code = 0
	Failed      Code = 1
	Usage       Code = 2
	NotFound    Code = 3
	Auth        Code = 4
	Denied      Code = 5
	Conflict    Code = 6
	RunFailed   Code = 9
	RunFailing  Code = 10
	RunCanceled Code = 11
	RunWaiting  Code = 12
	Wrong       Code = 65
	Later       Code = 75
	Interrupted Code = 130
)

// Meaning explains one exit code.
type Meaning struct {
	Code Code
	// Name is the code's machine name, the "code" of a JSON error that has no
	// better one.
	Name string
	Text string
}

// Meanings lists every code in ascending order.
func Meanings() []Meaning {
	return []Meaning{
		{OK, "ok", "done"},
		{Failed, "error", "something else went wrong"},
		{Usage, "usage", "the command line is wrong"},
		{NotFound, "not_found", "there is no such thing, or it is not yours"},
		{Auth, "unauthenticated", "not logged in, or the token is not valid"},
		{Denied, "permission_denied", "not permitted, or a quota or budget is used up"},
		{Conflict, "conflict", "the thing's present state does not allow it, or the name is taken"},
		{RunFailed, "run_failed", "the run failed"},
		{RunFailing, "run_failing", "the run is failing: a task failed (--exit-on failing)"},
		{RunCanceled, "run_canceled", "the run was canceled or dropped"},
		{RunWaiting, "run_waiting", "the run waits for an approval"},
		{Wrong, "invalid", "the file or a value is wrong"},
		{Later, "unavailable", "not now: the same command may succeed later"},
		{Interrupted, "interrupted", "interrupted"},
	}
}

// Name is the machine name of a code, "error" for an unknown one.
func (c Code) Name() string {
	for _, m := range Meanings() {
		if m.Code == c {
			return m.Name
		}
	}
	return "error"
}
