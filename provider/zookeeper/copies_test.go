package zookeeper

import (
	"bytes"
	"os"
	"testing"
)

// TestCopies_AreThoseOfEtcd holds the two registries to one form of entries: packages
// of providers import none of each other, and what both need is in both. The tests of
// package etcd are for the copies, too.
func TestCopies_AreThoseOfEtcd(t *testing.T) {
	for _, file := range []string{"announcer.go", "entry.go", "pause.go", "problem.go"} {
		ours, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := os.ReadFile("../etcd/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if want := bytes.Replace(theirs, []byte("package etcd\n"), []byte("package zookeeper\n"), 1); !bytes.Equal(ours, want) {
			t.Errorf("%s is not that of package etcd; change both", file)
		}
	}
}
