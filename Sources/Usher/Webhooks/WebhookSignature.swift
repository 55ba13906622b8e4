import FoundationEssentials

/// How a delivery says whose it is, in both ways that receivers know. Each attempt is signed anew.
public enum WebhookSignature {
    private static let prefix = "whsec_"

    /// The header fields, each as a name and a value.
    ///
    /// Standard Webhooks' three (standardwebhooks.com, "Webhook Metadata and Signatures"), signed with each secret that
    /// counts; and Vexa's two, signed with the present one.
    /// - Parameters:
    ///   - id: of the event.
    ///   - time: of the attempt, in seconds since 1970.
    public static func fields(
        of webhook: Webhook, id: String, body: [UInt8], time: Int
    ) -> [(name: String, value: String)] {
        var fields = [("webhook-id", id), ("webhook-timestamp", String(time))]
        guard let secret = webhook.secret else { return fields }
        let old = webhook.oldSecrets.filter { $0.ends > time.multipliedClamped(by: 1_000) }.map(\.secret)
        let message = Array("\(id).\(time).".utf8) + body
        let signatures = ([secret] + old).map { secret in
            "v1," + Data(Digest.authenticationCode(message, key: key(secret))).base64EncodedString()
        }
        fields.append(("webhook-signature", signatures.joined(separator: " ")))
        let code = Digest.authenticationCode(Array("\(time).".utf8) + body, key: Array(secret.utf8))
        fields.append(("x-webhook-timestamp", String(time)))
        fields.append(("x-webhook-signature", "sha256=" + hexadecimal(code)))
        return fields
    }

    /// Whether receivers' libraries take it: what is behind `whsec_` must be Base64.
    public static func isSound(_ secret: String) -> Bool {
        !secret.hasPrefix(prefix) || Data(base64Encoded: String(secret.dropFirst(prefix.count)))?.isEmpty == false
    }

    /// What is behind `whsec_`, decoded; any other text as it is.
    static func key(_ secret: String) -> [UInt8] {
        guard secret.hasPrefix(prefix), let key = Data(base64Encoded: String(secret.dropFirst(prefix.count))) else {
            return Array(secret.utf8)
        }
        return Array(key)
    }
}
