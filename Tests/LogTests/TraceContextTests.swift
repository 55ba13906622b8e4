import Testing

@testable import Log

/// The standard's own examples and rules: https://www.w3.org/TR/trace-context/
@Suite struct TraceContextTests {
    static let example = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @Test func aSoundParentIsTakenAndGivenOnAsItWas() throws {
        let context = try #require(TraceContext(traceparent: Self.example))
        #expect(context.traceID == "0af7651916cd43dd8448eb211c80319c")
        #expect(context.traceparent == Self.example)
        #expect(context.state == nil)
        let next = context.continued(by: 0x00f0_67aa_0ba9_02b7)
        #expect(next.traceparent == "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01")
    }

    @Test(arguments: [
        "", "00", "garbage", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-", "\(example)-what-the-future-will-be-like",
        "\(example)0", " \(example)", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "0g-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x",
        "00-0af7651916cd43dd8448eb211c80319cb7ad6b71692033310001",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-011",
        // Of two fields, as they are joined.
        "\(example), \(example)", "cc\(example.dropFirst(2)), \(example)",
    ])
    func whatIsNotSoundIsIgnored(_ text: String) {
        #expect(TraceContext(traceparent: text) == nil)
    }

    /// "Versioning of traceparent": what follows the flags of a higher version is not ours to understand or pass on.
    @Test(arguments: ["", "-what-the-future-will-be-like", "-"])
    func ofAHigherVersionTheBeginningIsTaken(_ rest: String) throws {
        let context = try #require(TraceContext(traceparent: "cc" + Self.example.dropFirst(2) + rest))
        #expect(context.traceparent == Self.example)
    }

    @Test func flagsThatAreNotKnownAreNotPassedOn() throws {
        let context = try #require(TraceContext(traceparent: Self.example.dropLast(2) + "ff"))
        #expect(context.traceparent.hasSuffix("-03"))
        let future = try #require(TraceContext(traceparent: "01" + Self.example.dropFirst(2).dropLast(2) + "ff"))
        #expect(future.traceparent.hasSuffix("-01"))
    }

    @Test func aNewTraceIsSoundWhateverTheNumbers() throws {
        for numbers in [(0, 0, 0), (1, 2, 3), (.max, .max, .max)] as [(UInt64, UInt64, UInt64)] {
            let context = TraceContext(newTrace: numbers.0, numbers.1, operation: numbers.2)
            #expect(try #require(TraceContext(traceparent: context.traceparent)) == context)
            #expect(context.traceparent.hasSuffix("-00"))
        }
        #expect(
            TraceContext(newTrace: 1, 0xabc, operation: 0xf).traceparent
                == "00-00000000000000010000000000000abc-000000000000000f-00")
    }

    @Test(arguments: [
        "congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "a=1, b=2 ,\tc=3", "fw529a3039@dt=FfAB,,b=1",
        "k=" + String(repeating: "v", count: 256),
    ])
    func aSoundStateGoesWithTheTrace(_ state: String) throws {
        let context = try #require(TraceContext(traceparent: Self.example, tracestate: state))
        #expect(context.state == state)
        #expect(context.continued(by: 1).state == state)
    }

    @Test(arguments: [
        "", ",", "novalue", "=1", "a=", "a=b=c", "A=1", "a=1,a=2", "a=\u{7}", "a=ü", "a b=1",
        (0..<33).map { "k\($0)=1" }.joined(separator: ","),
        "a=" + String(repeating: "v", count: 255) + ",b=" + String(repeating: "v", count: 255),
    ])
    func aStateThatIsNotSoundOrShortIsDropped(_ state: String) throws {
        let context = try #require(TraceContext(traceparent: Self.example, tracestate: state))
        #expect(context.state == nil)
        #expect(TraceContext(traceparent: "garbage", tracestate: "a=1") == nil)
    }
}
