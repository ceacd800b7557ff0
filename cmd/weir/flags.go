package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
)

// runFlags are the flags of weir run.
type runFlags struct {
	set *pflag.FlagSet

	config    string
	to        []string
	listen    []string
	attach    string
	admin     string
	service   serviceFlags
	logFormat string
	logFile   string
	logLevel  string
	stopAfter span
	watch     bool
}

func (f *runFlags) add(cmd *cobra.Command) {
	f.set = cmd.Flags()
	addConfigFlag(cmd, &f.config)
	f.set.StringArrayVar(&f.to, "to", nil, "`URLs` of endpoints, separated by commas; repeatable")
	f.set.StringArrayVar(&f.listen, "listen", nil, "`address` to serve clients on: host:port, :port or unix:/path; repeatable (default :8080)")
	f.set.StringVar(&f.attach, "attach", "", "`address` on which workers attach, or off (default 127.0.0.1:7000; with --to or -c, off unless the file says otherwise)")
	f.set.StringVar(&f.admin, "admin", "", "`address` of the admin API, or off (default 127.0.0.1:9900)")
	f.service.add(cmd)
	f.set.StringVar(&f.logFormat, "log-format", "", "`format` of the access log: json, text or off (default json, with -c what the file says)")
	f.set.StringVar(&f.logFile, "log-file", "", "`path` of the access log: a file, stdout or stderr (default stdout)")
	f.set.StringVar(&f.logLevel, "log-level", "info", "least `level` of what Weir logs about itself, on standard error: debug, info, warn or error")
	f.set.Var(&f.stopAfter, "stop-after", "stop gracefully after this `duration`, such as 30s")
	f.set.BoolVar(&f.watch, "watch", false, "read the file again whenever it changes, as on SIGHUP")
	completeWith(cmd, "log-format", []string{"json", "text", "off"})
	completeWith(cmd, "log-level", levelNames)
}

func (f *runFlags) given(name string) bool { return f.set.Changed(name) }

// override puts what the flags say over c, and returns what the user might not
// have meant by that.
func (f *runFlags) override(c *weir.Config) (warnings []string) {
	if f.given("to") {
		if f.config != "" && len(c.Services) > 0 {
			warnings = append(warnings, "--to replaces all services and routes of "+f.config)
		}
		c.Services = map[string]config.Service{"default": {Endpoints: f.endpoints()}}
		c.Routes = []config.Route{{Service: "default"}}
	}
	if f.given("listen") {
		if securesAny(c.Listeners) {
			warnings = append(warnings, "--listen replaces the listeners of "+f.config+", those with TLS too")
		}
		c.Listeners = nil
		for _, address := range f.listen {
			c.Listeners = append(c.Listeners, config.Listener{Address: address})
		}
	}
	if f.given("attach") {
		c.Attach = f.overAttach(c.Attach)
	}
	if f.given("admin") {
		if c.Admin.Off = f.admin == "off"; !c.Admin.Off {
			c.Admin.Address = f.admin
		}
	}
	for name, s := range c.Services {
		c.Services[name] = f.service.over(s)
	}
	f.overrideLog(c)
	return warnings
}

// overAttach returns what is configured of the door for workers with the address
// that the flag says. Off closes it; workers may still come by other listeners.
func (f *runFlags) overAttach(a *config.Attach) *config.Attach {
	if a == nil {
		if f.attach == "off" {
			return nil
		}
		a = new(config.Attach)
	}
	a.Address = f.attach
	return a
}

// overrideLog decides on the access log: without a file it is written, because
// nobody said otherwise.
func (f *runFlags) overrideLog(c *weir.Config) {
	if f.config != "" && !f.given("log-format") && !f.given("log-file") {
		return
	}
	if c.AccessLog == nil {
		c.AccessLog = new(config.AccessLog)
	}
	if f.given("log-format") {
		c.AccessLog.Format = f.logFormat
	}
	if f.given("log-file") {
		c.AccessLog.Path = f.logFile
	}
}

// urls are those of --to.
func (f *runFlags) urls() (list []string) {
	for _, urls := range f.to {
		for url := range strings.SplitSeq(urls, ",") {
			list = append(list, strings.TrimSpace(url))
		}
	}
	return list
}

func (f *runFlags) endpoints() (list []config.Endpoint) {
	for _, url := range f.urls() {
		list = append(list, config.Endpoint{URL: url})
	}
	return list
}

func securesAny(listeners []config.Listener) bool {
	for _, l := range listeners {
		if l.TLS != nil {
			return true
		}
	}
	return false
}

// flagOf tells which flag leads to a value of the configuration.
var flagOf = []struct{ path, flag string }{
	{"listeners", "listen"},
	{"attach", "attach"},
	{"admin.address", "admin"},
	{"services.default.endpoints", "to"},
	{"services.default.strategy", "strategy"},
	{"services.default.usable", "usable"},
	{"services.default.balance", "balance"},
	{"access_log.format", "log-format"},
	{"access_log.path", "log-file"},
}

// explain says by its flag what is wrong with a configuration that flags have
// changed.
func (f *runFlags) explain(problems config.Problems) error {
	var errs []error
	for _, p := range problems {
		errs = append(errs, fmt.Errorf("%s: %s", f.nameOf(p.Path), p.Message))
	}
	return errors.Join(errs...)
}

// nameOf names the flag that gave the value at path its value, or has made it
// necessary.
func (f *runFlags) nameOf(path string) string {
	if path == "admin.token" && f.given("admin") {
		return "--admin needs a token; admin.token"
	}
	for _, o := range flagOf {
		if strings.HasPrefix(path, o.path) && f.given(o.flag) {
			return "--" + o.flag
		}
	}
	return path
}
