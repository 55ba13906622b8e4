import Testing
import Texts

/// In the order of falling classes, which takes longest to be brought into the canonical one.
private func marks(_ count: Int) -> String {
    let ordered: [Unicode.Scalar] = ["\u{345}", "\u{301}", "\u{323}", "\u{5b0}", "\u{334}"]
    return String(String.UnicodeScalarView((0..<count).map { ordered[$0 * ordered.count / count] }))
}

@Suite struct MarkRunTests {
    private func bounded(_ text: String) -> String { String(bounding: Array(text.utf8)) }

    private func isSame(_ one: String, _ other: String) -> Bool { one.utf8.elementsEqual(other.utf8) }

    @Test func asManyAsThereMayBeStayAsTheyAre() {
        let text = "a" + marks(64) + "b" + marks(64) + "é" + marks(64)
        #expect(isSame(bounded(text), text))
    }

    @Test(arguments: [65, 1_000, 100_000])
    func moreAreLeftOut(_ count: Int) {
        let run = marks(count)
        let kept = String(run.unicodeScalars.prefix(64))
        #expect(isSame(bounded("a" + run + "b"), "a" + kept + "b"))
        #expect(isSame(bounded(run), kept))
        #expect(isSame(bounded(run + "é" + run), kept + "é" + kept))
    }

    @Test func whatIsWrittenWithManyBytesIsNoMark() {
        for text in ["漢字", "한국어", "\u{1161}", "😀", "Ж", "क्षि"] {
            let long = String(repeating: text, count: 300)
            #expect(isSame(bounded(long), long))
        }
    }

    @Test func bytesThatAreNoTextBecomeReplacements() {
        #expect(String(bounding: [0x61, 0xff, 0x62]) == "a\u{fffd}b")
        let run = marks(70)
        #expect(isSame(String(bounding: [0xff] + Array(run.utf8)), "\u{fffd}" + String(run.unicodeScalars.prefix(64))))
    }
}
