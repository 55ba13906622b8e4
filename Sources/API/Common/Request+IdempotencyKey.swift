import HTTP
import Usher

extension Request {
    /// What tells this request from others of its caller, if it may be sent again and is to be done once; nil if it says
    /// nothing of that.
    /// - Throws: `APIError` 422 for one that cannot be used. Passed over, it would promise what is not kept.
    func idempotencyKey() throws -> IdempotencyKey? {
        guard let text = header(IdempotencyKey.fieldName) else { return nil }
        guard let key = IdempotencyKey(text) else {
            throw APIError.invalid(
                IdempotencyKey.fieldName,
                "must have 1 to \(IdempotencyKey.maximumBytes) visible ASCII characters without spaces, such as a UUID")
        }
        return key
    }
}

extension Input<IdempotencyKey?> {
    /// Of the endpoints that a request with an idempotency key can be sent to again.
    static var idempotencyKey: Self {
        Input(parameters: [parameter]) { try $0.idempotencyKey() }
    }

    private static var parameter: Parameter {
        Parameter(
            name: IdempotencyKey.fieldName, place: .header,
            schema: .string(1...IdempotencyKey.maximumBytes, pattern: "^[!-~]+$"),
            meaning:
                "Makes it safe to send the request again: what was done by a request with the same key, of the same user "
                + "and to the same meeting, is answered again for ten minutes, and not done again. A new UUID for each "
                + "request will do.", example: nil)
    }
}
