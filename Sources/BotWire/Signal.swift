import EventLoop

/// Something that happens once, or never, and that one task at a time waits for.
///
/// `@unchecked Sendable`: belongs to its loop's thread, and every entry checks that.
public final class Signal<Value>: @unchecked Sendable {
    private let loop: EventLoop
    private var waiter: UnsafeContinuation<Void, Never>?
    /// What happened first; nil before that.
    public private(set) var value: Value?

    public init(loop: EventLoop) {
        self.loop = loop
    }

    /// Only the first time counts.
    public func raise(_ value: Value) {
        loop.preconditionCurrent()
        guard self.value == nil else { return }
        self.value = value
        wake()
    }

    /// Waits until it is raised, but no longer than `milliseconds`.
    /// - Returns: its value, or nil if the time passed first.
    public func wait(milliseconds: Int) async -> Value? {
        loop.preconditionCurrent()
        if value != nil { return value }
        precondition(waiter == nil, "one task at a time waits for a signal")
        let timer = loop.schedule(afterMilliseconds: milliseconds) { [weak self] in self?.wake() }
        await withUnsafeContinuation { waiter = $0 }
        timer.cancel()
        return value
    }

    /// Waits for so long; if it is raised meanwhile, only until then.
    public func rest(milliseconds: Int) async {
        guard value == nil else { return await loop.wait(milliseconds: milliseconds) }
        _ = await wait(milliseconds: milliseconds)
    }

    private func wake() {
        let waiter = self.waiter
        self.waiter = nil
        waiter?.resume()
    }
}
