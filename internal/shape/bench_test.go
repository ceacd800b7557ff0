package shape

import (
	"testing"
)

// usual are three fields and a condition.
func usual(t testing.TB) *Program {
	return mustSteps(t, []Step{
		{Set: one("X-Real", `request.client.address`)},
		{Add: one("X-Via", `"1.1 " + hostname`)},
		{Set: one("Forwarded", `"by=" + listener.address + ";host=" + request.host + ";proto=" + request.scheme`)},
		{If: `request.method == "GET"`, Set: one("X-Read", `"1"`)},
	}, nil)
}

func BenchmarkProgram_ThreeFieldsAndACondition(b *testing.B) {
	p := usual(b)
	x := newExchange("Accept: */*", "User-Agent: curl/8", "Accept-Encoding: gzip", "X-User: ada")
	x.Scratch = make([]byte, 0, 1024)
	n := len(x.Request.Header)
	b.ReportAllocs()
	for b.Loop() {
		x.Request.Header, x.Scratch = x.Request.Header[:n], x.Scratch[:0]
		v := Borrow(x)
		if _, err := p.Request(v); err != nil {
			b.Fatal(err)
		}
		v.Release()
	}
}

func BenchmarkProgram_Constants(b *testing.B) {
	p := mustSteps(b, []Step{{Set: []Named{{"A", `"1"`}, {"B", `"1.1 " + hostname`}, {"C", `2 + 3`}}}}, nil)
	x := newExchange("A: a", "B: b", "C: c")
	b.ReportAllocs()
	for b.Loop() {
		v := Borrow(x)
		if _, err := p.Request(v); err != nil {
			b.Fatal(err)
		}
		v.Release()
	}
}

func BenchmarkProgram_SetsJSON(b *testing.B) {
	p := mustSteps(b, []Step{{JSON: &JSON{Set: one("forwarded", `request.host`)}}}, nil)
	b.ReportAllocs()
	for b.Loop() {
		x := withContent(newExchange(), "application/json", []byte(`{"snot":"badger","n":[1,2,3]}`))
		v := Borrow(x)
		if _, err := p.Request(v); err != nil {
			b.Fatal(err)
		}
		v.Release()
	}
}

func BenchmarkExpression_Condition(b *testing.B) {
	e, err := compiler(b).Expression(`request.query["v"] == "2" && request.headers["x-user"].startsWith("a")`, RequestSide, Bool)
	if err != nil {
		b.Fatal(err)
	}
	x := newExchange("X-User: ada")
	x.Request.Query = []byte("v=2")
	b.ReportAllocs()
	for b.Loop() {
		v := Borrow(x)
		if _, err := e.Bool(v); err != nil {
			b.Fatal(err)
		}
		v.Release()
	}
}

func BenchmarkCompiler_Expression(b *testing.B) {
	c := compiler(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Expression(`request.query["v"] == "2" && request.headers["x-user"].startsWith("a")`, RequestSide, Bool); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompiler_New(b *testing.B) {
	for b.Loop() {
		if _, err := New(Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkExpression_CountedByCost(b *testing.B) {
	e, err := compiler(b).Expression(`request.headers.exists(h, h.startsWith("x-"))`, RequestSide, Bool)
	if err != nil {
		b.Fatal(err)
	}
	x := newExchange("Accept: */*", "User-Agent: curl/8", "X-User: ada")
	b.ReportAllocs()
	for b.Loop() {
		v := Borrow(x)
		if _, err := e.Bool(v); err != nil {
			b.Fatal(err)
		}
		v.Release()
	}
}
