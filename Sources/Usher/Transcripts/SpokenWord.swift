/// A word of a segment with its times, as a bot's speech service tells them. Members that are not listed are left out.
public struct SpokenWord: Codable, Equatable, Sendable {
    /// The most that a segment may have of them.
    static let maximumCount = 2_000

    public let word: String
    /// As a segment's.
    public private(set) var start: Double?
    public private(set) var end: Double?
    public let confidence: Double?
    public let probability: Double?

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        word = try container.decode(String.self, forKey: .word)
        func number(_ key: CodingKeys, _ isRight: (Double) -> Bool = { $0.isFinite }) -> Double? {
            (try? container.decodeIfPresent(Double.self, forKey: key)).flatMap { $0 }.flatMap { isRight($0) ? $0 : nil }
        }
        start = number(.start, SegmentTime.isTime)
        end = number(.end, SegmentTime.isTime)
        confidence = number(.confidence)
        probability = number(.probability)
    }

    /// The words of a segment: nil if it has none. One that is of another form is left out, since it is the text that
    /// counts; more words or longer ones than a text can have are refused.
    static func read<Key: CodingKey>(from container: KeyedDecodingContainer<Key>, _ key: Key) throws -> [SpokenWord]? {
        guard container.contains(key), var list = try? container.nestedUnkeyedContainer(forKey: key) else { return nil }
        func refuse(_ problem: String) -> DecodingError {
            .dataCorruptedError(forKey: key, in: container, debugDescription: problem)
        }
        var words: [SpokenWord] = []
        var bytes = 0
        while !list.isAtEnd {
            guard list.currentIndex < maximumCount else { throw refuse("must be at most \(maximumCount)") }
            guard let word = try list.decode(Element.self).word else { continue }
            bytes += word.word.utf8.count
            guard bytes <= Segment.maximumTextBytes else {
                throw refuse("must have at most \(Segment.maximumTextBytes) bytes together")
            }
            words.append(word)
        }
        return words.isEmpty ? nil : words
    }

    /// Takes whatever stands in the list, so that the next element can be read.
    private struct Element: Decodable {
        let word: SpokenWord?

        init(from decoder: any Decoder) throws {
            word = try? SpokenWord(from: decoder)
        }
    }

    func placed(inSessionFrom milliseconds: Int) -> SpokenWord {
        func placed(_ time: Double?) -> Double? {
            time.map { SegmentTime.isAbsolute($0) ? SegmentTime.seconds($0, from: milliseconds) : $0 }
        }
        var word = self
        (word.start, word.end) = (placed(start), placed(end))
        return word
    }
}
