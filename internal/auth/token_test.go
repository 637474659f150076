package auth_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/inquesthq/inquest/internal/auth"
	"github.com/inquesthq/inquest/internal/store"
)

func newToken(t testing.TB, a *auth.Auth, tok auth.Token) (string, auth.Token) {
	t.Helper()
	key, made, err := a.NewToken(context.Background(), "root", tok)
	if err != nil {
		t.Fatal(err)
	}
	return key, made
}

func TestATokenOpensWhatItsRoleAllowsUntilItExpiresOrIsRevoked(t *testing.T) {
	a, m, c := setup(t, nil)
	key, tok := newToken(t, a, auth.Token{Name: "ci", Role: auth.Responder, Expires: c.t.Add(time.Hour)})
	r := request("GET", "/", "Authorization", "bearer "+key)
	id, err := a.Authenticate(r)
	if err != nil || id.Role != auth.Responder || id.Name != "token ci" || id.Via != auth.ViaToken {
		t.Fatalf("%+v, %v", id, err)
	}
	for _, rec := range m.all {
		if b, _ := json.Marshal(rec); strings.Contains(string(b), key) || strings.Contains(string(rec.Body), key) {
			t.Errorf("the key itself is kept: %s", rec.Body)
		}
	}
	c.forward(time.Hour)
	if _, err := a.Authenticate(r); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("after it expired: %v", err)
	}
	key, tok = newToken(t, a, auth.Token{Name: "lasting", Role: auth.Viewer})
	r = request("GET", "/", "Authorization", "Bearer "+key)
	if _, err := a.Authenticate(r); err != nil {
		t.Fatal(err)
	}
	if err := a.RevokeToken(context.Background(), "root", tok.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Authenticate(r); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("after it was revoked: %v", err)
	}
	if err := a.RevokeToken(context.Background(), "root", "nothing"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an unknown token: %v", err)
	}
	var told []string
	log, err := a.Log(context.Background(), 10)
	for _, e := range log {
		told = append(told, e.By+" "+e.Action+" "+e.Target+" "+e.Detail)
	}
	if err != nil || !strings.Contains(strings.Join(told, "\n"), "root token revoked lasting viewer") {
		t.Errorf("log: %q, %v", told, err)
	}
}

func TestATokenOfASourceSendsForThatSourceOnly(t *testing.T) {
	a, _, _ := setup(t, nil)
	shop, _ := newToken(t, a, auth.Token{Name: "shop", Source: "shop"})
	admin, _ := newToken(t, a, auth.Token{Name: "tool", Role: auth.Admin})
	viewer, _ := newToken(t, a, auth.Token{Name: "eye", Role: auth.Viewer})
	for name, c := range map[string]struct {
		key, source string
		want        error
	}{
		"its own source":       {shop, "shop", nil},
		"another source":       {shop, "bank", auth.ErrForbidden},
		"an administrator's":   {admin, "bank", nil},
		"one that only reads":  {viewer, "shop", auth.ErrForbidden},
		"one that nobody made": {"inq_x", "shop", auth.ErrInvalid},
	} {
		if err := a.Ingest(request("POST", "/v1/logs", "Authorization", "Bearer "+c.key), c.source); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if err := a.Ingest(request("POST", "/v1/logs"), "shop"); !errors.Is(err, auth.ErrNobody) {
		t.Errorf("no token: %v", err)
	}
	id, err := a.Authenticate(request("GET", "/", "Authorization", "Bearer "+shop))
	if err != nil || id.Role.Allows(auth.Viewer) {
		t.Errorf("a token of a source reads pages: %+v, %v", id, err)
	}
	open, _, _ := setup(t, open)
	if err := open.Ingest(local("POST", "http://localhost/v1/logs"), "shop"); err != nil {
		t.Errorf("from this machine while nothing is configured: %v", err)
	}
	if err := open.Ingest(local("POST", "http://localhost/v1/logs", "Sec-Fetch-Site", "cross-site"), "shop"); err == nil {
		t.Error("a page of another site may send signals")
	}
}

func TestTokensThatCannotBeMeant(t *testing.T) {
	a, _, c := setup(t, nil)
	for name, tok := range map[string]auth.Token{
		"no name":         {Role: auth.Viewer},
		"a very long one": {Name: strings.Repeat("x", 101), Role: auth.Viewer},
		"for nothing":     {Name: "x"},
		"for both":        {Name: "x", Role: auth.Viewer, Source: "shop"},
		"no such role":    {Name: "x", Role: "boss"},
		"expired":         {Name: "x", Role: auth.Viewer, Expires: c.t},
	} {
		if key, _, err := a.NewToken(context.Background(), "root", tok); !errors.Is(err, auth.ErrInput) || key != "" {
			t.Errorf("%s: %q, %v", name, key, err)
		}
	}
}

func TestWhenATokenWasLastUsedIsKnownAndTheStoreIsNotAskedEachTime(t *testing.T) {
	a, m, c := setup(t, nil)
	key, _ := newToken(t, a, auth.Token{Name: "busy", Source: "shop"})
	c.forward(time.Hour)
	for range 100 {
		if err := a.Ingest(request("POST", "/v1/logs", "Authorization", "Bearer "+key), "shop"); err != nil {
			t.Fatal(err)
		}
	}
	if m.gets != 1 {
		t.Errorf("the store was asked %d times for 100 requests within a second", m.gets)
	}
	list, err := a.Tokens(context.Background())
	if err != nil || len(list) != 1 || !list[0].Used.Equal(c.t) || list[0].By != "root" || !strings.HasPrefix(key, list[0].Hint) {
		t.Errorf("%+v, %v", list, err)
	}
}
