package tail_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/inquesthq/inquest/internal/ingest/tail"
)

func TestACheckpointOfAnotherKindIsNotOverwritten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "c")
	if err := os.WriteFile(path, []byte("{\"version\":\"inquest/tail/v9\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := tail.New(tail.Config{Targets: []tail.Target{{Glob: "/x/*"}}, Spool: &memory{}, Checkpoint: path})
	if err == nil || !strings.Contains(err.Error(), "move it away") {
		t.Errorf("%v", err)
	}
	if b, _ := os.ReadFile(path); !strings.Contains(string(b), "v9") {
		t.Errorf("%s", b)
	}
}

func TestATornLineOfTheCheckpointIsPassedOver(t *testing.T) {
	t.Parallel()
	w := follow(t, "shop.log")
	w.write("shop.log", "a\n")
	w.start()
	w.want("shop.log", "a")
	w.end()
	f, err := os.OpenFile(w.cfg.Checkpoint, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"path":"/x","dev":1,"in`); err != nil {
		t.Fatal(err)
	}
	f.Close()
	w.write("shop.log", "b\n")
	w.start()
	w.want("shop.log", "a b")
}

func FuzzCheckpoint(f *testing.F) {
	f.Add([]byte("{\"version\":\"inquest/tail/v1\"}\n{\"path\":\"/a\",\"dev\":1,\"ino\":2,\"offset\":3,\"head\":4,\"head_len\":5}\n"))
	f.Add([]byte("{\"version\":\"inquest/tail/v1\"}\n{\"path\":\"/a\",\"dev\":1,\"ino\":2,\"offset\":-3,\"head_len\":500}\n{\"gone\":true}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "c")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		cfg := tail.Config{Targets: []tail.Target{{Glob: "/x/*"}}, Spool: &memory{}, Checkpoint: path}
		if _, err := tail.New(cfg); err != nil {
			return
		}
		if _, err := tail.New(cfg); err != nil { // what it wrote it reads
			t.Error(err)
		}
	})
}
