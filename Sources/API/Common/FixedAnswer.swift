import Compression
import HTTP
import Usher

/// What never changes while the process lives, so that a caller who has it already is told so (RFC 9110, section 13.1.2). It
/// is compressed for those who take that, if that makes it smaller.
struct FixedAnswer: Sendable {
    private struct Form {
        let whole: Response
        let unchanged: Response
        let tag: String

        init(_ body: [UInt8], type: String, headers: [(name: String, value: String)], tag: String) {
            self.tag = "\"\(tag)\""
            let headers = headers + [("ETag", self.tag), ("Cache-Control", "no-cache"), ("Vary", "Accept-Encoding")]
            whole = Response(status: 200, contentType: type, headers: headers, body: body)
            unchanged = Response(status: 304, headers: headers.filter { $0.name != "Content-Encoding" })
        }
    }

    private let plain: Form
    private let compressed: Form?

    init(_ body: [UInt8], type: String, headers: [(name: String, value: String)] = []) {
        let digest = String(Digest.sha256(String(decoding: body, as: UTF8.self)).prefix(32))
        plain = Form(body, type: type, headers: headers, tag: digest)
        let smaller = Gzip.packed(body, effort: .most).flatMap { $0.count < body.count ? $0 : nil }
        // Bytes of another form are another answer, with a tag of its own.
        compressed = smaller.map {
            Form($0, type: type, headers: headers + [("Content-Encoding", "gzip")], tag: digest + "-gzip")
        }
    }

    /// One that is made, and compressed, when it is first asked for, which many nodes never are: on a thread that is no
    /// loop's, since that would hold the loop.
    static func handler(_ answer: @escaping @Sendable (Request) -> Response) -> Endpoint.Handler {
        .asynchronous { request in await Task.detached { answer(request) }.value }
    }

    func handle(_ request: Request) -> Response {
        let form = AcceptedEncoding.allowsGzip(request.header("Accept-Encoding")) ? compressed ?? plain : plain
        return Self.isKnown(form.tag, by: request.header("If-None-Match")) ? form.unchanged : form.whole
    }

    /// Whether the caller has it: `*`, or a list that has the tag, weak or not.
    private static func isKnown(_ tag: String, by field: String?) -> Bool {
        guard let field else { return false }
        return field == "*"
            || field.split(separator: ",").contains { entry in
                var entry = entry.drop { $0 == " " }
                while entry.last == " " { entry.removeLast() }
                return entry == tag || entry == "W/\(tag)"
            }
    }

    // MARK: What is said of it

    static let etag = (name: "ETag", meaning: "Changes with the content, and is another one of a compressed answer.")
    static let unchanged = Answer(
        status: 304, meaning: "What the caller has is the newest.", content: .none, headers: [etag])
}
