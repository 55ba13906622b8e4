import Glibc

/// Where a segment stands in its transcript: the sessions one after the other, and in each by start.
struct SegmentPlace: Comparable {
    /// `<bot_id>:<segment_id>`, as the record has it.
    let field: [UInt8]
    /// Of what is stored of it.
    let bytes: Int
    private let sessionIDLength: Int
    private let sessionStart: Int
    private let start: Int
    private let end: Int

    init(_ segment: StoredSegment, field: [UInt8]) {
        self.field = field
        bytes = segment.byteCount
        sessionIDLength = field.firstIndex(of: UInt8(ascii: ":")) ?? field.count
        sessionStart = segment.sessionStart ?? 0
        start = segment.start
        end = segment.end
    }

    static func < (left: SegmentPlace, right: SegmentPlace) -> Bool {
        if left.sessionStart != right.sessionStart { return left.sessionStart < right.sessionStart }
        // Two sessions may have begun at once, or at a time that is not known.
        let session = compare(left.field, left.sessionIDLength, right.field, right.sessionIDLength)
        if session != 0 { return session < 0 }
        if left.start != right.start { return left.start < right.start }
        if left.end != right.end { return left.end < right.end }
        return compare(left.field, left.field.count, right.field, right.field.count) < 0
    }

    static func == (left: SegmentPlace, right: SegmentPlace) -> Bool { left.field == right.field }

    /// By bytes, as a shorter one comes before what it begins.
    private static func compare(_ left: [UInt8], _ leftCount: Int, _ right: [UInt8], _ rightCount: Int) -> Int {
        let order = Int(memcmp(left, right, min(leftCount, rightCount)))
        return order != 0 ? order : leftCount - rightCount
    }
}

/// The places of a transcript in order. They come in any, and to sort them all at once would hold up a loop: each run of
/// them is sorted as it is complete, and the first of all runs is looked for as it is wanted.
struct SegmentOrder {
    private static let runLength = 2_000

    /// Each sorted, the last one first.
    private var runs: [[SegmentPlace]] = []
    private var incomplete: [SegmentPlace] = []
    private(set) var count = 0

    mutating func add(_ place: SegmentPlace) {
        count += 1
        incomplete.append(place)
        if incomplete.count == Self.runLength { completeRun() }
    }

    /// No more are added.
    mutating func completeRun() {
        guard !incomplete.isEmpty else { return }
        runs.append(incomplete.sorted(by: >))
        incomplete = []
    }

    /// Takes the first that is left.
    mutating func next() -> SegmentPlace? {
        var first: (run: Int, place: SegmentPlace)?
        for (index, run) in runs.enumerated() {
            guard let place = run.last else { continue }
            if first.map({ place < $0.place }) ?? true { first = (index, place) }
        }
        guard let first else { return nil }
        runs[first.run].removeLast()
        count -= 1
        return first.place
    }
}
