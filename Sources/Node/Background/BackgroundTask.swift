import EventLoop
import Metrics
import Redis

/// Something that a node does by itself, beside answering requests. Each is made in a file of its own, and stands in
/// `BackgroundTasks.all`.
struct BackgroundTask: Sendable {
    /// How often it is done.
    enum Pace {
        case once
        /// Again and again, with a pause after each time.
        case every(milliseconds: Int)
        /// The same with a pause that varies, from half of this on, so that nodes do not fall into step.
        case about(milliseconds: Int)
        /// It waits by itself for what there is to do, until it is cancelled.
        case itself
    }

    /// Of its connection in metrics too, if it has one for itself.
    let name: String
    let pace: Pace
    /// On which it is done, counted and ended.
    let loop: EventLoop
    /// Threads that it has for itself, with that of `loop` if this one serves no requests.
    var ownLoops: [EventLoop] = []
    /// A connection for itself, on `loop`: what is to be done waits for its first login.
    var client: Client?
    let work: @Sendable () async -> Void
    /// Adds what it has counted, but for its connection.
    var count: (@Sendable (inout Samples) -> Void)?
    /// The node takes nothing new any more, and answers what is under way.
    var beginDrain: (@Sendable () async -> Void)?
    /// All is answered. What is half-way another node does again, or the next time.
    var end: (@Sendable () async -> Void)?

    /// Goes on until it is cancelled, on its loop.
    func run() async {
        if let client {
            client.start()
            _ = await client.firstLogin()
        }
        switch pace {
        case .once, .itself: await work()
        case .every(let pause): await goOn { pause }
        case .about(let pause): await goOn { Int.random(in: pause / 2...pause) }
        }
    }

    private func goOn(pause: () -> Int) async {
        while !Task.isCancelled {
            await work()
            await loop.wait(milliseconds: pause())
        }
    }

    /// What it has counted; nil: nothing ever.
    func samples() async -> Samples? {
        guard count != nil || client != nil else { return nil }
        return await Task(executorPreference: loop) { [self] in
            var samples = Samples()
            count?(&samples)
            if let client { samples.add(client, [name]) }
            return samples
        }.value
    }
}
