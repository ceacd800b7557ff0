package admin

import (
	"bytes"
	"crypto/rand"
	"embed"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"
)

//go:embed page.html page.css page.js
var pageFiles embed.FS

// pageFuncs are the texts that the template makes of services and endpoints;
// page.js makes the same.
var pageFuncs = template.FuncMap{"about": about, "trouble": trouble, "origin": origin, "state": state, "rest": rest}

// about returns what there is to say of a service beside its name.
func about(s Service) string {
	var parts []string
	for _, word := range []string{s.Strategy, s.Balance} {
		if word != "" {
			parts = append(parts, word)
		}
	}
	switch {
	case s.Concurrency > 0:
		parts = append(parts, fmt.Sprintf("%d / %d in flight", s.InFlight, s.Concurrency))
	case s.InFlight > 0:
		parts = append(parts, fmt.Sprintf("%d in flight", s.InFlight))
	}
	if s.QueueWaiting > 0 {
		parts = append(parts, fmt.Sprintf("%d waiting", s.QueueWaiting))
	}
	for _, version := range slices.Sorted(maps.Keys(s.Split)) {
		parts = append(parts, fmt.Sprintf("%s: %d", version, s.Split[version]))
	}
	return strings.Join(parts, " · ")
}

// trouble returns what is wrong with a source; nothing if it is well.
func trouble(s Source) string {
	if s.State == "" || s.State == "ok" {
		return ""
	}
	text := s.Kind + " is " + s.State
	if !s.Since.IsZero() {
		text += " since " + s.Since.Format(clock)
	}
	if s.Error != "" {
		text += ": " + s.Error
	}
	return text
}

// clock is how the page writes a time, which is in UTC.
const clock = "2006-01-02 15:04:05Z"

// origin returns who announced an endpoint, and where it stands. Of a worker more is
// said elsewhere.
func origin(e Endpoint) string {
	var parts []string
	if e.Source != "" && e.Worker == nil {
		parts = append(parts, "from "+e.Source)
	}
	if e.Zone != "" && e.Worker == nil {
		parts = append(parts, e.Zone)
	}
	return strings.Join(parts, " · ")
}

// state returns the word for what an endpoint is doing.
func state(e Endpoint) string {
	switch {
	case e.State != "":
		return e.State
	case e.Up:
		return "up"
	default:
		return "down"
	}
}

// rest returns which rest an endpoint takes, until when, and how often it has failed.
func rest(e Endpoint) string {
	var parts []string
	if e.Step > 0 {
		parts = append(parts, fmt.Sprintf("step %d", e.Step))
	}
	if !e.Until.IsZero() {
		parts = append(parts, "until "+e.Until.Format(clock))
	}
	if e.Failures > 0 {
		parts = append(parts, fmt.Sprintf("failures: %d", e.Failures))
	}
	return strings.Join(parts, ", ")
}

// servePage answers with the status page. It is complete as it is sent, so that
// it also works without JavaScript; the script then keeps it up to date from
// /v1/services, and at once when /v1/events says that something changed.
func servePage(options Options) handler {
	page := template.Must(template.New("page.html").Funcs(pageFuncs).ParseFS(pageFiles, "page.html"))
	style, script := mustRead("page.css"), mustRead("page.js")
	return func(w http.ResponseWriter, _ *http.Request, _ []string) {
		nonce := rand.Text()
		var body bytes.Buffer
		err := page.Execute(&body, map[string]any{
			"Nonce":    nonce,
			"Style":    template.CSS(style),
			"Script":   template.JS(script),
			"Version":  options.Version,
			"Services": shown(options),
		})
		if err != nil {
			writeProblem(w, problem{Status: http.StatusInternalServerError, Error: "internal"})
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; "+
			"style-src 'nonce-"+nonce+"'; script-src 'nonce-"+nonce+"'; connect-src 'self'; img-src data:; "+
			"base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		_, _ = w.Write(body.Bytes())
	}
}

func mustRead(name string) string {
	content, err := pageFiles.ReadFile(name)
	if err != nil {
		panic(err) // it is embedded
	}
	return string(content)
}

// secure sets the fields that every answer carries: nobody frames it, guesses its
// type, keeps it, embeds it from elsewhere or learns its address from it.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
