import HTTP
import Testing

@testable import Fuzz

/// A message, or several, and what the parser must make of it.
struct Sample: CustomTestStringConvertible {
    enum Expectation: Equatable {
        /// The bodies of the messages, in order, and nothing left over.
        case accepted(bodies: [String])
        /// The input ends within a message.
        case incomplete
        /// The status, after so many accepted messages.
        case refused(Int, after: Int)
    }

    let name: String
    let input: [UInt8]
    let expectation: Expectation
    var limits = RequestParser.Limits()

    var testDescription: String { name }
}

private func accepted(_ name: String, _ input: String, _ bodies: String...) -> Sample {
    Sample(name: name, input: Array(input.utf8), expectation: .accepted(bodies: bodies.isEmpty ? [""] : bodies))
}

private func refused(_ status: Int, _ name: String, _ input: String, after: Int = 0) -> Sample {
    Sample(name: name, input: Array(input.utf8), expectation: .refused(status, after: after))
}

private func incomplete(_ name: String, _ input: String) -> Sample {
    Sample(name: name, input: Array(input.utf8), expectation: .incomplete)
}

private let host = "Host: a\r\n"
private let get = "GET / HTTP/1.1\r\nHost: a\r\n"
private let post = "POST /a HTTP/1.1\r\nHost: a\r\n"
private let chunked = post + "Transfer-Encoding: chunked\r\n\r\n"

/// A byte that is no UTF-8 by itself.
private func withByte(_ byte: UInt8, _ sample: Sample) -> Sample {
    Sample(
        name: sample.name, input: sample.input.map { $0 == UInt8(ascii: "~") ? byte : $0 },
        expectation: sample.expectation)
}

let samples =
    requestLineSamples + targetSamples + hostSamples + fieldSamples + lengthSamples + codingSamples + chunkSamples
    + connectionSamples + limitSamples(Invariants.smallLimits)

let requestLineSamples: [Sample] = [
    accepted("the least of 1.1", get + "\r\n"),
    accepted("the least of 1.0", "GET / HTTP/1.0\r\n\r\n"),
    accepted("a later minor version is 1.1", "GET / HTTP/1.2\r\n\(host)\r\n"),
    accepted("the last minor version", "GET / HTTP/1.9\r\n\(host)\r\n"),
    accepted("any token is a method", "M-SEARCH!#$%&'*+.^_`|~9 / HTTP/1.1\r\n\(host)\r\n"),
    accepted("methods have a case", "get / HTTP/1.1\r\n\(host)\r\n"),
    accepted("an empty line first", "\r\n" + get + "\r\n"),
    accepted("two empty lines first", "\r\n\r\n" + get + "\r\n"),
    accepted("an empty line between", get + "\r\n\r\n" + get + "\r\n", "", ""),
    refused(400, "three empty lines first", "\r\n\r\n\r\n" + get + "\r\n"),
    refused(400, "a bare LF first", "\n" + get + "\r\n"),
    refused(400, "a bare CR first", "\r" + get + "\r\n"),
    incomplete("one empty line's CR", "\r"),
    incomplete("a byte", "G"),
    refused(400, "HTTP/0.9", "GET /\r\n"),
    refused(400, "HTTP/0.9 with a space", "GET / \r\n"),
    refused(505, "a version 0.9 by name", "GET / HTTP/0.9\r\n\(host)\r\n"),
    refused(505, "HTTP/2.0", "GET / HTTP/2.0\r\n\(host)\r\n"),
    refused(505, "HTTP/3.0", "GET / HTTP/3.0\r\n\r\n"),
    refused(505, "the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    refused(400, "a version without a minor", "GET / HTTP/1\r\n\(host)\r\n"),
    refused(400, "HTTP/2 without a minor", "GET / HTTP/2\r\n\(host)\r\n"),
    refused(400, "a version of two digits", "GET / HTTP/1.10\r\n\(host)\r\n"),
    refused(400, "a major version of two digits", "GET / HTTP/11.1\r\n\(host)\r\n"),
    refused(400, "a version with a sign", "GET / HTTP/+1.1\r\n\(host)\r\n"),
    refused(400, "a version in lower case", "GET / http/1.1\r\n\(host)\r\n"),
    refused(400, "another protocol", "GET / RTSP/1.1\r\n\(host)\r\n"),
    refused(400, "a comma in the version", "GET / HTTP/1,1\r\n\(host)\r\n"),
    refused(400, "two spaces after the method", "GET  / HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "two spaces before the version", "GET /  HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "a space at the end", "GET / HTTP/1.1 \r\n\(host)\r\n"),
    refused(400, "a space at the beginning", " GET / HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "tabs in place of spaces", "GET\t/\tHTTP/1.1\r\n\(host)\r\n"),
    refused(400, "a vertical tab in place of a space", "GET\u{b}/ HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "a fourth word", "GET / x HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "no method", " / HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "no target", "GET  HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "a method that is no token", "GE(T / HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "a colon in a method", "GET: / HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "a method with NUL", "G\0T / HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "a method of 8-bit bytes", "GÉT / HTTP/1.1\r\n\(host)\r\n"),
    refused(501, "a method too long to be known", String(repeating: "M", count: 33) + " / HTTP/1.1\r\n\(host)\r\n"),
    refused(501, "CONNECT", "CONNECT a:443 HTTP/1.1\r\n\(host)\r\n"),
    refused(501, "CONNECT with a path", "CONNECT / HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "a bare LF after the request line", "GET / HTTP/1.1\n\(host)\r\n"),
    refused(400, "a bare CR in the request line", "GET /\rx HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "two CRs after the request line", "GET / HTTP/1.1\r\r\n\(host)\r\n"),
    refused(400, "a TLS greeting", "\u{16}\u{3}\u{1}\u{2}\0\u{1}"),
    refused(400, "a word", "hello\r\n"),
    refused(400, "a second message in the first's place", "GET / HTTP/1.1\r\n\(host)\r\nrubbish\r\n", after: 1),
    refused(400, "an answer in place of a request", "HTTP/1.1 200 OK\r\n\(host)\r\n"),
]

let targetSamples: [Sample] = [
    accepted("every byte of a path", "GET /aZ09-._~!$&'()*+,;=:@/ HTTP/1.1\r\n\(host)\r\n"),
    accepted("every byte of a query", "GET /?aZ09-._~!$&'()*+,;=:@/? HTTP/1.1\r\n\(host)\r\n"),
    accepted("an escape", "GET /%41%2f%c3%a9?%20 HTTP/1.1\r\n\(host)\r\n"),
    accepted("double slashes", "GET //a//b HTTP/1.1\r\n\(host)\r\n"),
    accepted("dot segments are the router's affair", "GET /a/../b HTTP/1.1\r\n\(host)\r\n"),
    accepted("absolute-form", "GET http://a.example/b?c HTTP/1.1\r\n\(host)\r\n"),
    accepted("absolute-form with a port", "GET http://a.example:8080/ HTTP/1.1\r\n\(host)\r\n"),
    accepted("absolute-form without a path", "GET http://a.example HTTP/1.1\r\n\(host)\r\n"),
    accepted("absolute-form with a query only", "GET http://a.example?b HTTP/1.1\r\n\(host)\r\n"),
    accepted("absolute-form of https in any case", "GET HttpS://a/ HTTP/1.1\r\n\(host)\r\n"),
    accepted("absolute-form of an IPv6 address", "GET http://[::1]:80/ HTTP/1.1\r\n\(host)\r\n"),
    accepted("asterisk-form", "OPTIONS * HTTP/1.1\r\n\(host)\r\n"),
    accepted("asterisk-form through a proxy", "OPTIONS http://a HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "asterisk-form with GET", "GET * HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "an asterisk and more", "OPTIONS *a HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "a target without a slash", "GET a HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "authority-form with GET", "GET a:80 HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "a fragment", "GET /#a HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "a backslash", "GET /a\\b HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "a quotation mark", "GET /\" HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "an angle bracket in the query", "GET /?<script> HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "a control byte", "GET /\u{1} HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "DEL", "GET /\u{7f} HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "NUL", "GET /\0 HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "an 8-bit byte", "GET /é HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "a tab in the query", "GET /?a\tb HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "%00", "GET /a%00b HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "%00 in the query", "GET /?%00 HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "an escape of one digit", "GET /%4 HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "a percent sign alone", "GET /% HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "an escape of no digits", "GET /%zz HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "an escape cut off by the query", "GET /%4?1 HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "absolute-form of another scheme", "GET ftp://a/ HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "absolute-form without a host", "GET http:///a HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "absolute-form with a user", "GET http://u@a/ HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "absolute-form with a bad port", "GET http://a:b/ HTTP/1.1\r\n\(host)\r\n"),
    refused(400, "absolute-form without Host", "GET http://a/ HTTP/1.1\r\n\r\n"),
]

let hostSamples: [Sample] = [
    accepted("a name and a port", "GET / HTTP/1.1\r\nHost: a-b_c.example.:8080\r\n\r\n"),
    accepted("a port that is empty", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n"),
    accepted("an IPv4 address", "GET / HTTP/1.1\r\nHost: 127.0.0.1:65535\r\n\r\n"),
    accepted("an IPv6 address", "GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n"),
    accepted("an IPv6 address of an IPv4 one", "GET / HTTP/1.1\r\nhOST:[::ffff:1.2.3.4]\r\n\r\n"),
    refused(400, "no Host", "GET / HTTP/1.1\r\n\r\n"),
    refused(400, "an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
    refused(400, "two Hosts", get + "Host: b\r\n\r\n"),
    refused(400, "the same Host twice", get + "host: a\r\n\r\n"),
    refused(400, "two Hosts with 1.0", "GET / HTTP/1.0\r\n\(host)\(host)\r\n"),
    refused(400, "a list of hosts", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    refused(400, "a comma in a host", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"),
    refused(400, "a space in a host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
    refused(400, "a user in a host", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
    refused(400, "a path in a host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    refused(400, "a URL in place of a host", "GET / HTTP/1.1\r\nHost: http://a\r\n\r\n"),
    refused(400, "a port of letters", "GET / HTTP/1.1\r\nHost: a:80a\r\n\r\n"),
    refused(400, "a port with a sign", "GET / HTTP/1.1\r\nHost: a:+80\r\n\r\n"),
    refused(400, "a port too large", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n"),
    refused(400, "two ports", "GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n"),
    refused(400, "a port alone", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n"),
    refused(400, "an IPv6 address without brackets", "GET / HTTP/1.1\r\nHost: 2001:db8::1\r\n\r\n"),
    refused(400, "an IPv6 address not closed", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"),
    refused(400, "more after an IPv6 address", "GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n"),
    refused(400, "brackets around a name", "GET / HTTP/1.1\r\nHost: [face]\r\n\r\n"),
    refused(400, "an escape in a host", "GET / HTTP/1.1\r\nHost: a%2eb\r\n\r\n"),
    withByte(0xe9, refused(400, "an 8-bit byte in a host", "GET / HTTP/1.1\r\nHost: a~b\r\n\r\n")),
]

let fieldSamples: [Sample] = [
    accepted("no white space after the colon", get + "A:b\r\n\r\n"),
    accepted("much white space around a value", get + "A: \t b c \t \r\n\r\n"),
    accepted("an empty value", get + "A:\r\nB: \t\r\n\r\n"),
    accepted("a tab and colons in a value", get + "A: b\tc:d:e\r\n\r\n"),
    accepted("every byte of a name", get + "!#$%&'*+-.^_`|~aZ09: b\r\n\r\n"),
    accepted("a repeated field", get + "A: b\r\nA: c\r\n\r\n"),
    withByte(0xe9, accepted("an 8-bit byte in a value", get + "A: caf~\r\n\r\n")),
    withByte(0xff, accepted("a byte that UTF-8 never has in a value", get + "A: ~\r\n\r\n")),
    refused(400, "a space before the colon", get + "A : b\r\n\r\n"),
    refused(400, "a tab before the colon", get + "A\t: b\r\n\r\n"),
    refused(400, "a space before the colon of Content-Length", post + "Content-Length : 5\r\n\r\nhello"),
    refused(400, "a folded line", get + "A: b\r\n c\r\n\r\n"),
    refused(400, "a line folded by a tab", get + "A: b\r\n\tc\r\n\r\n"),
    refused(400, "a folded coding", post + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
    refused(400, "white space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    refused(400, "a line of white space", get + " \r\n\r\n"),
    refused(400, "no colon", get + "A\r\n\r\n"),
    refused(400, "no name", get + ": b\r\n\r\n"),
    refused(400, "a space in a name", get + "A B: c\r\n\r\n"),
    refused(400, "a separator in a name", get + "A(B): c\r\n\r\n"),
    refused(400, "NUL in a name", get + "A\0B: c\r\n\r\n"),
    withByte(0xe9, refused(400, "an 8-bit byte in a name", get + "caf~: c\r\n\r\n")),
    refused(400, "NUL in a value", get + "A: b\0c\r\n\r\n"),
    refused(400, "a control byte in a value", get + "A: b\u{1f}c\r\n\r\n"),
    refused(400, "an escape byte in a value", get + "A: \u{1b}[31m\r\n\r\n"),
    refused(400, "DEL in a value", get + "A: b\u{7f}\r\n\r\n"),
    refused(400, "a bare CR in a value", get + "A: b\rc\r\n\r\n"),
    refused(400, "a bare LF after a field", get + "A: b\n\r\n"),
    refused(400, "a bare LF for the last line", get + "A: b\r\n\n"),
    refused(400, "two CRs at a field's end", get + "A: b\r\r\n\r\n"),
    refused(400, "a field hidden behind a bare CR", get + "A: b\rContent-Length: 5\r\n\r\nhello"),
    incomplete("a field without its end", get + "A: b"),
    incomplete("a head without its last line", get),
    incomplete("a head but for its last byte", get + "\r"),
]

let lengthSamples: [Sample] = [
    accepted("a body", post + "Content-Length: 5\r\n\r\nhello", "hello"),
    accepted("an empty body", post + "Content-Length: 0\r\n\r\n"),
    accepted("no length means no body", post + "\r\n"),
    accepted("leading zeros", post + "Content-Length: 0005\r\n\r\nhello", "hello"),
    accepted("GET with a body", get + "Content-Length: 5\r\n\r\nhello", "hello"),
    accepted("1.0 with a body", "POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello", "hello"),
    accepted(
        "a body that looks like a request", post + "Content-Length: 18\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n"),
    accepted("a body, then a request", post + "Content-Length: 5\r\n\r\nhello" + get + "\r\n", "hello", ""),
    accepted("a name with an underscore is another field", post + "Content_Length: 5\r\n\r\n"),
    incomplete("a body cut short", post + "Content-Length: 5\r\n\r\nhell"),
    incomplete("a body not begun", post + "Content-Length: 5\r\n\r\n"),
    refused(400, "two lengths that differ", post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
    refused(400, "two lengths that agree", post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
    refused(400, "a list of lengths that agree", post + "Content-Length: 5, 5\r\n\r\nhello"),
    refused(400, "a list of lengths that differ", post + "Content-Length: 5,6\r\n\r\nhello"),
    refused(400, "a length with a plus", post + "Content-Length: +5\r\n\r\nhello"),
    refused(400, "a length with a minus", post + "Content-Length: -5\r\n\r\nhello"),
    refused(400, "a negative zero", post + "Content-Length: -0\r\n\r\n"),
    refused(400, "a hexadecimal length", post + "Content-Length: 0x5\r\n\r\nhello"),
    refused(400, "a length of letters", post + "Content-Length: five\r\n\r\nhello"),
    refused(400, "a length with a point", post + "Content-Length: 5.0\r\n\r\nhello"),
    refused(400, "a length with an exponent", post + "Content-Length: 1e1\r\n\r\nhello"),
    refused(400, "a length with a space", post + "Content-Length: 1 0\r\n\r\nhello"),
    refused(400, "a length with an underscore", post + "Content-Length: 1_0\r\n\r\nhello"),
    refused(400, "an empty length", post + "Content-Length:\r\n\r\nhello"),
    refused(400, "a quoted length", post + "Content-Length: \"5\"\r\n\r\nhello"),
    withByte(0xb2, refused(400, "an 8-bit digit", post + "Content-Length: ~\r\n\r\nhello")),
    refused(400, "digits of another script", post + "Content-Length: ٥\r\n\r\nhello"),
    refused(413, "a length beyond 64 bits", post + "Content-Length: 18446744073709551621\r\n\r\nhello"),
    refused(413, "a length beyond 63 bits", post + "Content-Length: 9223372036854775808\r\n\r\nhello"),
    refused(413, "a length beyond 32 bits", post + "Content-Length: 4294967301\r\n\r\nhello"),
]

let codingSamples: [Sample] = [
    accepted("chunked", chunked + "5\r\nhello\r\n0\r\n\r\n", "hello"),
    accepted("chunked in any case", post + "transfer-ENCODING:ChunKED\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello"),
    accepted("chunked, then a request", chunked + "0\r\n\r\n" + get + "\r\n", "", ""),
    refused(400, "CL.TE", post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    refused(400, "TE.CL", post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
    refused(
        400, "TE with an empty body's CL", post + "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    refused(400, "TE twice", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    refused(
        400, "TE twice, one of them odd", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n"),
    refused(400, "chunked twice", post + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    refused(400, "gzip", post + "Transfer-Encoding: gzip\r\n\r\n"),
    refused(400, "gzip, then chunked", post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    refused(400, "chunked, then gzip", post + "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
    refused(400, "identity", post + "Transfer-Encoding: identity\r\n\r\n"),
    refused(400, "identity after chunked", post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    refused(400, "an empty coding", post + "Transfer-Encoding:\r\n\r\n0\r\n\r\n"),
    refused(400, "a comma after chunked", post + "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n"),
    refused(400, "a comma before chunked", post + "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n"),
    refused(400, "a parameter of chunked", post + "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n"),
    refused(400, "quoted chunked", post + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"),
    refused(400, "xchunked", post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    refused(400, "chunkedx", post + "Transfer-Encoding: chunkedx\r\n\r\n0\r\n\r\n"),
    refused(400, "chunk", post + "Transfer-Encoding: chunk\r\n\r\n0\r\n\r\n"),
    refused(400, "a vertical tab before chunked", post + "Transfer-Encoding: \u{b}chunked\r\n\r\n0\r\n\r\n"),
    refused(400, "NUL after chunked", post + "Transfer-Encoding: chunked\0\r\n\r\n0\r\n\r\n"),
    refused(400, "a space before the colon of TE", post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
    refused(400, "a space within TE's name", post + "Transfer Encoding: chunked\r\n\r\n0\r\n\r\n"),
    refused(400, "a folded line before TE", post + "A: b\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    refused(400, "TE after a bare LF", post + "A: b\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    refused(400, "TE with 1.0", "POST / HTTP/1.0\r\n\(host)Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    withByte(
        0xa0, refused(400, "an 8-bit space before chunked", post + "Transfer-Encoding: ~chunked\r\n\r\n0\r\n\r\n")),
]

let chunkSamples: [Sample] = [
    accepted("several chunks", chunked + "1\r\nh\r\n4\r\nello\r\n0\r\n\r\n", "hello"),
    accepted("a chunk that holds line ends", chunked + "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n"),
    accepted("a chunk that looks like the last", chunked + "5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n"),
    accepted("a size in upper case", chunked + "A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
    accepted("a size in lower case", chunked + "a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
    accepted("leading zeros of a size", chunked + "0000000000000005\r\nhello\r\n000\r\n\r\n", "hello"),
    accepted("an extension", chunked + "5;a=b;c=\"d e\";f\r\nhello\r\n0;g\r\n\r\n", "hello"),
    accepted("an extension with white space", chunked + "5; a = b\r\nhello\r\n0\r\n\r\n", "hello"),
    accepted("trailers", chunked + "5\r\nhello\r\n0\r\nA: b\r\nC:d\r\n\r\n", "hello"),
    accepted(
        "a trailer that would frame is dropped", chunked + "0\r\nContent-Length: 5\r\n\r\n" + get + "\r\n", "", ""),
    refused(400, "no size", chunked + "\r\nhello\r\n0\r\n\r\n"),
    refused(400, "a size with 0x", chunked + "0x5\r\nhello\r\n0\r\n\r\n"),
    refused(400, "a size with a plus", chunked + "+5\r\nhello\r\n0\r\n\r\n"),
    refused(400, "a negative size", chunked + "-5\r\nhello\r\n0\r\n\r\n"),
    refused(400, "a size that is no hexadecimal", chunked + "g\r\nhello\r\n0\r\n\r\n"),
    refused(400, "a size after white space", chunked + " 5\r\nhello\r\n0\r\n\r\n"),
    refused(400, "a size before white space", chunked + "5 \r\nhello\r\n0\r\n\r\n"),
    refused(400, "a size and a comma", chunked + "5,5\r\nhello\r\n0\r\n\r\n"),
    refused(400, "a size with an underscore", chunked + "0_5\r\nhello\r\n0\r\n\r\n"),
    refused(400, "a size of 17 digits", chunked + "00000000000000005\r\nhello\r\n0\r\n\r\n"),
    refused(413, "a size beyond 63 bits", chunked + "ffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
    refused(413, "a size that would wrap to 5", chunked + "100000000000005\r\nhello\r\n0\r\n\r\n"),
    refused(400, "a bare LF after a size", chunked + "5\nhello\r\n0\r\n\r\n"),
    refused(400, "a bare CR in a size", chunked + "5\r\r\nhello\r\n0\r\n\r\n"),
    refused(400, "a bare LF in an extension", chunked + "5;a\nb\r\nhello\r\n0\r\n\r\n"),
    refused(400, "a control byte in an extension", chunked + "5;\u{1}\r\nhello\r\n0\r\n\r\n"),
    refused(400, "a chunk longer than its size", chunked + "4\r\nhello\r\n0\r\n\r\n"),
    refused(400, "a chunk shorter than its size", chunked + "6\r\nhello\r\n0\r\n\r\n"),
    refused(400, "a bare LF after a chunk", chunked + "5\r\nhello\n0\r\n\r\n"),
    refused(400, "a folded trailer", chunked + "0\r\nA: b\r\n c\r\n\r\n"),
    refused(400, "a trailer without a colon", chunked + "0\r\nA\r\n\r\n"),
    refused(400, "a bare LF in the trailers", chunked + "0\r\nA: b\n\r\n"),
    refused(400, "a request in place of the last line", chunked + "0\r\n" + get + "\r\n"),
    incomplete("a last chunk without its last line", chunked + "0\r\n"),
    incomplete("a chunk without its end", chunked + "5\r\nhello"),
    incomplete("a chunk with half its end", chunked + "5\r\nhello\r"),
]

let connectionSamples: [Sample] = [
    accepted("three in one piece", get + "\r\n" + get + "\r\n" + get + "\r\n", "", "", ""),
    accepted("close", get + "Connection: close\r\n\r\n"),
    accepted("a list of options", get + "Connection: keep-alive, x ,Close\r\n\r\n"),
    accepted("an upgrade is not taken up", get + "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"),
    accepted("expectation", post + "Expect: 100-Continue\r\nContent-Length: 2\r\n\r\nhi", "hi"),
    accepted("expectation without a body", post + "Expect: 100-continue\r\n\r\n"),
    accepted("expectation with 1.0 is ignored", "POST / HTTP/1.0\r\nExpect: x\r\nContent-Length: 2\r\n\r\nhi", "hi"),
    refused(417, "another expectation", post + "Expect: 200-ok\r\nContent-Length: 2\r\n\r\nhi"),
    refused(417, "an expectation among others", post + "Expect: 100-continue\r\nExpect: x\r\n\r\n"),
    refused(417, "an empty expectation", post + "Expect:\r\n\r\n"),
    refused(413, "expectation with a body too large", post + "Expect: 100-continue\r\nContent-Length: 99999\r\n\r\n"),
    refused(400, "a second message that is bad", get + "\r\n" + "GET / HTTP/1.1\r\n\r\n", after: 1),
]

/// What is on either side of each limit.
func limitSamples(_ limits: RequestParser.Limits) -> [Sample] {
    /// A request line of so many bytes with its end.
    func line(_ count: Int) -> String { "GET /" + String(repeating: "a", count: count - 16) + " HTTP/1.1\r\n" }
    /// A header section of so many bytes with its last line.
    func section(_ count: Int) -> String { host + "A: " + String(repeating: "b", count: count - 16) + "\r\n\r\n" }
    func fields(_ count: Int) -> String { String(repeating: "A:b\r\n", count: count) }
    func body(_ count: Int) -> String { String(repeating: "a", count: count) }

    let (longest, most) = (limits.bodyBytes, limits.headerFields)
    let chunk = chunked + String(longest, radix: 16) + "\r\n" + body(longest) + "\r\n"
    let extensionBytes = min(999, limits.headerSectionBytes / 2)
    let extended = "1;" + String(repeating: "a", count: extensionBytes - 1) + "\r\nh\r\n"
    let extendedCount = limits.headerSectionBytes / extensionBytes
    var result = [
        accepted("a request line as long as may be", line(limits.requestLineBytes) + host + "\r\n"),
        refused(414, "a request line one byte longer", line(limits.requestLineBytes + 1) + host + "\r\n"),
        refused(414, "a request line without an end", String(line(limits.requestLineBytes + 3).dropLast())),
        refused(414, "a request line too long and bad", "GET \u{1}" + line(limits.requestLineBytes) + host + "\r\n"),
        accepted("a header section as long as may be", "GET / HTTP/1.1\r\n" + section(limits.headerSectionBytes)),
        refused(431, "a header section one byte longer", "GET / HTTP/1.1\r\n" + section(limits.headerSectionBytes + 1)),
        accepted("as many fields as may be", get + fields(most - 1) + "\r\n"),
        refused(431, "one field more", get + fields(most) + "\r\n"),
        accepted("as many trailers as may be", chunked + "0\r\n" + fields(most) + "\r\n"),
        refused(431, "one trailer more", chunked + "0\r\n" + fields(most + 1) + "\r\n"),
        refused(431, "trailers too long", chunked + "0\r\nA: " + body(limits.headerSectionBytes) + "\r\n\r\n"),
        accepted(
            "a body as long as may be", post + "Content-Length: \(longest)\r\n\r\n" + body(longest), body(longest)),
        refused(413, "a body one byte longer", post + "Content-Length: \(longest + 1)\r\n\r\n"),
        accepted("a chunk as long as may be", chunk + "0\r\n\r\n", body(longest)),
        refused(413, "a chunk one byte longer", chunked + String(longest + 1, radix: 16) + "\r\n"),
        refused(413, "chunks one byte longer in all", chunk + "1\r\n"),
        refused(400, "a chunk extension too long", chunked + "1;" + body(1_024) + "\r\nh\r\n0\r\n\r\n"),
        accepted(
            "chunk extensions as long as may be",
            chunked + String(repeating: extended, count: extendedCount) + "0\r\n\r\n",
            String(repeating: "h", count: extendedCount)),
        refused(
            400, "chunk extensions too long in all",
            chunked + String(repeating: extended, count: extendedCount + 1) + "0\r\n\r\n"),
    ]
    for index in result.indices { result[index].limits = limits }
    return result
}
