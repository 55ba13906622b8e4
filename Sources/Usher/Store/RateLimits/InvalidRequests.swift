import EventLoop
import Redis
import Scripts

/// Counts the requests without a valid key by the address that they come from, against one bucket for each in Redis.
/// No request waits for it: what comes while Redis is asked is let through, and counted afterwards.
///
/// `@unchecked Sendable`: belongs to the thread of its loop, and every entry checks that.
public final class InvalidRequests: @unchecked Sendable {
    /// About 2 MB.
    private static let maximumCount = 10_000

    private let client: Client
    private let limit: RateLimit?
    private let timeoutMilliseconds: Int
    private var allowances: [IPAddress: Allowance] = [:]

    /// - Parameter timeoutMilliseconds: of a question to Redis.
    init(client: Client, limit: RateLimit?, timeoutMilliseconds: Int) {
        self.client = client
        self.limit = limit
        self.timeoutMilliseconds = timeoutMilliseconds
    }

    /// Whether an address has made too many of them, as far as this loop knows.
    /// - Returns: milliseconds until the next one is let through, or nil.
    public func pause(of address: IPAddress) -> Int? {
        client.loop.preconditionCurrent()
        return allowances[address.subscriber]?.pause(at: client.loop.now)
    }

    /// Counts one.
    /// - Returns: milliseconds until the next one is let through, if this one is not; nil if it is.
    public func count(from address: IPAddress) -> Int? {
        client.loop.preconditionCurrent()
        guard let limit else { return nil }
        let address = address.subscriber
        // All at once, as with the owners of keys.
        if allowances.count >= Self.maximumCount { allowances.removeAll(keepingCapacity: true) }
        var allowance = allowances[address] ?? Allowance(limit)
        defer { allowances[address] = allowance }
        guard !allowance.isAsking else {
            allowance.owe()
            return nil
        }
        switch allowance.plan(at: client.loop.now) {
        case .granted, .shared: break
        case .refused(let milliseconds): return milliseconds
        case .ask(let count):
            allowance.owe()
            Task(executorPreference: client.loop) { await self.take(count, of: limit, for: address) }
        }
        return nil
    }

    private func take(_ count: Int, of limit: RateLimit, for address: IPAddress) async {
        let request = Scripts.TakeTokens(
            bucketKey: Keys.bucket(address), perSecond: limit.perSecond, burst: limit.burst, wanted: count)
        let deadline = client.loop.now.advanced(byMilliseconds: timeoutMilliseconds)
        let tokens = try? await client.run(request, deadline: deadline).reply
        allowances[address]?.receive(tokens, to: count, at: client.loop.now)
    }
}
