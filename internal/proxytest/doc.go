// Package proxytest plays scenarios against a whole proxy: scripted clients on
// one side, scripted endpoints on the other, and in between what is tested. It
// is for tests only.
//
// A scenario is a txtar file. What stands before the first section is a comment,
// every line of it with a #, or one of these:
//
//	only sockets   not in virtual time: it is about what only the kernel does
//	only plain     nor with TLS
//	only tls       but with TLS
//	only virtual   not over sockets: it is about time
//
// Without one of them the scenario is played three times: over loopback TCP, the
// same with TLS, and over connections in memory within a testing/synctest bubble.
// The proxy is the same; its connections are a conn.Raw, a conn.Stream with a
// descriptor below it, and one without. The section config is
// a configuration in which the endpoint called a is http://a; without it there is
// one service, web, with all endpoints that the script mentions, in that order.
// The section script is played line by line:
//
//	# A GET whose endpoint closes a kept connection is tried again on another.
//	-- script --
//	client: GET / HTTP/1.1
//	a: expect GET /
//	a: close
//	b: expect GET /
//	b: answer 200 hello
//	client: want 200 hello
//	log: status=200 endpoint=http://b attempts=2
//
// A line is `actor: verb …`; lines below it that begin with a tab are its block.
// Whoever waits, waits long (15 s, or 10 minutes of virtual time), and a line that
// fails says what came instead. When the script is over, the proxy is shut down,
// and everything that arrived anywhere and that no line has asked for is a
// failure: a request that was repeated, an answer that was doubled.
//
// # Actors
//
// An actor whose name begins with client is a client; it connects with its first
// line. log is the access log, clock the time. Any other is an endpoint. Its lines
// are about the connection of its last expect; `a/2: …` is about its second. All
// endpoints of the configuration are there, whether the script names them or not.
//
// Where it is not the script that knows which endpoint gets a request, any is
// whichever it comes to, same is the one that any was last, and other is whichever
// it comes to of the rest:
//
//	client: GET /1
//	any: expect GET /1
//	any: answer 200
//	client: want 200
//	client: GET /2
//	same: expect GET /2
//
// # Bytes
//
// Where text is sent or wanted, a quoted Go string stands for what it denotes.
// In a block, a line that is not quoted ends in CR LF, or, where content is meant,
// in nothing.
//
// # What clients do
//
//	METHOD target [version]         send a request. The block has its fields and,
//	                                behind an empty line, content. Host is added,
//	                                unless it is there or the version is HTTP/1.0
//	open                            connect, once more if need be
//	cookies                         keep cookies from here on, and send them back
//	ask N METHOD target STATUS      send N requests, one after the other, with the
//	                                fields of the block; each is answered so
//	want STATUS [content]           read a whole response. The block has fields (see
//	                                below) and, behind an empty line, content
//	want head STATUS                read its head only; of 1xx there is no more
//	want exactly STATUS [content]   there are no other fields than those
//	want problem STATUS error [detail]   it is a problem document that says so;
//	                                = before the detail: and nothing else
//
// # What endpoints do
//
//	expect METHOD target [on N]     wait for a request, with its content, on any
//	                                connection, or on the Nth there was
//	expect head METHOD target       read its head only
//	expect exactly METHOD target    there are no other fields than those
//	answer STATUS [content]         send a response with the fields of the block; its
//	                                length is added unless they say how it is framed
//	head STATUS                     send a head with the fields of the block alone
//	want connections N [to M]       that many there were
//	want dials N [to M]             that many attempts at one, in vain or not
//	down, blackhole, up             connecting is refused, hangs, works again
//	serve METHOD target STATUS      answer such requests by itself from here on, with
//	                                no content; never for STATUS is not at all
//	want served N [to M]            that many requests came that it answers by itself
//
// In the block of a want or an expect, fields are in their order and in their
// case: `Name: value`, or `Name: *` for any value. `! Name` must not be there.
//
// # What both do
//
//	send [text]       send the text and the block, as they are
//	repeat N          send the block N times
//	fill SIZE         send so many letters
//	dribble PAUSE     send the block byte by byte
//	chunk text        send a chunk
//	end               send the last one, with the block's trailer fields, behind what
//	                  is being sent in the background
//	flood SIZE [in chunks]   send so much content in the background
//	echo SIZE         send so much content back as it comes, in the background
//	close, halfclose, reset  end the connection, one half of it, or the hard way
//	cork              what is sent from here on arrives together with its halfclose
//	deaf, listen      take nothing more off the connection; take it again
//	ignore            what comes and is not asked for is no failure
//	want content text        the content goes on so
//	want flood SIZE          the content goes on with so much of a flood
//	want end                 the content ends, with the block's trailer fields
//	want cut                 the connection ends in the middle of the message
//	want bytes [text]        these bytes come, then the block's
//	want closed              the connection ends, and nothing comes before
//	want silence             nothing comes for a moment
//	want stalled under SIZE  the flood is held back before it has sent so much
//
// # Log and clock
//
//	log: name=value …   a line of the access log has these members; `-` is none,
//	                    `*` any value, tries.0.status within the first of tries.
//	                    Each line of the log is good for one
//	clock: start        begin to measure; it began with the script, too
//	clock: want 2s      so much has passed, and hardly more; in virtual time only
//	clock: pass 2s      wait
package proxytest
