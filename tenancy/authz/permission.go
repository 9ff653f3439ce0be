package authz

import "math/bits"

// Permission names a group of things that one may or may not do. The names are
// those of the proto option signalbox.authz.v1.rule; they are public and stable.
type Permission string

// The permissions.
const (
	PermOrgRead         Permission = "org.read"         // the organization, its members and workspaces
	PermOrgAdmin        Permission = "org.admin"        // settings, sign-on, domains
	PermOrgOwn          Permission = "org.own"          // delete, transfer, change owners; never by a token
	PermMembersAdmin    Permission = "members.admin"    // invite, remove, give roles up to one's own
	PermBillingRead     Permission = "billing.read"     // usage, costs, invoices
	PermBillingWrite    Permission = "billing.write"    // plan, payment, budgets
	PermAuditRead       Permission = "audit.read"       // read and export the audit log
	PermWorkspaceAdmin  Permission = "ws.admin"         // create and delete workspaces, or edit this one
	PermPoolsAdmin      Permission = "pools.admin"      // pools, quotas, join tokens, agents
	PermPipelinesWrite  Permission = "pipelines.write"  // register and deploy
	PermSchedulesWrite  Permission = "schedules.write"  // write schedules
	PermRunsWrite       Permission = "runs.write"       // start, cancel, retry; pause and resume a schedule
	PermApprovalsDecide Permission = "approvals.decide" // approve or refuse
	PermRunsRead        Permission = "runs.read"        // runs, pipelines, schedules, pools, agents
	PermDataRead        Permission = "data.read"        // open logs, values and artifacts
	PermSecretsWrite    Permission = "secrets.write"    // names of secrets, sealed writes
	PermKeysAdmin       Permission = "keys.admin"       // keys of service accounts
	PermAgentWork       Permission = "agent.work"       // lease, heartbeat, report
)

// Permissions lists every permission, in the order of the constants.
func Permissions() []Permission {
	return []Permission{
		PermOrgRead, PermOrgAdmin, PermOrgOwn, PermMembersAdmin, PermBillingRead, PermBillingWrite, PermAuditRead, PermWorkspaceAdmin, PermPoolsAdmin,
		PermPipelinesWrite, PermSchedulesWrite, PermRunsWrite, PermApprovalsDecide, PermRunsRead, PermDataRead, PermSecretsWrite, PermKeysAdmin, PermAgentWork,
	}
}

// Known reports whether p is one of the permissions.
func (p Permission) Known() bool { return bit(p) != 0 }

// Set is a set of permissions. The zero value is empty; sets compare with ==.
type Set uint32

// bit returns the set of p alone, or the empty set for an unknown permission,
// so that a name that nobody defined is held by nobody.
func bit(p Permission) Set {
	for i, known := range Permissions() {
		if p == known {
			return 1 << i
		}
	}
	return 0
}

// SetOf returns the set of the given permissions; unknown names are left out.
func SetOf(permissions ...Permission) Set {
	var s Set
	for _, p := range permissions {
		s |= bit(p)
	}
	return s
}

// Has reports whether p is in the set.
func (s Set) Has(p Permission) bool { return s&bit(p) != 0 }

// Within reports whether every permission of s is also in other.
func (s Set) Within(other Set) bool { return s&^other == 0 }

// Len returns how many permissions the set holds.
func (s Set) Len() int { return bits.OnesCount32(uint32(s)) }

// List returns the set's permissions in the order of the constants.
func (s Set) List() []Permission {
	var list []Permission
	for i, p := range Permissions() {
		if s&(1<<i) != 0 {
			list = append(list, p)
		}
	}
	return list
}
