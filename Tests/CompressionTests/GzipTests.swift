import Compression
import Testing

@Suite struct GzipTests {
    @Test(arguments: [Gzip.Effort.usual, .most]) func whatIsPackedIsSmallerAndInTheFormat(_ effort: Gzip.Effort) throws
    {
        let bytes = Array(String(repeating: "meeting ", count: 1_000).utf8)
        let packed = try #require(Gzip.packed(bytes, effort: effort))
        #expect(packed.count < 200 && packed.starts(with: [0x1f, 0x8b, 8]))
        #expect(Gzip.unpacked(packed, count: bytes.count) == bytes)
        let nothing = try #require(Gzip.packed([], effort: effort))
        #expect(nothing.count < 64 && Gzip.unpacked(nothing, count: 0) == [])
    }

    @Test func whatIsNotSoLongOrIsSpoiltIsRefused() throws {
        let packed = try #require(Gzip.packed([1, 2, 3]))
        for count in [2, 4, -1, .min, .max] { #expect(Gzip.unpacked(packed, count: count) == nil) }
        #expect(Gzip.unpacked(packed.dropLast(), count: 3) == nil && Gzip.unpacked(packed + [0], count: 3) == nil)
        #expect(Gzip.unpacked([], count: 0) == nil && Gzip.unpacked([1, 2, 3], count: 3) == nil)
    }
}
