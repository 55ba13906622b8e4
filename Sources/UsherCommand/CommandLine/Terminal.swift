import EventLoop
import Glibc
import Log
import Synchronization

/// Standard output, which this process waits for, and standard error, which it does not (`LineWriter`).
enum Terminal {
    /// Why something could not be said, until somebody has taken notice.
    private static let failure = Mutex<SystemError?>(nil)
    /// How long the end of a process waits for somebody to take its last words.
    private static let lastWordsMilliseconds = 1_000

    /// What a command was asked to show, on standard output.
    /// - Returns: false if it could not be written; `end` then makes a failure of it, or `takeFailure` tells why.
    @discardableResult
    static func say(_ text: String) -> Bool {
        // What was said about it before is seen before it, where both go to one terminal.
        LineWriter.standardError.flush(withinMilliseconds: lastWordsMilliseconds)
        let problem = writeAll(Array((text + "\n").utf8), to: STDOUT_FILENO)
        if let problem { failure.withLock { $0 = $0 ?? problem } }
        return problem == nil
    }

    /// Why something could not be said; whoever asks sees to it.
    static func takeFailure() -> SystemError? {
        failure.withLock { failure in
            defer { failure = nil }
            return failure
        }
    }

    /// To be called last of all: waits a moment for what was said to be out.
    /// - Returns: the exit code, which is no success if what was to be shown could not be.
    static func end(_ exitCode: Int32) -> Int32 {
        var exitCode = exitCode
        if let problem = takeFailure() {
            complain("standard output could not be written (\(problem.reason)).")
            if exitCode == 0 { exitCode = 1 }
        }
        LineWriter.standardError.flush(withinMilliseconds: lastWordsMilliseconds)
        return exitCode
    }

    /// A sentence about something that went wrong. It may repeat what others said, such as Redis or a server that was
    /// asked, and stays one line that does nothing to a terminal.
    static func complain(_ sentence: String) {
        var line = "usher: "
        for scalar in sentence.unicodeScalars {
            line.unicodeScalars.append(scalar.properties.generalCategory == .control ? " " : scalar)
        }
        LineWriter.standardError.write(Array((line + "\n").utf8))
    }

    /// The same of a program that writes a log, which goes on to whoever reads that: as a line of it where lines are JSON.
    /// On a terminal a sentence is enough.
    static func complain(_ sentence: String, in logger: Logger) {
        switch logger.format {
        case .json: logger.error(sentence)
        case .people: complain(sentence)
        }
    }

    /// The same of what stops nothing.
    static func warn(_ sentence: String, in logger: Logger) {
        switch logger.format {
        case .json: logger.warning(sentence)
        case .people: complain(sentence)
        }
    }
}
