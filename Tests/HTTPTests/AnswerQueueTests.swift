import Testing

@testable import HTTP

/// Whose turn it is to hold bytes of the budget for large answers.
@Suite struct AnswerQueueTests {
    /// Lets expectations change it in place.
    private final class Line {
        private var queue: AnswerQueue
        var used: Int { queue.used }
        var waitingCount: Int { queue.waitingCount }

        init(limit: Int) { queue = AnswerQueue(limit: limit) }
        func add(_ bytes: Int, for client: String) -> Int? { queue.add(bytes, for: client) }
        func next() -> [Int] { queue.next() }
        func withdraw(_ number: Int, of client: String) { queue.withdraw(number, of: client) }
        func giveBack(_ bytes: Int, of client: String) { queue.giveBack(bytes, of: client) }
    }

    @Test func whatFitsGoesAtOnceAndTheRestInOrder() throws {
        let queue = Line(limit: 100)
        let numbers = try ["a", "b", "a", "c"].map { try #require(queue.add(50, for: $0)) }
        #expect(queue.next() == [numbers[0], numbers[1]])
        #expect(queue.used == 100 && queue.waitingCount == 2)
        // The third is of one who holds a full share; the fourth is passed over by nobody, and finds no room.
        #expect(queue.next() == [])
        queue.giveBack(50, of: "b")
        #expect(queue.next() == [numbers[3]])
        queue.giveBack(50, of: "a")
        #expect(queue.next() == [numbers[2]])
        queue.giveBack(50, of: "a")
        queue.giveBack(50, of: "c")
        #expect(queue.used == 0 && queue.waitingCount == 0)
    }

    /// However many one client asks for, another's is next once its share is taken.
    @Test func noClientHoldsMoreThanHalf() throws {
        let queue = Line(limit: 100)
        let many = (0..<20).compactMap { _ in queue.add(10, for: "greedy") }
        #expect(queue.next() == Array(many[0..<5]))
        let other = try #require(queue.add(30, for: "modest"))
        #expect(queue.next() == [other])
        #expect(queue.next() == [])
    }

    @Test func clientsHaveTheirTurnsOneAfterTheOther() throws {
        let queue = Line(limit: 10)
        let holder = try #require(queue.add(5, for: "x"))
        let second = try #require(queue.add(5, for: "y"))
        #expect(queue.next() == [holder, second])
        let a = (0..<3).compactMap { _ in queue.add(5, for: "a") }
        let b = (0..<3).compactMap { _ in queue.add(5, for: "b") }
        var order: [Int] = []
        var holders = ["x", "y"]
        while order.count < 6 {
            queue.giveBack(5, of: holders.removeFirst())
            for number in queue.next() {
                order.append(number)
                holders.append(a.contains(number) ? "a" : "b")
            }
        }
        #expect(order == [a[0], b[0], a[1], b[1], a[2], b[2]])
    }

    /// One that needs much would wait for ever if what needs little could go first again and again.
    @Test func nobodyOvertakesTheOneWhoseTurnItIs() throws {
        let queue = Line(limit: 100)
        #expect(queue.add(40, for: "a") != nil)
        #expect(queue.add(40, for: "b") != nil)
        #expect(queue.next().count == 2)
        let large = try #require(queue.add(50, for: "c"))
        let small = try #require(queue.add(1, for: "d"))
        #expect(queue.next() == [])
        // Unless it gives up.
        queue.withdraw(large, of: "c")
        #expect(queue.next() == [small])
        queue.withdraw(large, of: "c")
        #expect(queue.waitingCount == 0 && queue.used == 81)
    }

    @Test func tooManyAreTurnedAway() {
        let queue = Line(limit: 2)
        #expect(queue.add(1, for: "holder") != nil)
        #expect(queue.next().count == 1)
        for _ in 0..<AnswerQueue.maximumWaitingOfClient { #expect(queue.add(1, for: "holder") != nil) }
        #expect(queue.add(1, for: "holder") == nil)
        for number in 0..<AnswerQueue.maximumWaiting { _ = queue.add(1, for: "\(number)") }
        #expect(queue.waitingCount == AnswerQueue.maximumWaiting)
        #expect(queue.add(1, for: "another") == nil)
    }
}
