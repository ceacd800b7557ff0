package config

import (
	"slices"
	"strconv"
	"strings"
)

// The bounds of steps.
const (
	maxStepDepth  = 8
	maxRouteSteps = 256
)

// stepChecker checks the steps of one list of a route, and those below them.
type stepChecker struct {
	*checker
	response bool
}

// routeSteps checks the steps of the route at path.
func (c *checker) routeSteps(r Route, path string) {
	request, response := joinKey(path, "request"), joinKey(path, "response")
	stepChecker{c, false}.list(r.Request, request, 1)
	stepChecker{c, true}.list(r.Response, response, 1)
	if n := countSteps(r.Request) + countSteps(r.Response); n > maxRouteSteps {
		c.add(path, "has %d steps; at most %d", n, maxRouteSteps)
	}
}

// countSteps counts those below the steps of list, too.
func countSteps(list []Step) int {
	n := len(list)
	for _, s := range list {
		n += countSteps(s.Then) + countSteps(s.Else)
	}
	return n
}

func (c stepChecker) list(list []Step, path string, depth int) {
	if list != nil && len(list) == 0 && depth > 1 {
		c.add(path, "has no steps")
	}
	if depth > maxStepDepth && len(list) > 0 {
		c.addAtKey(path, "steps are nested more than %d deep", maxStepDepth)
		return
	}
	for i, s := range list {
		below := joinIndex(path, i)
		c.step(s, below, depth)
		c.list(s.Then, joinKey(below, "then"), depth+1)
		c.list(s.Else, joinKey(below, "else"), depth+1)
	}
}

func (c stepChecker) step(s Step, path string, depth int) {
	c.form(s, path, depth)
	c.place(s, path)
	c.let(s.Let, joinKey(path, "let"))
	c.expressionFields(s.Set, joinKey(path, "set"))
	c.expressionFields(s.Add, joinKey(path, "add"))
	c.expressionFields(s.Append, joinKey(path, "append"))
	c.removed(s.Remove, joinKey(path, "remove"))
	if s.JSON != nil {
		c.json(s.JSON, joinKey(path, "json"))
	}
	if s.Rewrite != nil && *s.Rewrite == (Rewrite{}) && !c.broken(joinKey(path, "rewrite")) {
		c.add(joinKey(path, "rewrite"), "changes nothing; write path, query, host or method")
	}
	if s.Respond != nil {
		c.respond(s.Respond, joinKey(path, "respond"))
	}
	if s.Redirect != nil {
		c.literalStatus(s.Redirect.Status, redirections, joinKey(joinKey(path, "redirect"), "status"))
	}
}

// form checks which keys stand together.
func (c stepChecker) form(s Step, path string, depth int) {
	switch ends := s.ends(); {
	case !s.acts() && !c.broken(path):
		c.add(path, "does nothing; write an action: let, set, add, append, remove, json, %srespond, or then below an if", c.requestActions())
	case len(ends) > 1:
		c.addAtKey(joinKey(path, ends[1]), "is never done: %s answers already", ends[0])
	}
	if s.If == "" && !c.broken(joinKey(path, "if")) {
		if s.Then != nil {
			c.addAtKey(joinKey(path, "then"), "there is no if that it belongs to")
		}
		if s.Else != nil {
			c.addAtKey(joinKey(path, "else"), "there is no if that it belongs to")
		}
	}
	if s.Errors && depth > 1 && c.response {
		c.addAtKey(joinKey(path, "errors"), "belongs to the outermost step; those below it are done when that one is")
	}
}

func (c stepChecker) requestActions() string {
	if c.response {
		return ""
	}
	return "rewrite, redirect, route, "
}

// acts tells whether the step does something.
func (s Step) acts() bool {
	return len(s.Let)+len(s.Set)+len(s.Add)+len(s.Append)+len(s.Remove) > 0 || s.JSON != nil || s.Rewrite != nil ||
		len(s.ends()) > 0 || s.Then != nil || s.Else != nil
}

// ends lists the actions of the step that say where the request goes: it can go to
// one place only.
func (s Step) ends() (keys []string) {
	for _, end := range []struct {
		key   string
		there bool
	}{
		{"respond", s.Respond != nil},
		{"redirect", s.Redirect != nil},
		{"route", s.Route != ""},
	} {
		if end.there {
			keys = append(keys, end.key)
		}
	}
	return keys
}

// place checks that the step stands in the list where its actions belong.
func (c stepChecker) place(s Step, path string) {
	if !c.response {
		if s.Errors {
			c.addAtKey(joinKey(path, "errors"), "belongs to response steps; no error has happened yet")
		}
		return
	}
	for _, action := range []struct {
		key   string
		there bool
	}{
		{"rewrite", s.Rewrite != nil},
		{"redirect", s.Redirect != nil},
		{"route", s.Route != ""},
	} {
		if action.there {
			c.addAtKey(joinKey(path, action.key), "belongs to request steps; the request is answered already")
		}
	}
}

func (c stepChecker) let(names Expressions, path string) {
	c.notEmpty(names, path)
	for _, n := range names {
		below := joinKey(path, n.Name)
		switch {
		case !variableName.MatchString(n.Name):
			c.addAtKey(below, "%s is not a name; it has letters, digits and _", quote(n.Name))
		case slices.Contains(celWords, n.Name):
			c.addAtKey(below, "%s is a word of the language; take another name", n.Name)
		case slices.Contains(variables, n.Name):
			c.addAtKey(below, "%s is there already; take another name", n.Name)
		}
	}
}

// expressionFields checks fields whose values are expressions.
func (c stepChecker) expressionFields(fields Expressions, path string) {
	c.notEmpty(fields, path)
	for i, f := range fields {
		below := joinKey(path, f.Name)
		same := func(o Field) bool { return strings.EqualFold(o.Name, f.Name) }
		j := slices.IndexFunc(fields[:i], same)
		switch message := c.badStepField(f.Name); {
		case message != "":
			c.addAtKey(below, "%s", message)
		case j >= 0:
			c.addAtKey(below, "is the same field as %s; names are compared without case", fields[j].Name)
		}
	}
}

func (c stepChecker) badStepField(name string) string {
	if !isToken(name) {
		return quote(name) + " is not a field name"
	}
	why, own := proxyFields[strings.ToLower(name)]
	switch {
	case strings.EqualFold(name, "host") && c.response:
		why = "it is a field of requests"
	case strings.EqualFold(name, "host"):
		why = "write rewrite: { host: … }"
	}
	if own {
		return name + " cannot be changed here: " + why
	}
	return ""
}

func (c stepChecker) removed(names []string, path string) {
	if names != nil && len(names) == 0 {
		c.add(path, "removes nothing; write the names of fields")
	}
	for i, name := range names {
		if message := c.badStepField(name); message != "" {
			c.add(joinIndex(path, i), "%s", message)
		}
	}
}

func (c stepChecker) json(j *JSONChange, path string) {
	if len(j.Set)+len(j.Merge)+len(j.Remove) == 0 && !c.broken(path) {
		c.add(path, "changes nothing; write set, merge or remove")
	}
	for key, list := range map[string]Expressions{"set": j.Set, "merge": j.Merge} {
		below := joinKey(path, key)
		c.notEmpty(list, below)
		for _, e := range list {
			if message := badJSONPath(e.Name); message != "" {
				c.addAtKey(joinKey(below, e.Name), "%s", message)
			}
		}
	}
	for i, member := range j.Remove {
		if message := badJSONPath(member); message != "" {
			c.add(joinIndex(joinKey(path, "remove"), i), "%s", message)
		}
	}
}

// badJSONPath tells what is wrong with the path of a member. A dot behind a
// backslash belongs to a name.
func badJSONPath(path string) string {
	names := strings.Split(strings.ReplaceAll(path, `\.`, "x"), ".")
	switch {
	case path == "":
		return "the path is empty; write the name of a member, as in a.b.0"
	case slices.Contains(names, ""):
		return quote(path) + ` has an empty name in it; a dot that belongs to a name is written \.`
	}
	return ""
}

func (c stepChecker) respond(r *Respond, path string) {
	status := joinKey(path, "status")
	if r.Status == "" && r.Body == "" && r.ContentType == "" && len(r.Headers) == 0 && !c.broken(path) {
		c.add(path, "says nothing; write status, body, content_type or headers")
	}
	c.literalStatus(r.Status, nil, status)
	headers := joinKey(path, "headers")
	c.expressionFields(r.Headers, headers)
	for _, f := range r.Headers {
		if r.ContentType != "" && strings.EqualFold(f.Name, "content-type") {
			c.addAtKey(joinKey(headers, f.Name), "is there already as content_type")
		}
	}
}

var redirections = []string{"301", "302", "303", "307", "308"}

// literalStatus checks a status code that is written as a number; any final one is
// legal if none is listed.
func (c *checker) literalStatus(text Expression, legal []string, path string) {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	switch {
	case err != nil:
	case legal != nil && !slices.Contains(legal, strconv.Itoa(n)):
		c.add(path, "%d is no redirection; write one of %s", n, strings.Join(legal, ", "))
	case n < 200 || n > lastStatus:
		c.add(path, "%d is not the code of a response; they are from 200 to %d", n, lastStatus)
	}
}
