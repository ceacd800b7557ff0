package attach

import "strings"

// AppendAccept appends the answer to a request that may attach: a 101. What
// follows it is HTTP/2, and the router begins.
func (d *Door) AppendAccept(dst []byte) []byte {
	dst = append(dst, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: ptth\r\nALPN: h2\r\n"...)
	if routers := d.routers(); routers != "" {
		dst = append(dst, "Weir-Routers: "+routers+"\r\n"...)
	}
	return append(dst, "\r\n"...)
}

// routers is the list of further routers; what could not stand in it is left out.
func (d *Door) routers() string {
	if d.opts.Routers == nil {
		return ""
	}
	var listed []string
	for _, r := range d.opts.Routers() {
		if isVisible(r) && !strings.Contains(r, ",") {
			listed = append(listed, r)
		}
	}
	return strings.Join(listed, ", ")
}
