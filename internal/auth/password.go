package auth

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/argon2"
)

// User is a person with a password.
type User struct {
	Name     string
	Password string // hash, as HashPassword writes it
	Role     Role
}

func (u *User) validate() error {
	if strings.TrimSpace(u.Name) == "" || u.Name != strings.TrimSpace(u.Name) || len(u.Name) > 200 {
		return fmt.Errorf("auth: user %q: a name has 1 to 200 characters and no blanks around", u.Name)
	}
	if err := u.Role.validate(); err != nil {
		return fmt.Errorf("user %q: %w", u.Name, err)
	}
	if _, err := parseHash(u.Password); err != nil {
		return fmt.Errorf("auth: user %q: the password must be given as a hash: %w", u.Name, err)
	}
	return nil
}

// The cost of argon2id: the least that OWASP's password storage cheat sheet names (19 MiB, 2 passes, 1 lane), RFC 9106 for the rest.
const (
	argonMemory = 19 * 1024 // KiB
	argonPasses = 2
	argonLanes  = 1
	argonLength = 32
	saltLength  = 16

	shortestPassword = 10
	longestPassword  = 1000
)

// HashPassword returns what the settings hold of a password: argon2id in the PHC string format. random gives the salt.
func HashPassword(random io.Reader, password string) (string, error) {
	if len(password) < shortestPassword || len(password) > longestPassword {
		return "", fmt.Errorf("a password has %d to %d characters", shortestPassword, longestPassword)
	}
	salt := make([]byte, saltLength)
	if _, err := io.ReadFull(random, salt); err != nil {
		return "", fmt.Errorf("auth: no random numbers: %w", err)
	}
	h := phc{memory: argonMemory, passes: argonPasses, lanes: argonLanes, salt: salt}
	h.sum = h.of(password, argonLength)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.passes, h.lanes, b64(salt), b64(h.sum)), nil
}

// phc is a parsed hash.
type phc struct {
	memory, passes uint32
	lanes          uint8
	salt, sum      []byte
}

func (h *phc) of(password string, length uint32) []byte {
	return argon2.IDKey([]byte(password), h.salt, h.passes, h.memory, h.lanes, length)
}

// nobodys is the hash of no password, with the same cost: an unknown name takes as long as a known one.
const nobodys = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

var errHash = errors.New("not an argon2id hash: make one with `inquest serve hash-password`")

func parseHash(s string) (*phc, error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return nil, errHash
	}
	h := &phc{}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.passes, &h.lanes); err != nil {
		return nil, errHash
	}
	var err1, err2 error
	h.salt, err1 = base64.RawStdEncoding.DecodeString(parts[4])
	h.sum, err2 = base64.RawStdEncoding.DecodeString(parts[5])
	if cmp.Or(err1, err2) != nil || len(h.salt) < 8 || len(h.sum) < 16 || len(h.sum) > 128 {
		return nil, errHash
	}
	// Whoever can write the settings must not be able to stop the server by a typing error either.
	if h.memory < 8*1024 || h.memory > 1<<20 || h.passes < 1 || h.passes > 20 || h.lanes < 1 {
		return nil, fmt.Errorf("%w (m is 8192 to 1048576 KiB, t 1 to 20)", errHash)
	}
	return h, nil
}

// Login checks name and password. address is where the guess comes from, without its port. After five failures a name and an address
// have to wait, each time longer: then the error is a *WaitError. A failure is written to the audit log.
func (a *Auth) Login(ctx context.Context, address, name, password string) (Identity, error) {
	if len(name) > 200 || len(password) > longestPassword {
		return Identity{}, ErrWrong
	}
	place := Network(address)
	if wait := max(a.byName.wait(name), a.byPlace.wait(place)); wait > 0 {
		return Identity{}, &WaitError{Wait: wait}
	}
	// Counted before it is known whether it fails, so that guesses made at the same time count too.
	a.byName.fail(name)
	a.byPlace.fail(place)
	u, known := a.users[name]
	hash := nobodys
	if known {
		hash = u.Password
	}
	ok, err := a.matches(ctx, hash, password)
	if err != nil {
		return Identity{}, err
	}
	if !ok || !known {
		if err := a.Audit(ctx, Audit{By: name, Action: "login failed", From: address}); err != nil {
			return Identity{}, err
		}
		return Identity{}, ErrWrong
	}
	a.byName.succeed(name)
	a.byPlace.succeed(place)
	return Identity{Name: u.Name, Role: u.Role, Via: ViaPassword}, nil
}

// matches compares a password with a hash, in its turn.
func (a *Auth) matches(ctx context.Context, hash, password string) (bool, error) {
	select {
	case a.hashing <- struct{}{}:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	defer func() { <-a.hashing }()
	h, err := parseHash(hash)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(h.of(password, uint32(len(h.sum))), h.sum) == 1, nil
}
