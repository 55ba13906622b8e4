import TestTurns
import Testing

@testable import API

@Suite(.takesTurns) struct DocumentationPageTests {
    @Test func textIsEscapedAndMarkupIsNot() {
        let hostile = "<script>alert('&\"')</script>"
        let html: HTMLText = "<p title=\"\(hostile)\">\(hostile) \(7)</p>"
        let escaped = "&lt;script&gt;alert(&#39;&amp;&quot;&#39;)&lt;/script&gt;"
        #expect(html.html == "<p title=\"\(escaped)\">\(escaped) 7</p>")
        let nested: HTMLText = "<div>\(html)</div>"
        #expect(nested.html == "<div>\(html.html)</div>")
    }

    @Test func proseHasCodeAndParagraphs() {
        let html = HTMLText.paragraphs("Send `a<b`\nand wait.\n\nThen look.")
        #expect(html.html == "<p>Send <code>a&lt;b</code> and wait. </p><p>Then look. </p>")
    }

    @Test func anOperationIsShownAsACallOfCurl() {
        #expect(
            CurlExample.text(BotEndpoints.configure.operation) == """
                curl -X PUT "$USHER/bots/google_meet/abc-defg-hij/config" \\
                  -H "Authorization: Bearer $KEY" \\
                  -H 'Content-Type: application/json' -d '{"language":"es","task":"transcribe","bot_name":"Updated Bot Name"}'
                """)
        #expect(CurlExample.text(OperationsEndpoints.health.operation) == "curl \"$USHER/healthz\"")
        // What the shell takes as it is ends at the next apostrophe.
        for operation in APIDescription.operations {
            #expect(CurlExample.text(operation).count { $0 == "'" } % 4 == 0, "\(operation.id)")
        }
    }

    @Test func schemasAreToldInWords() {
        #expect(SchemaTable.words(.text(1...200)).html == "string, 1 to 200 characters")
        #expect(SchemaTable.words(Schema.integer(1...).orNull).html == "integer, at least 1, or null")
        #expect(
            SchemaTable.words(.list(of: .choice(["a", "b"]), atLeast: 1)).html
                == "list of <code>a</code>, <code>b</code>, at least 1 of them")
        let table = SchemaTable.html(
            .object(.required("a", .object(.optional("b", .list(of: .object(.required("c", .any))))))))
        for name in ["a", "a.b", "a.b[].c"] { #expect(table.html.contains("<code>\(name)</code>"), "\(name)") }
    }
}
