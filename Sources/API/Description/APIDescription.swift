import Usher

/// The API described: what is served as `/openapi.json` and `/docs`, and printed by `usher openapi`.
public enum APIDescription {
    /// Every operation that a node serves, in the order in which people read of them.
    static let operations: [Operation] = {
        let sections: [[Operation]] = [
            ReinviteOperations.all, BotsOperations.all, InternalOperations.all, AdminAPI.endpoints.map { $0.operation },
            OperationsOperations.all,
        ]
        return sections.flatMap { $0 }
    }()

    /// OpenAPI 3.1 as JSON text. Made once, when it is first asked for.
    public static let openAPI = OpenAPIDocument(operations: operations).json

    /// The same as HTML. Made once, when it is first asked for.
    static let page = DocumentationPage(operations: operations).html
}
