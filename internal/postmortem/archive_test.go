package postmortem_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inquesthq/inquest/internal/postmortem"
	"github.com/inquesthq/inquest/internal/store"
	"github.com/inquesthq/inquest/internal/store/sqlite"
)

func archive(t *testing.T) (*postmortem.Archive, store.Records) {
	t.Helper()
	records, err := sqlite.Open(t.Context(), sqlite.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := records.Close(); err != nil {
			t.Error(err)
		}
	})
	now := date(2026, 11, 29)
	a, err := postmortem.NewArchive(records, func() time.Time { now = now.Add(time.Minute); return now })
	if err != nil {
		t.Fatal(err)
	}
	return a, records
}

const inc = "INC-20261121-7KQ2"

func TestATextIsSavedOnTopOfTheOneThatWasRead(t *testing.T) {
	a, records := archive(t)
	ctx := t.Context()
	if _, err := a.Get(ctx, inc); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%v", err)
	}
	first, err := a.Save(ctx, inc, "# Postmortem: one", "ada", 0)
	if err != nil || first.Version != 1 || first.Title != "one" {
		t.Fatalf("%+v, %v", first, err)
	}
	for _, version := range []int64{0, 7} {
		if _, err := a.Save(ctx, inc, "# Postmortem: lost", "ben", version); !errors.Is(err, store.ErrConflict) {
			t.Errorf("over version %d: %v", version, err)
		}
	}
	if _, err := a.Save(ctx, inc, "# Postmortem: two", "ben", 1); err != nil {
		t.Fatal(err)
	}
	got, err := a.Get(ctx, inc)
	if err != nil || got.Title != "two" || got.By != "ben" || got.Version != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	old, err := records.Get(ctx, "postmortem-revision", inc+"/1")
	if err != nil || !strings.Contains(string(old.Body), "one") {
		t.Errorf("the text before is gone: %v", err)
	}
	for _, c := range []struct{ text, by string }{{" \n", "ada"}, {"# a", ""}, {strings.Repeat("a", 1<<20+1), "ada"}} {
		if _, err := a.Save(ctx, inc, c.text, c.by, 2); !errors.Is(err, postmortem.ErrInput) {
			t.Errorf("%.10q by %q: %v", c.text, c.by, err)
		}
	}
}

func TestOnlyATextWithoutFaultsIsPublished(t *testing.T) {
	a, _ := archive(t)
	ctx := t.Context()
	if _, err := a.Publish(ctx, inc, "ada", 0); !errors.Is(err, postmortem.ErrRefused) || !strings.Contains(err.Error(), "save the draft first") {
		t.Errorf("%v", err)
	}
	if _, err := a.Save(ctx, inc, postmortem.Markdown(postmortem.Draft(record(t))), "ada", 0); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Publish(ctx, inc, "ada", 1); !errors.Is(err, postmortem.ErrRefused) || !strings.Contains(err.Error(), "faults, the first:") {
		t.Errorf("a draft: %v", err)
	}
	if _, err := a.Save(ctx, inc, whole(t), "ada", 1); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Publish(ctx, inc, "ada", 1); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a version that is not: %v", err)
	}
	out, err := a.Publish(ctx, inc, "ada", 2)
	if err != nil || out.Published.IsZero() || out.PublishedBy != "ada" {
		t.Fatalf("%+v, %v", out, err)
	}
	if _, err := a.Save(ctx, inc, "# Postmortem: nothing", "ben", out.Version); !errors.Is(err, postmortem.ErrRefused) {
		t.Errorf("faults put into a published one: %v", err)
	}
	if again, err := a.Save(ctx, inc, whole(t)+"\n", "ben", out.Version); err != nil || again.Published != out.Published {
		t.Errorf("a better one: %+v, %v", again, err)
	}
	all, err := a.All(ctx)
	if err != nil || len(all) != 1 {
		t.Errorf("%d published, %v", len(all), err)
	}
}

func TestItemsThatAreNotDoneAreOpen(t *testing.T) {
	a, _ := archive(t)
	if got, err := a.OpenItems(t.Context(), inc); err != nil || len(got) != 0 {
		t.Errorf("without a postmortem: %v, %v", got, err)
	}
	if _, err := a.Save(t.Context(), inc, whole(t), "ada", 0); err != nil {
		t.Fatal(err)
	}
	got, err := a.OpenItems(t.Context(), inc)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Index | orders (ada, due 2026-12-15)"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestASiteOpensWithoutAServer(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "site")
	other := strings.NewReplacer("checkout answers 5xx", "<b>search</b> & \"more\"", inc, "../../evil").Replace(whole(t))
	if err := postmortem.Site(dir, []string{whole(t), other, other}, ".a{color:red}"); err != nil {
		t.Fatal(err)
	}
	var names []string
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		names = append(names, f.Name())
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"src=", "<link", "url(", "@import", "<b>search"} {
			if strings.Contains(string(b), bad) {
				t.Errorf("%s needs something else, or lets markup through: %s", f.Name(), bad)
			}
		}
	}
	if diff := cmp.Diff([]string{"------evil-2.html", "------evil.html", inc + ".html", "index.html"}, names); diff != "" {
		t.Error(diff)
	}
	index, err := os.ReadFile(filepath.Join(dir, "index.html"))
	if err != nil || !strings.Contains(string(index), `href="`+inc+`.html"`) || !strings.Contains(string(index), "data-words=") {
		t.Errorf("the index: %v", err)
	}
}

func TestTheReportForUsers(t *testing.T) {
	text := postmortem.Public(full(t), "The checkout team")
	for _, want := range []string{"# Incident report: checkout answers", "By The checkout team", "We are sorry", "Not affected: who browsed", "## Timeline (Europe/Berlin)", "Index", "Thank you", "Sincerely,\nThe checkout team"} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q", want)
		}
	}
	for _, inside := range []string{"ada", "99000", "E1", "HonestErrorRatio"} {
		if strings.Contains(text, inside) {
			t.Errorf("says %q to the world", inside)
		}
	}
	if bare := postmortem.Public(postmortem.Draft(postmortem.Record{Incident: record(t).Incident}), ""); !strings.Contains(bare, "TODO") {
		t.Error("what nobody wrote is not marked")
	}
}
