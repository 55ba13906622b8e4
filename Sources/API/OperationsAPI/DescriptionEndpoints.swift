import HTTP

/// `GET /openapi.json` and `GET /docs`.
enum DescriptionEndpoint {
    static let openAPI = FixedAnswer(Array(APIDescription.openAPI.utf8), type: OpenAPIDocument.mediaType)
    static let page = FixedAnswer(
        Array(APIDescription.page.utf8), type: "text/html; charset=utf-8",
        headers: [("Content-Security-Policy", DocumentationPage.securityPolicy)])
}
