package admin

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
)

// A tagger makes entity tags (RFC 9110, section 8.8.3). A tag changes with
// everything in a description, also with what is not shown; so it is made with a
// key, lest a short secret be guessed from it. It is good for as long as the
// process lives.
type tagger struct{ key []byte }

func newTagger() tagger { return tagger{[]byte(rand.Text())} }

// of returns the tag of a value, with its quotes.
func (t tagger) of(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // descriptions are text and numbers
	}
	mac := hmac.New(sha256.New, t.key)
	mac.Write(text)
	return `"` + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:15]) + `"`
}

// ofCurrent returns the tag of a description; "" if there is none.
func (t tagger) ofCurrent(d *Description) string {
	if d == nil {
		return ""
	}
	return t.of(*d)
}

// conditions are under which a request is to be served (RFC 9110, section 13).
type conditions struct{ match, noneMatch *tagList }

// A tagList is the value of If-Match or If-None-Match. A nil one has not been sent.
type tagList struct {
	any  bool
	tags []string // W/ before weak ones
}

func conditionsOf(h http.Header) (c conditions, refusal *Refusal) {
	for _, field := range []struct {
		name string
		list **tagList
	}{{"If-Match", &c.match}, {"If-None-Match", &c.noneMatch}} {
		values := h.Values(field.name)
		if len(values) == 0 {
			continue
		}
		list, ok := parseTags(strings.Join(values, ","))
		if !ok {
			return c, &Refusal{
				http.StatusBadRequest, "bad_condition",
				field.name + ` is neither * nor a list of tags such as "abc", each as it came in ETag.`,
			}
		}
		*field.list = list
	}
	return c, nil
}

// hold reports whether a change may be made of what has that tag; "" is nothing.
func (c conditions) hold(tag string) bool { return c.matched(tag) && !c.unchanged(tag) }

// matched reports whether If-Match lets a request be served. It compares strongly:
// a weak tag is no other's equal.
func (c conditions) matched(tag string) bool { return c.match == nil || c.match.has(tag) }

// unchanged reports whether If-None-Match has the tag.
func (c conditions) unchanged(tag string) bool {
	return c.noneMatch != nil && (c.noneMatch.has(tag) || c.noneMatch.has("W/"+tag))
}

func (l *tagList) has(tag string) bool {
	if l.any {
		return strings.HasPrefix(tag, `"`)
	}
	for _, t := range l.tags {
		if t == tag {
			return true
		}
	}
	return false
}

// parseTags reads * or a list of entity tags.
func parseTags(text string) (list *tagList, ok bool) {
	text = strings.Trim(text, " \t")
	if text == "*" {
		return &tagList{any: true}, true
	}
	list = new(tagList)
	for {
		text = strings.TrimLeft(text, " \t,")
		if text == "" {
			return list, len(list.tags) > 0
		}
		weak := ""
		if rest, found := strings.CutPrefix(text, "W/"); found {
			weak, text = "W/", rest
		}
		inner, found := strings.CutPrefix(text, `"`)
		opaque, rest, closed := strings.Cut(inner, `"`)
		if !found || !closed || strings.ContainsFunc(opaque, notOfTag) {
			return nil, false
		}
		if text = strings.TrimLeft(rest, " \t"); text != "" && text[0] != ',' {
			return nil, false
		}
		list.tags = append(list.tags, weak+`"`+opaque+`"`)
	}
}

func notOfTag(r rune) bool { return r <= ' ' || r == 0x7f }
