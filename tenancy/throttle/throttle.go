// Package throttle is the arithmetic of growing delays: how long somebody who
// tries again and again has to wait.
//
// Tries are counted under several keys at once: the address, the account, the
// two together. There is never a lockout that an attacker could trigger for
// somebody else: what is counted for an account alone waits seconds, and not at
// all from an address from which its owner signed in before. The package does no
// I/O; tenancydb keeps the counts.
package throttle

import (
	"crypto/sha256"
	"net/netip"
	"time"
)

// Rule is how one key's delay grows.
type Rule struct {
	Free   int           // so many tries cost nothing
	First  time.Duration // the delay after that; it doubles with every further try
	Max    time.Duration // and ends here
	Forget time.Duration // after so long without a try the count begins anew
}

// The rules of signing in.
var (
	// SignInPair is one address trying one account.
	SignInPair = Rule{Free: 5, First: time.Second, Max: 15 * time.Minute, Forget: 24 * time.Hour}
	// SignInAddress is one address trying many accounts; many people may share it.
	SignInAddress = Rule{Free: 50, First: time.Second, Max: 5 * time.Minute, Forget: time.Hour}
	// SignInAccount is many addresses trying one account.
	SignInAccount = Rule{Free: 20, First: time.Second, Max: 30 * time.Second, Forget: 24 * time.Hour}
	// SignUpAddress is one address making accounts.
	SignUpAddress = Rule{Free: 60, First: time.Second, Max: 5 * time.Minute, Forget: time.Hour}
	// MailTo is one mailbox getting mails that somebody asked for, whoever it was.
	MailTo = Rule{Free: 5, First: time.Minute, Max: time.Hour, Forget: 24 * time.Hour}
)

// KnownFor is how long an address is known for an account after a sign-in.
const KnownFor = 90 * 24 * time.Hour

// Count is what is known of a key: how many tries failed, and when the last was
// let through.
type Count struct {
	Failures int
	TriedAt  time.Time
}

// Wait returns how long a try must wait still; zero lets it through.
func (r Rule) Wait(c Count, now time.Time) time.Duration {
	return max(0, r.delay(r.live(c, now))-now.Sub(c.TriedAt))
}

// Next returns the count with one more failed try.
func (r Rule) Next(c Count, now time.Time) int { return r.live(c, now) + 1 }

func (r Rule) live(c Count, now time.Time) int {
	if now.Sub(c.TriedAt) >= r.Forget {
		return 0
	}
	return c.Failures
}

func (r Rule) delay(failures int) time.Duration {
	over := failures - r.Free
	if over < 0 {
		return 0
	}
	delay := r.First
	for range over {
		if delay *= 2; delay >= r.Max {
			return r.Max
		}
	}
	return delay
}

// Key names what is counted: the SHA-256 of the rule's name and its subjects.
// The names stand apart by a byte that none contains.
func Key(rule string, subjects ...string) []byte {
	sum := sha256.New()
	sum.Write([]byte(rule))
	for _, s := range subjects {
		sum.Write([]byte{0})
		sum.Write([]byte(s))
	}
	return sum.Sum(nil)
}

// Address is what of an IP address is counted as one: all of an IPv4 address,
// and of an IPv6 address the 64 bits that one customer of a provider has to
// itself. What is no address is counted as it is.
func Address(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is4() {
		return addr.String()
	}
	prefix, err := addr.Prefix(64)
	if err != nil {
		return ip
	}
	return prefix.String()
}
