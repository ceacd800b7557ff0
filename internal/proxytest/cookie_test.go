package proxytest

import "testing"

func TestCookies_SendBackWhatWasSetLast(t *testing.T) {
	c := cookies{}
	c.learn(&head{fields: []field{{"Set-Cookie", "b=1; Path=/"}, {"set-cookie", "a=2=3"}, {"Cookie", "c=4"}}})
	c.learn(&head{fields: []field{{"Set-Cookie", "b=5"}}})
	if got, want := c.field(), "Cookie: a=2=3; b=5"; got != want {
		t.Errorf("the field is %q, want %q", got, want)
	}
}

func TestCookies_AreNotKeptUnlessAskedFor(t *testing.T) {
	var c cookies
	c.learn(&head{fields: []field{{"Set-Cookie", "a=1"}}})
	if got := c.field(); got != "" {
		t.Errorf("the field is %q, want none", got)
	}
}
