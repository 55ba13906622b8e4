import HTTP
import Usher

/// What never changes while the process lives, so that a caller who has it already is told so (RFC 9110, section 13.1.2).
struct FixedAnswer: Sendable {
    private let whole: Response
    private let unchanged: Response
    private let tag: String

    init(_ body: [UInt8], type: String, headers: [(name: String, value: String)] = []) {
        tag = "\"\(Digest.sha256(String(decoding: body, as: UTF8.self)).prefix(32))\""
        let headers = headers + [("ETag", tag), ("Cache-Control", "no-cache")]
        whole = Response(status: 200, contentType: type, headers: headers, body: body)
        unchanged = Response(status: 304, headers: headers)
    }

    func handle(_ request: Request) -> Response {
        isKnown(request.header("If-None-Match")) ? unchanged : whole
    }

    /// Whether the caller has it: `*`, or a list that has the tag, weak or not.
    private func isKnown(_ field: String?) -> Bool {
        guard let field else { return false }
        return field == "*"
            || field.split(separator: ",").contains { entry in
                var entry = entry.drop { $0 == " " }
                while entry.last == " " { entry.removeLast() }
                return entry == tag || entry == "W/\(tag)"
            }
    }

    // MARK: What is said of it

    static let etag = (name: "ETag", meaning: "Changes with the content.")
    static let unchanged = Answer(
        status: 304, meaning: "What the caller has is the newest.", content: .none, headers: [etag])
}
