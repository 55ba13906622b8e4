import EventLoop
import HTTP
import Log
import Usher

/// What requests without a valid key meet: a few are answered as each API says, many from one address with 429.
struct Gatekeeper: Sendable {
    private let invalidRequests: InvalidRequests
    private let clientAddress: ClientAddress

    init(store: Store, clientAddress: ClientAddress) {
        invalidRequests = store.invalidRequests
        self.clientAddress = clientAddress
    }

    func address(of request: Request) -> IPAddress? { clientAddress.of(request) }

    /// Counts a request without a valid key.
    /// - Returns: what to answer: `refusal`, or 429 if there were too many from its address.
    func refuse(_ request: Request, with refusal: APIError) -> APIError {
        guard let address = clientAddress.of(request), let pause = invalidRequests.count(from: address) else {
            return refusal
        }
        return .tooManyInvalidRequests(milliseconds: pause)
    }
}

extension APIError {
    /// The API key has sent more than its rate limit allows.
    static func tooManyRequests(milliseconds: Int) -> APIError {
        let seconds = seconds(milliseconds)
        return APIError(
            429, "This API key sends too many requests. Wait \(seconds) s before the next one, and send fewer.",
            retryAfterSeconds: seconds)
    }

    /// Too many requests without a valid key came from the address.
    static func tooManyInvalidRequests(milliseconds: Int) -> APIError {
        let seconds = seconds(milliseconds)
        return APIError(
            429,
            "Too many requests without a valid key come from this address. Wait \(seconds) s, and send a valid one.",
            retryAfterSeconds: seconds)
    }

    /// For `Retry-After`, which has whole seconds (RFC 9110 section 10.2.3): never too early.
    private static func seconds(_ milliseconds: Int) -> Int { max(1, milliseconds.addingClamped(999) / 1_000) }
}
