package sqlrecords

import (
	"errors"
	"fmt"
	"math"

	"github.com/inquesthq/inquest/internal/store"
)

// check refuses what one of the databases could not keep as it is.
func check(rec store.Record) error {
	if err := checkWord("kind", rec.Kind); err != nil {
		return err
	}
	if rec.State != "" {
		if err := checkWord("state", rec.State); err != nil {
			return err
		}
	}
	switch {
	case rec.ID == "":
		return errors.New("the id is empty")
	case len(rec.ID) > MaxID:
		return fmt.Errorf("the id has %d bytes, at most %d", len(rec.ID), MaxID)
	case len(rec.Parent) > MaxID:
		return fmt.Errorf("the parent has %d bytes, at most %d", len(rec.Parent), MaxID)
	case len(rec.Body) > MaxBody:
		return fmt.Errorf("the body has %d bytes, at most %d", len(rec.Body), MaxBody)
	case rec.Version < 0:
		return fmt.Errorf("version %d: versions begin at 1, and 0 is a record that must not exist yet", rec.Version)
	case rec.Time.Unix() > math.MaxInt64/1_000_000-1 || rec.Time.Unix() < math.MinInt64/1_000_000+1:
		return fmt.Errorf("the year %d is out of range", rec.Time.Year())
	}
	return nil
}

// checkWord: words are typed by people and indexed; everything else may hold any bytes.
func checkWord(what, s string) error {
	if s == "" || len(s) > MaxWord {
		return fmt.Errorf("the %s %q must have 1 to %d characters", what, s, MaxWord)
	}
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return fmt.Errorf("the %s %q must be one word of letters, digits, '-', '_' and '.'", what, s)
		}
	}
	return nil
}
