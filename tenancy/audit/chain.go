package audit

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// SaltLength is how many random bytes Append wants as salt.
const SaltLength = 16

// canonicalVersion begins every canonical entry: another layout is another
// version, and old entries keep theirs.
const canonicalVersion = "signalbox audit v1"

// Append gives an event its place after head. salt is SaltLength random bytes.
// The new head is the entry's Seq and Hash.
func Append(head Head, event Event, salt []byte) Entry {
	event.At = event.At.UTC().Truncate(time.Microsecond)
	entry := Entry{Seq: head.Seq + 1, Event: event, Salt: salt, Commitment: commit(salt, event.Personal)}
	entry.Hash = hash(head.Hash, entry)
	return entry
}

// Head returns the chain's end when e is its last entry.
func (e Entry) Head() Head { return Head{Seq: e.Seq, Hash: e.Hash} }

// Erase returns the entry without what it tells of people. The chain holds.
func (e Entry) Erase() Entry {
	e.Salt, e.Personal = nil, Personal{}
	return e
}

// BrokenError says where a chain does not hold.
type BrokenError struct {
	Seq int64  // the first entry that is not as it was written
	Why string // for people
}

func (e *BrokenError) Error() string {
	return fmt.Sprintf("the audit log is broken at entry %d: %s", e.Seq, e.Why)
}

// Verify recomputes the chain over entries, which must be the ones right after
// from in their order, and returns its end. It shows changed, missing, added and
// moved entries, but not a chain that was cut off at its end: compare the Head
// returned with one that was kept elsewhere. Its only error is a *BrokenError.
func Verify(from Head, entries []Entry) (Head, error) {
	head := from
	for _, e := range entries {
		if e.Seq != head.Seq+1 {
			return head, &BrokenError{Seq: head.Seq + 1, Why: fmt.Sprintf("entry %d follows entry %d", e.Seq, head.Seq)}
		}
		if !e.Erased() && !hmac.Equal(commit(e.Salt, e.Personal), e.Commitment) {
			return head, &BrokenError{Seq: e.Seq, Why: "its personal part is not what was written"}
		}
		if e.Erased() && e.Personal != (Personal{}) {
			return head, &BrokenError{Seq: e.Seq, Why: "its personal part cannot be checked: the salt is gone"}
		}
		if !bytes.Equal(hash(head.Hash, e), e.Hash) {
			return head, &BrokenError{Seq: e.Seq, Why: "its content or its predecessor is not what was written"}
		}
		head = e.Head()
	}
	return head, nil
}

// commit binds p without telling it. Without the salt nobody can try addresses
// until one fits.
func commit(salt []byte, p Personal) []byte {
	mac := hmac.New(sha256.New, salt)
	mac.Write(frame(p.ActorName, p.IP, p.UserAgent, p.Subject))
	return mac.Sum(nil)
}

func hash(previous []byte, e Entry) []byte {
	var start [sha256.Size]byte
	if len(previous) == 0 {
		previous = start[:]
	}
	sum := sha256.New()
	sum.Write(previous)
	sum.Write(canonical(e))
	return sum.Sum(nil)
}

// canonical is the entry's one spelling: its fields in this order, each after
// its length. Whoever writes a verifier of their own needs no more than this.
func canonical(e Entry) []byte {
	return frame(
		canonicalVersion,
		e.OrgID.String(),
		strconv.FormatInt(e.Seq, 10),
		strconv.FormatInt(e.At.UnixMicro(), 10),
		uuidOrEmpty(e.WorkspaceID),
		string(e.Actor.Type),
		uuidOrEmpty(e.Actor.ID),
		e.Actor.Via,
		e.Action,
		e.Resource,
		e.RequestID,
		string(e.Outcome),
		e.Detail,
		string(e.Before),
		string(e.After),
		string(e.Commitment),
	)
}

func uuidOrEmpty(u id.UUID) string {
	if u == id.Nil {
		return ""
	}
	return u.String()
}

// frame writes each field after its length in four bytes, big endian, so that
// no two lists of fields have one spelling.
func frame(fields ...string) []byte {
	var out []byte
	for _, f := range fields {
		out = binary.BigEndian.AppendUint32(out, uint32(len(f)))
		out = append(out, f...)
	}
	return out
}
