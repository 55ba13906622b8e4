import Testing

@testable import Usher

@Suite struct WebhookSignatureTests {
    private static func webhook(_ fields: [String: String]) throws -> Webhook {
        try #require(Webhook(["id": "w", "url": "https://a.example/"].merging(fields) { $1 }, workspace: "ws"))
    }

    private static func fields(_ webhook: Webhook, time: Int = 1_614_265_330) -> [String: String] {
        let body = Array(#"{"test": 2432232314}"#.utf8)
        let fields = WebhookSignature.fields(of: webhook, id: "msg_p5jXN8AQM9LWM0D4loKWxJek", body: body, time: time)
        return Dictionary(uniqueKeysWithValues: fields.map { ($0.name, $0.value) })
    }

    /// The example of the specification (standardwebhooks.com, "Signature scheme").
    @Test func itIsThatOfTheSpecification() throws {
        let fields = Self.fields(try Self.webhook(["secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]))
        #expect(fields["webhook-id"] == "msg_p5jXN8AQM9LWM0D4loKWxJek")
        #expect(fields["webhook-timestamp"] == "1614265330")
        #expect(fields["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test func withoutASecretNothingIsSigned() throws {
        #expect(Self.fields(try Self.webhook([:])).keys.sorted() == ["webhook-id", "webhook-timestamp"])
    }

    @Test func whatWasReplacedSignsForATime() throws {
        let webhook = try Self.webhook([
            "secret": "new", "old_secrets": "1614265331000:older\n1614265330000:oldest\nodd\nx:y",
        ])
        let signatures = try #require(Self.fields(webhook)["webhook-signature"]).split(separator: " ")
        let old = try #require(Self.fields(try Self.webhook(["secret": "older"]))["webhook-signature"])
        #expect(signatures.count == 2 && signatures[1] == old)
    }

    @Test(arguments: [("whsec_AAEC", [0, 1, 2]), ("whsec_!", Array("whsec_!".utf8)), ("plain", Array("plain".utf8))])
    func aKeyIsWhatIsBehindItsPrefix(_ secret: String, _ key: [UInt8]) {
        #expect(WebhookSignature.key(secret) == key)
    }

    @Test func aNewSecretIsOfTheForm() {
        let secret = Webhook.newSecret()
        #expect(secret.hasPrefix("whsec_") && WebhookSignature.key(secret).count == 24)
        #expect(secret != Webhook.newSecret())
    }

    @Test func theSecretIsInNoField() throws {
        let fields = Self.fields(try Self.webhook(["secret": "whsec_c2VjcmV0"]))
        #expect(fields.values.allSatisfy { !$0.contains("c2VjcmV0") && !$0.contains("secret") })
    }
}
