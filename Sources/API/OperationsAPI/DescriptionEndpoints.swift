import HTTP
import Usher

/// `GET /openapi.json` and `GET /docs`: texts that never change while the process lives, so that a caller who has one
/// already is told so (RFC 9110, section 13.1.2).
struct DescriptionEndpoint: Sendable {
    private let whole: Response
    private let unchanged: Response
    private let tag: String

    private init(_ text: String, type: String, headers: [(name: String, value: String)] = []) {
        tag = "\"\(Digest.sha256(text).prefix(32))\""
        let headers = headers + [("ETag", tag), ("Cache-Control", "no-cache")]
        whole = Response(status: 200, contentType: type, headers: headers, body: Array(text.utf8))
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

    static let openAPI = DescriptionEndpoint(APIDescription.openAPI, type: OpenAPIDocument.mediaType)
    static let page = DescriptionEndpoint(
        APIDescription.page, type: "text/html; charset=utf-8",
        headers: [("Content-Security-Policy", DocumentationPage.securityPolicy)])
}
