package exit

import (
	"strings"

	"connectrpc.com/connect"

	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
)

// advice is what to do about a reason of the contract, and the exit code where
// the wire code alone would give another one.
type advice struct {
	code Code // 0: the wire code's
	hint string
}

// advices has an entry for each reason about which something can be said; a
// test keeps it complete.
var advices = map[faultv1.Reason]advice{
	faultv1.Reason_REASON_NOT_FOUND:         {NotFound, "is it in this organization and workspace? `signalbox config view --origin` shows which are in use"},
	faultv1.Reason_REASON_UNAUTHENTICATED:   {Auth, "log in with `signalbox login`, or set SIGNALBOX_TOKEN"},
	faultv1.Reason_REASON_PERMISSION_DENIED: {Denied, "`signalbox whoami` shows your roles; an admin of the organization can change them"},
	faultv1.Reason_REASON_INVALID_ARGUMENT:  {},
	faultv1.Reason_REASON_ALREADY_EXISTS:    {Conflict, ""},
	faultv1.Reason_REASON_CONFLICT:          {Conflict, "somebody else changed it first: look again, then repeat"},
	faultv1.Reason_REASON_UNAVAILABLE:       {Later, "try again in a moment"},
	faultv1.Reason_REASON_INTERNAL:          {Failed, "this is a defect of the service; please report it with the request's id"},
	faultv1.Reason_REASON_QUOTA_EXCEEDED:    {Denied, "`signalbox usage show` shows what is used"},
	faultv1.Reason_REASON_RATE_LIMITED:      {Later, "too many calls: wait a little, then repeat"},

	faultv1.Reason_REASON_PIPELINE_INVALID:     {Wrong, ""},
	faultv1.Reason_REASON_PIPELINE_PAUSED:      {Conflict, "the pipeline takes no new runs while it is paused"},
	faultv1.Reason_REASON_SCHEDULE_OF_FILE:     {Conflict, "take it out of the file's `triggers:` and `signalbox apply` it, or use `signalbox schedule pause`"},
	faultv1.Reason_REASON_VERSION_NOT_DEPLOYED: {Conflict, "deploy one: `signalbox apply FILE` or `signalbox pipeline deploy PIPELINE DIGEST`"},
	faultv1.Reason_REASON_PARAM_INVALID:        {Wrong, "`signalbox pipeline show PIPELINE --params` lists the params and their types"},
	faultv1.Reason_REASON_PARAM_NOT_SEALED:     {Wrong, "only params declared `open: true` travel in the clear; this program seals the others: is it of the server's release?"},

	faultv1.Reason_REASON_RUN_TERMINAL:         {Conflict, "it has ended and stays as it is; `signalbox run start PIPELINE` starts another"},
	faultv1.Reason_REASON_RUN_FINALIZING:       {Conflict, "only exit handlers are left; --force skips them"},
	faultv1.Reason_REASON_INPUTS_MISSING:       {Failed, "run the task with those that it reads: `signalbox run resume RUN --from TASK`"},
	faultv1.Reason_REASON_TOO_DEEP:             {Wrong, "let fewer pipelines run each other, at most eight deep"},
	faultv1.Reason_REASON_LIMIT_HELD:           {Conflict, "it can be deleted once they have ended; `signalbox limit set NAME --max 0` lets nothing new start"},
	faultv1.Reason_REASON_NOTHING_TO_RETRY:     {Conflict, "start a new run instead: `signalbox run start PIPELINE`"},
	faultv1.Reason_REASON_RUN_NOT_TERMINAL:     {Conflict, "wait for the run to end (`signalbox run wait RUN`) or cancel it first"},
	faultv1.Reason_REASON_IDEMPOTENCY_MISMATCH: {Conflict, "the key was used for another start; take a new --key for other content"},
	faultv1.Reason_REASON_RUN_EXISTS:           {Conflict, "that run is the answer, or start with another --key"},
	faultv1.Reason_REASON_CONCURRENCY_LIMIT:    {Conflict, "`signalbox run list` shows what goes on; cancel it, or wait for it"},
	faultv1.Reason_REASON_QUEUE_FULL:           {Later, "runs come faster than they end: raise the pipeline's `concurrency.limit`, or choose a policy that drops"},

	faultv1.Reason_REASON_JOURNAL_ARCHIVED: {Conflict, "whoever runs the service can bring it back: `signalbox server restore`"},

	faultv1.Reason_REASON_STALE_FENCE:     {Conflict, ""},
	faultv1.Reason_REASON_SESSION_EXPIRED: {Auth, "log in again: `signalbox login`"},
	faultv1.Reason_REASON_AGENT_REVOKED:   {Denied, "the agent was revoked; make a new join token: `signalbox pool join-token POOL`"},
	faultv1.Reason_REASON_TOKEN_INVALID:   {Auth, "the token is not valid: was it copied whole?"},
	faultv1.Reason_REASON_TOKEN_USED:      {Conflict, "the token was used up; ask for a new one"},
	faultv1.Reason_REASON_TOKEN_EXPIRED:   {Auth, "the token has expired; log in again, or make a new key"},

	faultv1.Reason_REASON_EMAIL_NOT_VERIFIED:  {Auth, "follow the link in the mail that was sent at sign-up"},
	faultv1.Reason_REASON_BAD_CREDENTIALS:     {Auth, "check the e-mail address and the password"},
	faultv1.Reason_REASON_PASSWORD_REFUSED:    {Wrong, ""},
	faultv1.Reason_REASON_LAST_OWNER:          {Conflict, "an owner makes another one in the web app; no token may"},
	faultv1.Reason_REASON_SEALING_KEY_MISSING: {Conflict, hintStartAgent},

	faultv1.Reason_REASON_NO_AGENT_ONLINE: {Later, "this data never leaves your agents' side, so one must be online: `signalbox agent list`"},
	faultv1.Reason_REASON_STREAM_CLOSED:   {Later, "the stream was cut; repeat the command"},
	faultv1.Reason_REASON_DATA_GONE:       {NotFound, "the agent no longer has it"},

	faultv1.Reason_REASON_RUN_PENDING:       {Conflict, "it has nothing to pause yet; `signalbox cancel RUN` keeps it from starting"},
	faultv1.Reason_REASON_RUN_CANCELING:     {Conflict, "it is being canceled and ends by itself"},
	faultv1.Reason_REASON_RUN_NOT_PAUSED:    {Conflict, "there is nothing to resume"},
	faultv1.Reason_REASON_SIGNAL_UNKNOWN:    {Wrong, "`signalbox pipeline show PIPELINE` shows what its tasks wait for"},
	faultv1.Reason_REASON_SIGNAL_LIMIT:      {Denied, "send what belongs together as one signal"},
	faultv1.Reason_REASON_NOT_AN_APPROVAL:   {Wrong, "`signalbox approval list` shows what waits for somebody"},
	faultv1.Reason_REASON_APPROVAL_NOT_OPEN: {Conflict, "the run has not come that far: `signalbox watch RUN`"},
	faultv1.Reason_REASON_APPROVAL_CLOSED:   {Conflict, "`signalbox run history RUN` tells who decided"},
	faultv1.Reason_REASON_FOUR_EYES:         {Denied, "ask a colleague: `signalbox approval list` is the same for everybody"},
	faultv1.Reason_REASON_NOT_AN_APPROVER:   {Denied, "ask one of those who are named"},
}

const hintStartAgent = "the workspace's first agent makes its sealing key: start one with `signalbox pool join-token POOL`"

func refine(e *Error, reason faultv1.Reason) {
	a := advices[reason]
	if a.code != OK {
		e.Code = a.code
	}
	e.Hint = a.hint
	if reason == faultv1.Reason_REASON_NOT_FOUND && strings.HasPrefix(e.Text, "there is no task ") {
		e.Hint = "`signalbox task list RUN` lists the run's tasks, the items of its maps as well"
	}
}

// adviceFor is about refusals that carry no reason.
func adviceFor(code connect.Code) string {
	if code == connect.CodeUnauthenticated {
		return advices[faultv1.Reason_REASON_UNAUTHENTICATED].hint
	}
	return ""
}

// KnowsReason reports whether this program can say something about a reason.
func KnowsReason(reason faultv1.Reason) bool {
	_, ok := advices[reason]
	return ok
}
