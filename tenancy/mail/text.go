package mail

import (
	"fmt"
	"time"
)

// Verify asks the person who signed up to confirm their address.
func Verify(to, name, link string) Message {
	return Message{To: to, Subject: "Confirm your address for Signalbox", Text: fmt.Sprintf(`Hello %s,

open this link to finish signing up for Signalbox:

%s

It works once, for 24 hours. If you did not sign up, ignore this mail: without
the link there is no account.
`, name, link)}
}

// Known tells the owner of an account that somebody signed up with their
// address. The page on which that happened says no more than for a new one.
func Known(to, name, link string) Message {
	return Message{To: to, Subject: "You have a Signalbox account already", Text: fmt.Sprintf(`Hello %s,

somebody, probably you, signed up for Signalbox with this address. It has an
account already, so sign in instead:

%s

If it was not you, there is nothing to do.
`, name, link)}
}

// Invitation asks a person to join an organization.
func Invitation(to, inviter, organization, role, link string, expires time.Time) Message {
	return Message{
		To: to, Subject: fmt.Sprintf("Join %s on Signalbox", organization),
		Text: fmt.Sprintf(`Hello,

%s invites you to the organization %s on Signalbox, with the role %s.
Open this link to accept:

%s

It works once, for the address that this mail was sent to, until %s.
`, inviter, organization, role, link, expires.UTC().Format("2 January 2006, 15:04 MST")),
	}
}
