"""Mutants of HTTP."""

from mutant import Mutant

CONNECTION = "HTTP/Connection.swift"
ANSWERS = "HTTP/Connection+Answers.swift"
PARSER = "HTTP/RequestParser.swift"
CHUNKS = "HTTP/RequestParser+Chunks.swift"
FIELD = "HTTP/HeaderField.swift"
LINE = "HTTP/RequestLine.swift"
ROUTER = "HTTP/Router.swift"
SERVER = "HTTP/Server.swift"
BUDGET = "HTTP/ConnectionBudget.swift"
RESPONSE = "HTTP/Client/ResponseParser.swift"
PARSING = ("ParserTests", "SampleTests")
SERVING = ("ServerTests", "ServerLimitTests")

HTTP = (
    Mutant("each byte begins the time of a header section anew", CONNECTION, "guard «next != phase» else { return }",
           "true", ("ServerLimitTests",)),
    Mutant("the time of a request begins with the end of its body", CONNECTION,
           "phase == .readingBody ? headArrived : server.loop.now", "server.loop.now", ("ServerLimitTests",)),
    Mutant("an idle connection is kept for an hour", CONNECTION,
           "case .idle: setDeadline(«configuration.idleTimeoutMilliseconds»)", "3_600_000", ("ServerLimitTests",)),
    Mutant("a header section has the time of an idle connection", CONNECTION,
           "setDeadline(«configuration.headerTimeoutMilliseconds»)", "configuration.idleTimeoutMilliseconds",
           ("ServerLimitTests",)),
    Mutant("the late answer of a handler that overran is sent too", ANSWERS,
           "guard «current === request» else { return }", "true", ("ServerLimitTests",)),
    Mutant("lingering has no end in bytes", CONNECTION, "lingeredBytes > server.configuration.lingerBytes", "false",
           ("ServerLimitTests",)),
    Mutant("a client that waits for 100-continue waits on", CONNECTION,
           "if «parser.expectsContinue», position == input.count {", "false", SERVING),
    Mutant("a drain keeps connections alive", ANSWERS, "request.head.isKeptAlive && !server.isDraining",
           "request.head.isKeptAlive", ("ServerLimitTests",)),
    Mutant("input is read without bound while a handler works", CONNECTION,
           "if wantsInput, «leftover.isEmpty», !isInputClosed", "true", ("ServerLimitTests",)),
    Mutant("a reader that stops is waited for without end", CONNECTION, "if «now >= writeDeadline» || phase == .closing",
           "false", ("ServerLimitTests",)),
    Mutant("a socket that closes goes on for as long as it takes bytes", CONNECTION,
           "«phase == .closing && socket != nil && now >= deadline» { close() }", "false", ("WebSocketTests",)),

    Mutant("a request may have two framings", PARSER, "guard «framing.contentLength == nil» else", "true", PARSING),
    Mutant("HTTP/1.0 may send chunks", PARSER, "guard «line.minorVersion >= 1» else", "true", PARSING),
    Mutant("a request needs no Host", PARSER, "guard «framing.hasHost || line.minorVersion == 0» else", "true",
           PARSING),
    Mutant("a body may be one byte longer", PARSER, "guard length <= «maximumBodyBytes» else", "maximumBodyBytes + 1",
           PARSING),
    Mutant("one field more is taken", PARSER, "fields.count < limits.headerFields",
           "fields.count <= limits.headerFields", PARSING),
    Mutant("empty lines before a request without end", PARSER, "emptyLines <= Self.leadingEmptyLines", "true", PARSING),
    Mutant("a line may end with LF alone", PARSER, "buffer[start + length] == ASCII.carriageReturn", "true",
           PARSING + ("FuzzTests",)),
    Mutant("chunks add up to more than a body may have", CHUNKS, "size <= maximumBodyBytes - body.count",
           "size <= maximumBodyBytes", PARSING),
    Mutant("chunk extensions without bound", CHUNKS, "extensionBytes <= limits.headerSectionBytes", "true", PARSING),
    Mutant("a chunk need not end where its size says", CHUNKS, "chunkLine == [ASCII.carriageReturn, ASCII.lineFeed]",
           "true", PARSING),
    Mutant("trailer fields without bound", CHUNKS, "trailerFields < limits.headerFields", "true", PARSING),
    Mutant("two Host fields", FIELD, "guard «!hasHost» else", "true", PARSING),
    Mutant("two Content-Length fields", FIELD, "guard «contentLength == nil» else", "true", PARSING),
    Mutant("any transfer coding whose name is known", FIELD,
           'guard !isChunked, «ASCII.equals(value, lowercase: "chunked")» else', "true", PARSING),
    Mutant("control bytes in a field's value", FIELD, "for index in start..<end where «!isValueByte(line[index])»",
           "false", PARSING),
    Mutant("a length that no integer holds is taken for a small one", FIELD, "if «overflow || carry» { return .max }",
           "false", PARSING),
    Mutant("a NUL in the path", LINE, "high | low != 0", "true", PARSING),
    Mutant("CONNECT", LINE, "guard «result.method != .connect» else", "true", PARSING),
    Mutant("dot segments behind escapes", "HTTP/PercentEncoding.swift", "decoded != [ASCII.dot, ASCII.dot]", "true",
           ("RouterTests", "ServerTests")),
    Mutant("escaped slashes in a segment", "HTTP/PercentEncoding.swift", "$0 < ASCII.space || «$0 == ASCII.slash»",
           "false", ("RouterTests", "ServerTests")),
    Mutant("a parameter may be empty", ROUTER, "let child = nodes[index].parameter, «!segment.isEmpty»", "true",
           ("RouterTests",)),
    Mutant("HEAD is no method of a path that has GET", ROUTER, "«head.method == .head» ?", "false",
           ("RouterTests", "ServerTests")),
    Mutant("a caller's request id of any length", "HTTP/RequestIdentifier.swift",
           "(1...givenBytes).contains(found.count)", "found.count >= 1", ("ServerTests",)),
    Mutant("two request ids count as one", "HTTP/RequestIdentifier.swift", "guard «count == 1», let found",
           "count >= 1", ("ServerTests",)),
    Mutant("line breaks in an answer's fields", "HTTP/ResponseWriter.swift", "output[index] = ASCII.space", "",
           ("ServerTests",), is_statement=True),

    Mutant("an address may have one connection more", BUDGET, "used < limitPerAddress", "used <= limitPerAddress",
           SERVING + ("ListenerTests",)),
    Mutant("a place is not given back", BUDGET, "state.used -= 1", "", SERVING, is_statement=True),
    Mutant("nobody is told of a place that is free", BUDGET, "for waiter in waiters { waiter() }", "", SERVING,
           is_statement=True),
    Mutant("every origin may read answers", "HTTP/CrossOrigin.swift", "allowsAll || origins.contains(origin)", "true",
           ("test_web.py",)),
    Mutant("a server that drains goes on accepting", SERVER, "«acceptor?.finish()»\n        acceptor = nil", "",
           ("ServerLimitTests",),
           is_statement=True),
    Mutant("a drain has no end", SERVER, "for connection in rest { connection.close() }", "", ("ServerLimitTests",),
           is_statement=True),
    Mutant("one client's messages keep all others waiting", CONNECTION,
           "messages < Self.messagesAtOnce && server.pipelinedAllowance > 0", "true", SERVING),

    Mutant("the client takes an answer of any size", RESPONSE, "guard «length <= limits.bodyBytes» else", "true",
           ("ResponseParserTests",)),
    Mutant("the client reads two framings as one", RESPONSE, "guard «framing.contentLength == nil», minorVersion >= 1",
           "true", ("ResponseParserTests",)),
    Mutant("an answer to HEAD has a body", RESPONSE, "answersHead || status == 204", "status == 204",
           ("ResponseParserTests", "HTTPClientTests")),
    Mutant("a request that may have arrived counts as unsent", "HTTP/Client/HTTPClient.swift",
           "connection?.hasSent == true", "false", ("HTTPClientTests",)),
    Mutant("an address that takes no connection is the last", "HTTP/Client/HTTPClient.swift",
           "return open(«addresses.dropFirst()», lastFailure", "[]", ("HTTPClientTests",)),
)
