package shape

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/cel-go/common/types"

	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// lets compiles the names that a step gives.
func (b *builder) lets(s *scope, path string, lets []Named, out *step) {
	for _, l := range lets {
		at := path + ".let." + l.Name
		if err := s.mayName(l.Name); err != "" {
			b.problem(notAbout(at, "%s", err))
			continue
		}
		e := b.expression(s, at, l.Expr, want{})
		if e == nil {
			// What follows is compiled as if it were known, so as to complain of
			// what is wrong, and not of what follows from that.
			b.declare(s, l.Name, types.DynType)
			continue
		}
		b.declare(s, l.Name, e.typ)
		out.actions = append(out.actions, &letAction{slot: b.slot(l.Name), expr: e})
	}
}

// slot returns where the value of a name is kept. Names that cannot be seen at
// the same place may share one.
func (b *builder) slot(name string) int {
	if i := slices.Index(b.program.lets, name); i >= 0 {
		return i
	}
	b.program.lets = append(b.program.lets, name)
	return len(b.program.lets) - 1
}

// mayName says why a name cannot be given; empty if it can.
func (s *scope) mayName(name string) string {
	switch {
	case !isName(name):
		return "a name is letters, digits and _, with no digit first"
	case slices.Contains(variables, name):
		return fmt.Sprintf("%q is a variable of every expression; choose another name", name)
	case slices.Contains(reserved, name):
		return fmt.Sprintf("%q is a word of the language; choose another name", name)
	case slices.ContainsFunc(s.names, func(n named) bool { return n.name == name }):
		return fmt.Sprintf("%q has a value already, and keeps it; choose another name", name)
	}
	return ""
}

// reserved are the words of CEL that are no names, and its types.
var reserved = strings.Fields(`true false null in as break const continue else for function if import let loop package
	namespace return var void while bool bytes double dyn int list map null_type string type uint timestamp duration`)

func isName(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// fields compiles what a step does to fields.
func (b *builder) fields(s *scope, path string, in *Step, out *step) {
	for _, group := range []struct {
		manner manner
		key    string
		fields []Named
	}{{setting, "set", in.Set}, {adding, "add", in.Add}, {appending, "append", in.Append}} {
		for _, f := range group.fields {
			if a := b.field(s, path+"."+group.key+"."+f.Name, f, group.manner); a != nil {
				out.actions = append(out.actions, a)
			}
		}
	}
	for _, name := range in.Remove {
		if err := checkName(name); err != "" {
			b.problem(notAbout(path+".remove."+name, "%s", err))
			continue
		}
		out.actions = append(out.actions, &removeAction{name: []byte(name)})
	}
}

// field compiles one field; nil if it is wrong.
func (b *builder) field(s *scope, path string, f Named, m manner) *fieldAction {
	if err := checkName(f.Name); err != "" {
		b.problem(notAbout(path, "%s", err))
		return nil
	}
	e := b.expression(s, path, f.Expr, m.want())
	if e == nil {
		return nil
	}
	a := &fieldAction{name: []byte(f.Name), id: http1.FieldIDOf([]byte(f.Name)), manner: m, expr: e}
	if e.constant != nil {
		a.fixed, _ = lineValues([][]byte{}, e.constant, func(b []byte) []byte { return append([]byte{}, b...) })
	}
	return a
}

// checkName says why a field cannot be changed; empty if it can.
func checkName(name string) string {
	if !http1.ValidName([]byte(name)) {
		return fmt.Sprintf("%q is not the name of a field: it has letters, digits and any of !#$%%&'*+-.^_`|~", name)
	}
	switch http1.FieldIDOf([]byte(name)) {
	case exchange.FieldHost:
		return "Host cannot be changed as a field; use rewrite.host"
	case exchange.FieldContentLength, exchange.FieldTransferEncoding, exchange.FieldTrailer:
		return name + " follows from the content, and cannot be changed"
	case exchange.FieldConnection, exchange.FieldProxyConnection, exchange.FieldKeepAlive, exchange.FieldTE, exchange.FieldUpgrade:
		return name + " is between Weir and one of its peers (RFC 9110 §7.6.1), and is not passed on"
	case exchange.FieldExpect:
		return name + " is between client and endpoint, and cannot be changed"
	}
	return ""
}

// json compiles what a step does to JSON.
func (b *builder) json(s *scope, path string, in *JSON, out *step) {
	if in == nil {
		return
	}
	a := &jsonAction{}
	path += ".json"
	b.program.reads[s.side] = true
	for _, set := range in.Set {
		if e := b.expression(s, path+".set."+set.Name, set.Expr, wantJSON); e != nil {
			b.change(path+".set.", set.Name, change{expr: e}, a)
		}
	}
	for _, merge := range in.Merge {
		if e := b.expression(s, path+".merge."+merge.Name, merge.Expr, wantMerge); e != nil {
			b.change(path+".merge.", merge.Name, change{expr: e, merge: true}, a)
		}
	}
	for _, name := range in.Remove {
		b.change(path+".remove.", name, change{}, a)
	}
	if len(in.Set)+len(in.Merge)+len(in.Remove) == 0 {
		b.problem(notAbout(path, "json changes nothing: give it set, merge or remove"))
	}
	out.actions = append(out.actions, a)
}

// change adds one change of a document. Only a merge may be of all of it.
func (b *builder) change(path, name string, c change, a *jsonAction) {
	var err error
	switch {
	case name == "." && !c.merge:
		err = errWhole
	case name != ".":
		c.path, err = parsePath(name)
	}
	if err != nil {
		b.problem(notAbout(path+name, "%v", err))
		return
	}
	a.changes = append(a.changes, c)
}

// requestOnly compiles what only a request's step can do.
func (b *builder) requestOnly(s *scope, path string, in *Step, out *step) {
	if s.side == ResponseSide {
		for key, given := range map[string]bool{"rewrite": in.Rewrite != nil, "redirect": in.Redirect != nil, "route": in.Route != ""} {
			if given {
				b.problem(notAbout(path+"."+key, "%s is for steps of requests", key))
			}
		}
		return
	}
	if in.Rewrite != nil {
		b.rewrite(s, path+".rewrite", in.Rewrite, out)
	}
	if in.Route != "" {
		w := want{what: "route", list: "text", kinds: []types.Kind{types.StringKind}, check: checkText(checkRoute)}
		if e := b.expression(s, path+".route", in.Route, w); e != nil {
			out.actions = append(out.actions, &routeAction{e})
		}
	}
}

func (b *builder) rewrite(s *scope, path string, in *Rewrite, out *step) {
	given := 0
	for _, r := range []struct {
		key, expr string
		part      *part
	}{{"path", in.Path, pathPart}, {"query", in.Query, queryPart}, {"host", in.Host, hostPart}, {"method", in.Method, methodPart}} {
		if r.expr == "" {
			continue
		}
		given++
		if e := b.expression(s, path+"."+r.key, r.expr, r.part.want(r.key)); e != nil {
			out.actions = append(out.actions, &rewriteAction{e, r.part})
		}
	}
	if given == 0 {
		b.problem(notAbout(path, "rewrite changes nothing: give it path, query, host or method"))
	}
}

// answers compiles what ends the steps.
func (b *builder) answers(s *scope, path string, in *Step, out *step) {
	if in.Respond != nil && in.Redirect != nil {
		b.problem(notAbout(path, "respond and redirect both answer; a step can do one of them"))
	}
	if in.Respond != nil {
		b.respond(s, path+".respond", in.Respond, out)
	}
	if in.Redirect != nil && s.side == RequestSide {
		b.redirect(s, path+".redirect", in.Redirect, out)
	}
}

func statusWant(check func(int) error) want {
	return want{
		what: "status", list: "a number, or text that is one",
		kinds: []types.Kind{types.IntKind, types.UintKind, types.StringKind}, check: checkStatusOf(check),
	}
}

func (b *builder) respond(s *scope, path string, in *Respond, out *step) {
	a := &respondAction{
		status: b.optional(s, path+".status", in.Status, statusWant(checkStatus)),
		body: b.optional(s, path+".body", in.Body, want{
			what: "body", list: "text, a number, a bool, bytes, a map or a list", texts: true,
			kinds: append([]types.Kind{types.BytesKind, types.MapKind, types.NullTypeKind}, scalars...),
		}),
		contentType: b.optional(s, path+".content_type", in.ContentType, want{
			what: "content_type", list: "text", kinds: []types.Kind{types.StringKind}, check: checkField,
		}),
	}
	for _, f := range in.Headers {
		if f := b.field(s, path+".headers."+f.Name, f, setting); f != nil {
			a.headers = append(a.headers, f)
		}
	}
	out.actions = append(out.actions, a)
}

func (b *builder) redirect(s *scope, path string, in *Redirect, out *step) {
	if in.To == "" {
		b.problem(notAbout(path, "redirect needs to, the address"))
		return
	}
	a := &redirectAction{
		to:     b.expression(s, path+".to", in.To, want{what: "to", list: "text", kinds: []types.Kind{types.StringKind}, check: checkText(checkLocation)}),
		status: b.optional(s, path+".status", in.Status, statusWant(checkRedirectStatus)),
	}
	out.actions = append(out.actions, a)
}
