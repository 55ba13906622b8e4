#if LIBFUZZER

    import Glibc

    /// What is tried, by the name in `FUZZ_TARGET`. libFuzzer runs one input at a time, on one thread.
    nonisolated(unsafe) private var session: Session = {
        let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? "http"
        guard let target = Target.all.first(where: { $0.name == name }) else { fatalError("no target \(name)") }
        atexit { report() }
        // Counting what is covered makes everything several times slower.
        return Session(target, maximumNanoseconds: 5 * target.maximumNanoseconds)
    }()

    private func report() {
        guard let slowest = session.slowest else { return }
        print("slowest: \(slowest.nanoseconds / 1_000) us, \(Session.excerpt(of: slowest.input))")
    }

    /// One run under libFuzzer (`swift build --sanitize fuzzer -Xswiftc -DLIBFUZZER`), which chooses inputs by coverage.
    @_cdecl("LLVMFuzzerTestOneInput")
    public func fuzzOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
        let input = Array(UnsafeBufferPointer(start: bytes, count: count))
        var mutator = Mutator(seed: UInt64(count) &+ 1, corpus: [input], target: session.target)
        if let violation = session.violation(input, &mutator) { fatalError(violation) }
        return 0
    }

#else

    import Foundation

    /// The same without libFuzzer: `Fuzz TARGET FOLDER [RUNS [SEED]]`. The slowest input is left in the working folder.
    @main
    enum Fuzz {
        static func main() throws {
            let arguments = CommandLine.arguments
            guard arguments.count >= 3, let target = Target.all.first(where: { $0.name == arguments[1] }),
                let runs = Int(arguments.count > 3 ? arguments[3] : "100000"),
                let seed = UInt64(arguments.count > 4 ? arguments[4] : "\(UInt64.random(in: 1 ... .max))")
            else {
                let names = Target.all.map(\.name).joined(separator: "|")
                FileHandle.standardError.write(Data("usage: Fuzz \(names) FOLDER [RUNS [SEED]]\n".utf8))
                exit(2)
            }
            print("\(target.name), seed \(seed), \(runs) runs")
            var session = Session(target, maximumNanoseconds: target.maximumNanoseconds)
            let began = Date()
            let failure = session.run(seed: seed, count: runs, corpus: try corpus(in: arguments[2]))
            print("\(Int(Double(runs) / Date().timeIntervalSince(began))) inputs/s")
            if let slowest = session.slowest {
                print("slowest: \(slowest.nanoseconds / 1_000) us, \(Session.excerpt(of: slowest.input))")
                try Data(slowest.input).write(to: URL(fileURLWithPath: "slowest-\(target.name)"))
            }
            if let failure {
                print(failure)
                exit(1)
            }
        }

        /// The files of a folder, in the order of their names.
        static func corpus(in folder: String) throws -> [[UInt8]] {
            try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { name in
                Array(try Data(contentsOf: URL(fileURLWithPath: folder).appendingPathComponent(name)))
            }
        }
    }

#endif
