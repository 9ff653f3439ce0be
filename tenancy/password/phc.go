package password

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

const (
	saltLength = 16
	sumLength  = 32
	// maxMemoryKiB, maxTime and maxSum bound what a stored hash may make us do.
	maxMemoryKiB = 1 << 20
	maxTime      = 16
	maxSum       = 128
)

// params are argon2id's cost.
type params struct {
	time      uint32
	memoryKiB uint32
	threads   uint8
}

// current is what new hashes cost. Raising it rehashes each password at its
// next sign-in.
var current = params{time: 2, memoryKiB: 19456, threads: 1}

// phc is a hash in the PHC string format:
// $argon2id$v=19$m=19456,t=2,p=1$<salt>$<sum>.
type phc struct {
	params params
	salt   []byte
	sum    []byte
}

var errPHC = errors.New("not an argon2id hash in PHC format")

// String writes the hash.
func (p phc) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		p.params.memoryKiB, p.params.time, p.params.threads,
		base64.RawStdEncoding.EncodeToString(p.salt), base64.RawStdEncoding.EncodeToString(p.sum))
}

// parsePHC reads a hash. Its only error is errPHC.
func parsePHC(text string) (phc, error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return phc{}, errPHC
	}
	var p phc
	read, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.params.memoryKiB, &p.params.time, &p.params.threads)
	if err != nil || read != 3 {
		return phc{}, errPHC
	}
	if p.salt, err = base64.RawStdEncoding.Strict().DecodeString(parts[4]); err != nil {
		return phc{}, errPHC
	}
	if p.sum, err = base64.RawStdEncoding.Strict().DecodeString(parts[5]); err != nil {
		return phc{}, errPHC
	}
	// One spelling only: what Sscanf forgives (spaces, signs, a tail) is refused.
	if !p.sane() || p.String() != text {
		return phc{}, errPHC
	}
	return p, nil
}

func (p phc) sane() bool {
	return p.params.time >= 1 && p.params.time <= maxTime &&
		p.params.threads >= 1 && p.params.memoryKiB >= 8*uint32(p.params.threads) && p.params.memoryKiB <= maxMemoryKiB &&
		len(p.salt) >= 8 && len(p.salt) <= maxSum && len(p.sum) >= 16 && len(p.sum) <= maxSum
}
