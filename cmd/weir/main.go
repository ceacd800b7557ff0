// Command weir is a load-balancing reverse proxy.
//
//	weir run --to http://localhost:3000
//	weir run -c weir.yaml
//	weir demo
//
// docs/reference/command-line.md describes it. This package holds flags, signals
// and exit codes; the proxy itself is package weir.
package main

import "os"

func main() {
	os.Exit(execute(os.Args[1:], os.Stdout, os.Stderr))
}
