import HTTP
import Usher

/// `/docs`: the description as one page of HTML and CSS, which asks nothing of any other server and runs no script.
struct DocumentationPage: Sendable {
    let operations: [Operation]

    /// What the page may load and do: its own style, which the hash tells.
    static let securityPolicy =
        "default-src 'none'; style-src 'sha256-\(Digest.sha256Base64(PageStyle.css))'; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'"

    var html: String {
        let page: HTMLText = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>Usher \(usherVersion): the API</title>
            <style>\(PageStyle.markup)</style>
            </head>
            <body>
            <nav tabindex="0"><details><summary>Contents</summary>\(contents)</details></nav>
            <main>
            <h1>Usher <small>\(usherVersion)</small></h1>
            \(introduction)\(.joined(Section.allCases.map(section)))\(commonErrors)\(objects)
            </main>
            </body>
            </html>

            """
        return page.html
    }

    // MARK: Parts

    private func operations(of section: Section) -> [Operation] {
        operations.filter { $0.section == section }
    }

    private var contents: HTMLText {
        let sections = Section.allCases.map { section -> HTMLText in
            let entries = operations(of: section).map { operation -> HTMLText in
                """
                <li><a href="#\(operation.id)" title="\(operation.method.name) \(operation.path)">\
                \(Self.badge(operation.method))\(operation.summary)</a></li>
                """
            }
            return "<h4><a href=\"#\(section.rawValue)\">\(section.title)</a></h4><ul>\(.joined(entries))</ul>"
        }
        let first: HTMLText = "<h4><a href=\"#authentication\">How to authenticate</a></h4>"
        let more: HTMLText = """
            <h4><a href="#errors">Errors of any request</a></h4><h4><a href="#objects">Objects</a></h4>
            """
        return first + .joined(sections) + more
    }

    private static func badge(_ method: Method) -> HTMLText {
        "<b class=\"\(method.name.lowercased())\">\(method.name)</b>"
    }

    private var introduction: HTMLText {
        """
        \(authentication)
        <h2 id="any">Any request</h2>
        \(.paragraphs(OpenAPIDocument.introduction))
        <p>The same as <a href="\(OperationsEndpoints.documentPath)">OpenAPI 3.1</a>, for programs. The examples below \
        work in a shell once it knows where Usher is, and the key that they need:</p>
        <pre>USHER=http://127.0.0.1:8080
        KEY=\("usher_...")          # an API key of a workspace
        ADMIN_KEY=\("...")          # USHER_ADMIN_KEY of the nodes</pre>
        """
    }

    /// What a newcomer needs before anything else.
    private var authentication: HTMLText {
        """
        <h2 id="authentication">How to authenticate</h2>
        <p>With an API key of a workspace, as <code>Authorization: Bearer KEY</code> or <code>X-API-Key: KEY</code>. Try \
        yours; the answer says whose it is, and what it may do:</p>
        <pre>curl -H "X-API-Key: $KEY" \("\"$USHER/user\"")</pre>
        <p>An owner of the workspace makes keys: in <a href="/console">the console</a>, Workspace, API Key, Add New Key; or \
        by <a href="#createWorkspaceKey">a request</a>. The first one is made by whoever runs the service; \
        <code>make up</code> prints one. A key has scopes, <code>seameet</code> for the Re-invite API and \
        <code>bots</code> for the Bots API, and the role of the member whose it is.</p>
        <p><code>/admin</code> takes the administrator's key instead, as <code>X-Admin-API-Key</code>. Bots have secrets of \
        their own.</p>
        """
    }

    private func section(_ section: Section) -> HTMLText {
        """
        <section><h2 id="\(section.rawValue)">\(section.title)</h2>\(.paragraphs(section.meaning))\
        \(.joined(operations(of: section).map(article)))</section>
        """
    }

    private func article(_ operation: Operation) -> HTMLText {
        let parameters = operation.parameters.map { parameter -> HTMLText in
            """
            <tr><td><code>\(parameter.name)</code></td><td>\(parameter.place.rawValue)</td>\
            <td>\(SchemaTable.words(parameter.schema))</td><td>\(.prose(parameter.meaning))</td></tr>
            """
        }
        return """
            <article id="\(operation.id)">
            <h3><a href="#\(operation.id)">\(operation.summary)</a></h3>
            <p class="route">\(Self.badge(operation.method))<code>\(operation.path)</code></p>
            \(.paragraphs(operation.fullDetails))
            \(Self.table(["Parameter", "In", "Type", "Meaning"], parameters))
            \(operation.body.map(Self.html) ?? "")
            <pre class="call">\(CurlExample.text(operation))</pre>
            \(.joined(operation.answers.map(Self.html)))
            \(Self.errors(operation))
            </article>
            """
    }

    private static func html(_ body: RequestBody) -> HTMLText {
        let examples = body.examples.map { example -> HTMLText in
            "<h5>\(example.title)</h5><pre>\(example.value.indentedJSON)</pre>"
        }
        return """
            <h4>Body\(SchemaTable.absence(body.isRequired))</h4>\(SchemaTable.html(body.schema))\
            <details><summary>Examples of the body</summary>\(.joined(examples))</details>
            """
    }

    private static func html(_ answer: Answer) -> HTMLText {
        let heading: HTMLText = "<h4><b class=\"ok\">\(answer.status.code)</b> \(.prose(answer.meaning))</h4>"
        switch answer.content {
        case .none: return heading
        case .other(let types): return "\(heading)<p>As <code>\(types.joined(separator: ", "))</code>.</p>"
        case .json(let schema, let example):
            let table: HTMLText
            if case .object = schema.kind {
                table = SchemaTable.html(schema)
            } else {
                table = "<p>\(SchemaTable.words(schema))</p>"
            }
            return """
                \(heading)\(table)<details><summary>Example</summary><pre>\(example.indentedJSON)</pre></details>
                """
        }
    }

    // MARK: Errors

    /// Those that are not of every request.
    private static func errors(_ operation: Operation) -> HTMLText {
        let common = Set(DescribedError.ofHTTPLayer.map(\.meaning))
        let rows = operation.errorsByStatus.flatMap { entry in
            entry.errors.filter { !common.contains($0.meaning) }.map { row($0, operation.style) }
        }
        guard !rows.isEmpty else { return "" }
        let name = operation.style == .bots ? "error" : "code"
        return """
            <h4>Errors</h4>\(table(["Status", name, "When"], rows))
            <p class="note">And <a href="#errors">those of any request</a>.</p>
            """
    }

    private static func row(_ described: DescribedError, _ style: ErrorStyle) -> HTMLText {
        let retry: HTMLText = described.error.retryAfterSeconds == nil ? "" : " With <code>Retry-After</code>."
        return """
            <tr><td><b class="bad">\(described.error.status.code)</b></td>\
            <td><code>\(described.label(style))</code></td><td>\(.prose(described.meaning))\(retry)</td></tr>
            """
    }

    private var commonErrors: HTMLText {
        let all = DescribedError.ofHTTPLayer + DescribedError.ofNoOperation
        let rows = all.sorted { $0.error.status.code < $1.error.status.code }.map { described -> HTMLText in
            """
            <tr><td><b class="bad">\(described.error.status.code)</b></td><td>\(.prose(described.meaning))</td>\
            <td>\(described.error.detail)</td></tr>
            """
        }
        return """
            <section><h2 id="errors">Errors of any request</h2>\
            \(Self.table(["Status", "When", "Such as"], rows))</section>
            """
    }

    // MARK: Objects

    private var objects: HTMLText {
        let all = OpenAPIDocument(operations: operations).namedSchemas.map { named -> HTMLText in
            """
            <article id="\(named.name)"><h3><a href="#\(named.name)">\(named.name)</a></h3>\
            \(.paragraphs(named.meaning))\(SchemaTable.html(named.schema))</article>
            """
        }
        return "<section><h2 id=\"objects\">Objects</h2>\(.joined(all))</section>"
    }

    private static func table(_ headings: [String], _ rows: [HTMLText]) -> HTMLText {
        guard !rows.isEmpty else { return "" }
        return "<table><tr>\(.joined(headings.map { "<th>\($0)</th>" }))</tr>\(.joined(rows))</table>"
    }
}
