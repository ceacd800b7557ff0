package http1

// Where the fuzz targets begin, written as [wire] reads it.

var requestSeeds = []string{
	"GET / HTTP/1.1\nHost: a\n\n",
	"GET /a/b%2F?c=d&e HTTP/1.1\nhost: a.example:8080\nAccept: */*\nConnection: keep-alive, B\nB: c\n\n",
	"GET http://b:81/c?d HTTP/1.1\nHost: a\n\n",
	"GET http://[::1]:80 HTTP/1.1\nHost: [::1]\n\n",
	"OPTIONS * HTTP/1.1\nHost: a\n\n",
	"OPTIONS http://a HTTP/1.1\nHost: a\n\n",
	"GET / HTTP/1.0\n\n",
	"GET / HTTP/1.0\nConnection: keep-alive\nHost:\n\n",
	"POST / HTTP/1.1\nHost: a\nContent-Length: 5\n\nhello",
	"POST / HTTP/1.1\nHost: a\nContent-Length: 0\n\n",
	"POST / HTTP/1.1\nHost: a\nContent-Length: 5\nContent-Length: 5\n\nhello",
	"POST / HTTP/1.1\nHost: a\nContent-Length: 5\nTransfer-Encoding: chunked\n\n0\n\n",
	"POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nExpect: 100-continue\n\n5\nhello\n0\n\n",
	"POST / HTTP/1.1\nHost: a\nTransfer-Encoding: xchunked\n\n0\n\n",
	"POST / HTTP/1.1\nHost: a\nTransfer-Encoding : chunked\n\n0\n\n",
	"POST / HTTP/1.1\nHost: a\nTransfer-Encoding:\n chunked\n\n0\n\n",
	"POST / HTTP/1.1\nHost: a\nTrailer: A, B\nTransfer-Encoding: chunked\n\n0\nA: b\n\n",
	"GET / HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: websocket\n\n",
	"GET / HTTP/1.1\nHost: a\nX_Forwarded_For: 1\nX-Real-IP: 2\nForwarded: for=3\nTE: trailers\n\n",
	`GET / HTTP/1.1\nHost: a\n\n`,
	"GET / HTTP/1.1\nHost: a\n" + `B: c\rd` + "\n\n",
	"CONNECT a:443 HTTP/1.1\nHost: a\n\n",
	"PRI * HTTP/2.0\n\nSM\n\n",
}

var responseSeeds = []string{
	"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
	"HTTP/1.1 200\ncontent-length: 5\ncontent-length: 5\n\nhello",
	"HTTP/1.0 404  Not Found \nServer: x\nConnection: keep-alive\n\n",
	"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nTrailer: A\n\n0\n\n",
	"HTTP/1.1 204 No Content\nContent-Length: 0\n\n",
	"HTTP/1.1 304 Not Modified\nContent-Length: 007\nETag: \"a\"\n\n",
	"HTTP/1.1 101 Switching Protocols\nConnection: upgrade\nUpgrade: websocket\n\n",
	"HTTP/1.1 103 Early Hints\nLink: </a>\n\n",
	"HTTP/1.1 200 OK\nConnection: close, A\nA: b\nSet-Cookie: x\nSet-Cookie: y\n\n",
	"HTTP/1.1 200 OK\nA: b\n c\n\n",
}

var chunkedSeeds = []string{
	"0\n\n",
	"5\nhello\n0\n\n",
	"00a;b=\"c;d\";e\n0123456789\n1;f\nx\n0\nA: b\n\n",
	"5 \nhello\n0\n\n",
	`5\nhello\n0\n\n`,
	"5;" + `\n` + "\nhello\n0\n\n",
	"0x5\nhello\n0\n\n",
	"fffffffffffffff\nhello\n0\n\n",
	"ffffffffffffffff\nhello\n0\n\n",
	"5\nhello\n\n0\n\n",
	"0\n" + `\n`,
}

var trailerSeeds = []string{
	"\n",
	"A: b\nC:d\n\n",
	"Content-Length: 5\nX-Forwarded-For: 1\nAuthorization: x\nIf-Match: *\n\n",
	"A : b\n\n",
	"A: b\n c\n\n",
	`A: b\nC: d\n\n`,
	"GET / HTTP/1.1\nHost: a\n\n",
}
