/// Who may hold how many bytes of an `AnswerBudget`, and who is next: its rules, without anything that waits.
struct AnswerQueue {
    /// Those that wait, of one client and of all: more are turned away.
    static let maximumWaitingOfClient = 100
    static let maximumWaiting = 1_000

    private struct Waiter {
        let number: Int
        let bytes: Int
    }

    let limit: Int
    private(set) var used = 0
    private(set) var waitingCount = 0
    /// No entry is left of a client that holds nothing.
    private var usedByClient: [String: Int] = [:]
    /// Of each client that waits, in order.
    private var waiters: [String: [Waiter]] = [:]
    /// The clients that wait, the next one first.
    private var turns: [String] = []
    private var lastNumber = 0

    init(limit: Int) {
        self.limit = limit
    }

    /// What one client may hold.
    var share: Int { max(1, limit / 2) }

    /// - Returns: the number by which `next` tells of its turn; nil if too many wait.
    mutating func add(_ bytes: Int, for client: String) -> Int? {
        let ofClient = waiters[client, default: []].count
        guard waitingCount < Self.maximumWaiting, ofClient < Self.maximumWaitingOfClient else { return nil }
        lastNumber += 1
        waitingCount += 1
        if ofClient == 0 { turns.append(client) }
        waiters[client, default: []].append(Waiter(number: lastNumber, bytes: bytes))
        return lastNumber
    }

    /// Takes the bytes of all whose turn it is. A client that holds its share is passed over until it has given some
    /// back; but where there is too little left for the next one, nobody overtakes it, or it would never have its turn.
    mutating func next() -> [Int] {
        var granted: [Int] = []
        var index = 0
        while index < turns.count {
            let client = turns[index]
            let first = waiters[client]![0]
            if usedByClient[client, default: 0] + first.bytes > share {
                index += 1
                continue
            }
            guard used + first.bytes <= limit else { break }
            used += first.bytes
            usedByClient[client, default: 0] += first.bytes
            turns.remove(at: index)
            if removeFirst(of: client) { turns.append(client) }
            granted.append(first.number)
        }
        return granted
    }

    /// - Returns: whether others of the client wait.
    private mutating func removeFirst(of client: String) -> Bool {
        waitingCount -= 1
        waiters[client]!.removeFirst()
        guard waiters[client]!.isEmpty else { return true }
        waiters[client] = nil
        return false
    }

    /// Has one wait no longer.
    mutating func withdraw(_ number: Int, of client: String) {
        guard let index = waiters[client]?.firstIndex(where: { $0.number == number }) else { return }
        waitingCount -= 1
        waiters[client]!.remove(at: index)
        guard waiters[client]!.isEmpty else { return }
        waiters[client] = nil
        turns.removeAll { $0 == client }
    }

    mutating func giveBack(_ bytes: Int, of client: String) {
        used -= bytes
        let rest = usedByClient[client, default: 0] - bytes
        usedByClient[client] = rest > 0 ? rest : nil
    }
}
