package mechanism_test

import (
	"testing"

	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
)

func TestCatalogueIsValid(t *testing.T) {
	if err := mechanism.Validate(mechanism.All()); err != nil {
		t.Error(err)
	}
}
