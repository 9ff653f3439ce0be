package authz

// OrgState is where an organization stands with its bill.
//
//	trialing → active → past_due → restricted → suspended → closed
//
// A payment leads back to active from every state but closed. past_due is a
// banner. restricted starts no new runs and enrols no new agents: the engine
// looks at that, not this package, because what runs must finish and report.
type OrgState string

// The states of an organization.
const (
	StateTrialing   OrgState = "trialing"
	StateActive     OrgState = "active"
	StatePastDue    OrgState = "past_due"
	StateRestricted OrgState = "restricted"
	StateSuspended  OrgState = "suspended"
	StateClosed     OrgState = "closed"
)

// OrgStates lists every state, in the order of decline.
func OrgStates() []OrgState {
	return []OrgState{StateTrialing, StateActive, StatePastDue, StateRestricted, StateSuspended, StateClosed}
}

// whileSuspended is what still works in a suspended organization: looking, and
// paying.
var whileSuspended = SetOf(PermOrgRead, PermBillingRead, PermBillingWrite, PermAuditRead, PermRunsRead, PermDataRead, PermAgentWork)

// StartsRuns reports whether new runs may start and new agents may enrol.
func (s OrgState) StartsRuns() bool {
	switch s {
	case StateTrialing, StateActive, StatePastDue:
		return true
	case StateRestricted, StateSuspended, StateClosed:
	}
	return false
}

// allows returns the permissions that the state leaves to those who hold them.
// An unknown state leaves none.
func (s OrgState) allows() Set {
	switch s {
	case StateTrialing, StateActive, StatePastDue, StateRestricted:
		return ^Set(0)
	case StateSuspended:
		return whileSuspended
	case StateClosed:
	}
	return 0
}
