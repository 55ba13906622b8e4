import CLinux

/// What a file descriptor is watched for, or what it is ready for.
public struct Readiness: OptionSet, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    public static let readable = Readiness(rawValue: 1)
    public static let writable = Readiness(rawValue: 2)
    /// The peer closed, or the descriptor failed. Always reported, never asked for: the next read or write tells more.
    public static let closed = Readiness(rawValue: 4)

    var epollEvents: UInt32 {
        (contains(.readable) ? EPOLLIN.rawValue : 0) | (contains(.writable) ? EPOLLOUT.rawValue : 0)
    }

    init(epollEvents: UInt32) {
        var readiness: Readiness = []
        if epollEvents & EPOLLIN.rawValue != 0 { readiness.insert(.readable) }
        if epollEvents & EPOLLOUT.rawValue != 0 { readiness.insert(.writable) }
        if epollEvents & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 { readiness.insert(.closed) }
        self = readiness
    }
}

/// Told, on the loop's thread, that a registered descriptor is ready.
public protocol DescriptorHandler: AnyObject {
    func ready(_ readiness: Readiness)
}

/// A descriptor's place in a loop, from `EventLoop.register` to `cancel`. Belongs to the loop's thread.
/// The descriptor itself stays its owner's: cancel first, then close it.
public final class Registration {
    private unowned let loop: EventLoop
    let descriptor: Int32
    /// Let go once cancelled: it often holds the registration in turn.
    private(set) var handler: (any DescriptorHandler)?
    public private(set) var interest: Readiness
    private(set) var isActive = true

    init(loop: EventLoop, descriptor: Int32, handler: any DescriptorHandler, interest: Readiness) {
        self.loop = loop
        self.descriptor = descriptor
        self.handler = handler
        self.interest = interest
    }

    /// Changes what the descriptor is watched for. An empty set keeps it registered; only `.closed` is then reported.
    public func update(interest: Readiness) {
        guard isActive, interest != self.interest else { return }
        self.interest = interest
        loop.modify(self)
    }

    /// The handler is not called again, not even for an event that has already been read from the kernel.
    public func cancel() {
        guard isActive else { return }
        isActive = false
        loop.remove(self)
        handler = nil
    }
}
