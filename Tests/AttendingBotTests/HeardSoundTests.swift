import TestTurns
import Testing

@testable import AttendingBot

@Suite(.takesTurns) struct HeardSoundTests {
    private static let now = "\"start\":1795864692.5"

    @Test func whatThePageTellsIsRead() {
        #expect(
            HeardSound("{\"kind\":\"sound\",\"track\":2,\"begin\":1600,\(Self.now),\"samples\":\"AQD//wCA\"}")
                == .sound(track: 2, begin: 1_600, start: 1_795_864_692.5, samples: [1, -1, -32_768]))
        #expect(
            HeardSound("{\"kind\":\"silence\",\"track\":1,\"begin\":0,\(Self.now)}")
                == .silence(track: 1, begin: 0, start: 1_795_864_692.5))
        #expect(
            HeardSound("{\"kind\":\"name\",\"track\":1,\"name\":\"Ana\",\"weight\":1000}")
                == .name(track: 1, name: "Ana", weight: 10))
        #expect(HeardSound("{\"kind\":\"end\",\"track\":64}") == .end(track: 64))
        #expect(HeardSound("{\"kind\":\"end\",\"track\":64,\"load\":2}") == .end(track: 2_000_064))
    }

    @Test(
        arguments: [
            "", "[]", "{}", "{\"kind\":\"dance\",\"track\":1}", "{\"kind\":\"end\",\"track\":0}",
            "{\"kind\":\"end\",\"track\":1000000}", "{\"kind\":\"end\",\"track\":1,\"load\":-1}",
            "{\"kind\":\"end\",\"track\":1,\"load\":4000000000001}", "{\"kind\":\"end\",\"track\":\"1\"}",
            "{\"kind\":\"name\",\"track\":1,\"name\":\"\",\"weight\":1}",
            "{\"kind\":\"name\",\"track\":1,\"name\":\"A\"}",
            "{\"kind\":\"sound\",\"track\":1,\"begin\":-1,\(now),\"samples\":\"\"}",
            "{\"kind\":\"sound\",\"track\":1,\"begin\":1e15,\(now),\"samples\":\"\"}",
            "{\"kind\":\"sound\",\"track\":1,\"begin\":0,\"start\":5,\"samples\":\"\"}",
            "{\"kind\":\"sound\",\"track\":1,\"begin\":0,\(now),\"samples\":\"AQ==\"}",
            "{\"kind\":\"sound\",\"track\":1,\"begin\":0,\(now),\"samples\":\"?\"}",
            "{\"kind\":\"sound\",\"track\":1,\"begin\":0,\(now)}",
            "{\"kind\":\"name\",\"track\":1,\"name\":\"" + String(repeating: "x", count: 40_000) + "\",\"weight\":1}",
        ])
    func anythingElseIsNone(payload: String) {
        #expect(HeardSound(payload) == nil)
    }

    @Test func namesAreOfOneLineAndBounded() {
        let name = String(repeating: "x", count: 500)
        #expect(
            HeardSound("{\"kind\":\"name\",\"track\":1,\"name\":\"A\\n\(name)\",\"weight\":1}")
                == .name(track: 1, name: "A" + String(repeating: "x", count: 199), weight: 1))
        // By bytes, as a segment is: three each, and one letter with marks without end.
        #expect(
            HeardSound(
                "{\"kind\":\"name\",\"track\":1,\"name\":\"\(String(repeating: "अ", count: 100))\",\"weight\":1}")
                == .name(track: 1, name: String(repeating: "अ", count: 66), weight: 1))
        let marked = "e" + String(repeating: "\u{301}", count: 5_000)
        guard
            case .name(_, let short, _)? = HeardSound(
                "{\"kind\":\"name\",\"track\":1,\"name\":\"\(marked)\",\"weight\":1}")
        else {
            Issue.record("a name with marks is none")
            return
        }
        #expect(short.utf8.count == 1 + 2 * 64)
        #expect(HeardSound("{\"kind\":\"name\",\"track\":1,\"name\":\"\\u0007\\u2028\",\"weight\":1}") == nil)
    }
}
