package weir

import (
	"testing"

	"github.com/weirproxy/weir/config"
)

// What a configuration may say of workers is checked where it can be placed in the
// file, and looked up elsewhere: both have to mean the same.
func TestAttachRules_AreWhatTheDoorTakes(t *testing.T) {
	for _, pattern := range []string{
		"web", "shop@v2", "shop@*", "*", "", "@", "shop@", "@v2", "*@v2", "*@*", "shop@v2@v3", "a b", "shop@v*", "web*", ".", "..", "-", "a.b_c-d", "é",
	} {
		a := config.Attach{Tokens: []config.AttachToken{{Token: "0123456789abcdef", Services: []string{pattern}}}}
		valid := len((&config.Config{Attach: &a}).WithDefaults().Validate()) == 0
		taken := attachRules(&a).Check() == nil
		if valid != taken {
			t.Errorf("pattern %q: the configuration takes it: %v, the door does: %v", pattern, valid, taken)
		}
	}
}
