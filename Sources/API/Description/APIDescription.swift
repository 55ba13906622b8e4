import Usher

/// The API described: what is served as `/openapi.json` and `/docs`, and printed by `usher openapi`.
public enum APIDescription {
    /// Every operation that a node serves, in the order in which people read of them.
    static let operations: [Operation] = Routes.endpoints.map { $0.operation }

    /// OpenAPI 3.1 as JSON text. Made once, when it is first asked for.
    public static let openAPI = OpenAPIDocument(operations: operations).json

    /// The same as HTML. Made once, when it is first asked for.
    static let page = DocumentationPage(operations: operations).html
}
