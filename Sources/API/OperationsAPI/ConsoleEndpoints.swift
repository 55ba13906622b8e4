import Console
import HTTP

/// `GET /console`, what that page loads, and `GET /`, which leads to it.
enum ConsoleEndpoints {
    static let all = [root, page, file]

    /// All that the page may do is to load its own files, and to ask this server. What it asks for with the key, and shows
    /// or plays, is a `blob:` of its own. Scripts make no markup of texts: the
    /// browser refuses it (Trusted Types, sections 4.1 and 4.2).
    static let securityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src blob:; connect-src 'self'; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

    private static let path = "/console"
    /// Also where `/admin` is, so that whoever has that key finds a page that may ask it.
    private static let surfaces: Set<Surface> = [.api, .admin]
    private static let whole = FixedAnswer(
        Console.page, type: "text/html; charset=utf-8",
        headers: [("Content-Security-Policy", securityPolicy), ("Referrer-Policy", "no-referrer")])
    private static let files = Dictionary(
        uniqueKeysWithValues: Console.files.map { ($0.name, FixedAnswer($0.contents, type: $0.type)) })
    private static let types = Set(Console.files.map { String($0.type.prefix { $0 != ";" }) }).sorted()
    private static let unknownFile = DescribedError(
        APIError(404, "The console has no such file."), "The console has no such file.")

    static let root = Endpoint(
        "/", id: "root", surfaces: [.api], summary: "Where people begin",
        details: "Leads to the console, or to `/docs` where a node serves no console.",
        answers: [
            Answer(
                status: 302, meaning: "See there.", content: .none,
                headers: [(name: "Location", meaning: "`/console` or `/docs`.")])
        ]
    ) { services in
        let location = services.servesConsole ? path : OperationsEndpoints.pagePath
        let answer = Response(status: 302, headers: [("Location", location)])
        return .synchronous { _ in answer }
    }

    static let page = Endpoint(
        path, id: "console", surfaces: surfaces, summary: "The console, a page for people",
        details: "Not there with `--console off`. It asks nothing of any other server.",
        answers: [
            Answer(
                status: 200, meaning: "The page.", content: .other(type: "text/html"), headers: [FixedAnswer.etag]),
            FixedAnswer.unchanged,
        ]
    ) { services in services.servesConsole ? FixedAnswer.handler { whole.handle($0) } : nil }

    static let file = Endpoint(
        "\(path)/{file}", id: "consoleFile", surfaces: surfaces, summary: "What the console loads",
        details: "Scripts, the style and the icon.",
        parameters: [
            .path("file", .choice(Console.files.map(\.name)), "The file's name.", example: "main.js")
        ],
        answers: [
            Answer(
                status: 200, meaning: "The file.", content: .other(types: types), headers: [FixedAnswer.etag]),
            FixedAnswer.unchanged,
        ],
        errors: [unknownFile]
    ) { services in
        guard services.servesConsole else { return nil }
        return FixedAnswer.handler { request in
            files[request.parameter("file")]?.handle(request) ?? unknownFile.error.response(.reinvite)
        }
    }
}
