package parse_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/inquesthq/inquest/internal/parse"
)

// Docker escapes the line that it wraps. The cutter of blocks once looked for the start of a record in the escaped text,
// found none, and took all blocks after the first for one endless record.
func TestWrappedJSONOfManyBlocksKeepsEveryRecord(t *testing.T) {
	const lines = 12_000
	var b strings.Builder
	for i := range lines {
		at := fmt.Sprintf("2026-11-21T03:%02d:%02d.%03dZ", i/6000, i/100%60, i%100)
		fmt.Fprintf(&b, `{"log":"{\"level\":30,\"time\":\"%s\",\"service\":\"box\",\"reqId\":\"%032x\",\"method\":\"GET\",\"url\":\"/a/%d\",\"status\":200,\"msg\":\"request\"}\n","stream":"stdout","time":"%s"}`+"\n", at, i, i, at)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "box.log"), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	rep := parse.ReadFile(context.Background(), dir, "box.log", parse.Options{}, func() parse.Sink { return nothing{} })
	if rep.Wrapper != "docker" || rep.Records != lines || rep.Joined != 0 {
		t.Fatalf("wrapper %q, %d records, %d joined; want docker, %d, 0", rep.Wrapper, rep.Records, rep.Joined, lines)
	}
}

type nothing struct{}

func (nothing) Log(*parse.Record)   {}
func (nothing) Signal(parse.Signal) {}
