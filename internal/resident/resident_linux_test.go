package resident_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/inquesthq/inquest/internal/resident"
)

// ofFiles is how much of the process's memory is pages of files, in kB.
func ofFiles(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(status), "RssFile:")
	var kB int
	if _, err := fmt.Sscan(rest, &kB); err != nil || !found {
		t.Fatalf("no RssFile in /proc/self/status: %v", err)
	}
	return kB
}

func TestForgettingTheStartGivesPagesBack(t *testing.T) {
	before := ofFiles(t)
	resident.ForgetStart()
	if after := ofFiles(t); after >= before {
		t.Errorf("%d kB of files before, %d after", before, after)
	}
}
