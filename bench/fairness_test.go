package main

import (
	"slices"
	"testing"
)

const fairHead = "GET /echo HTTP/1.1\r\nHost: bench.example\r\nUser-Agent: x\r\nX-Forwarded-For: 127.0.0.1\r\n" +
	"X-Forwarded-Proto: http\r\nX-Forwarded-Host: bench.example\r\nX-Request-Id: "

func TestCompareHeads_AcceptsTheCommonWork(t *testing.T) {
	first, second := parseFields(fairHead+"1\r\n\r\n"), parseFields(fairHead+"2\r\n\r\n")
	if got := compareHeads("X", first, second); len(got) != 0 {
		t.Errorf("found %q", got)
	}
}

func TestCompareHeads_NamesWhatDiffers(t *testing.T) {
	same := parseFields(fairHead + "1\r\nVia: 1.1 x\r\nX-Real-IP: 127.0.0.1\r\n\r\n")
	delete(same, "x-forwarded-host")
	want := []string{
		"X also adds via", "X also adds x-real-ip", "X does not add x-forwarded-host",
		"X gives two requests the same x-request-id",
	}
	if got := compareHeads("X", same, same); !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}
