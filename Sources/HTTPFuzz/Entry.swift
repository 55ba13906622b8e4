#if LIBFUZZER

    /// One run under libFuzzer (`swift build --sanitize fuzzer -Xswiftc -DLIBFUZZER`), which chooses inputs by coverage.
    @_cdecl("LLVMFuzzerTestOneInput")
    public func fuzzOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
        let input = Array(UnsafeBufferPointer(start: bytes, count: count))
        var mutator = Mutator(seed: UInt64(count) &+ 1, corpus: [input])
        if let violation = Invariants.violation(input, cuts: mutator.cuts(of: count)) { fatalError(violation) }
        return 0
    }

#else

    import Foundation

    /// The same without libFuzzer: `HTTPFuzz FOLDER [RUNS [SEED]]`.
    @main
    enum Fuzz {
        static func main() throws {
            let arguments = CommandLine.arguments
            guard arguments.count >= 2, let runs = Int(arguments.count > 2 ? arguments[2] : "100000"),
                let seed = UInt64(arguments.count > 3 ? arguments[3] : "\(UInt64.random(in: 1 ... .max))")
            else {
                FileHandle.standardError.write(Data("usage: HTTPFuzz FOLDER [RUNS [SEED]]\n".utf8))
                exit(2)
            }
            print("seed \(seed), \(runs) runs")
            if let failure = run(seed: seed, count: runs, corpus: try corpus(in: arguments[1])) {
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

        /// - Returns: what does not hold, with the input, or nil.
        static func run(seed: UInt64, count: Int, corpus: [[UInt8]]) -> String? {
            var mutator = Mutator(seed: seed, corpus: corpus)
            for number in 0..<count {
                let input = mutator.input()
                if let violation = Invariants.violation(input, cuts: mutator.cuts(of: input.count)) {
                    return
                        "seed \(seed), run \(number), input \(String(reflecting: String(decoding: input, as: UTF8.self))): "
                        + violation
                }
            }
            return nil
        }
    }

#endif
