import CLinux
import EventLoop
import Glibc
import Processes

/// Which browser to start, and for whom.
public struct BrowserProgram: Equatable, Sendable {
    /// Chromium itself, as in Debian's package: the wrapper in /usr/bin is slower.
    public static let debianPath = "/usr/lib/chromium/chromium"

    /// The file of a Chromium or Chrome.
    public var path: String
    /// The folder in which its profile folder is made.
    public var folder: String
    /// Names the profile folder, and stands in the environment, so that supervisors find what the browser started.
    public var botID: String
    /// What its profile is a copy of; nil: of nothing.
    public var profile: String?

    public init(path: String = debianPath, folder: String, botID: String, profile: String? = nil) {
        (self.path, self.folder, self.botID, self.profile) = (path, folder, botID, profile)
    }

    func arguments(profile: BrowserProfile) -> [String] {
        var arguments = [
            path, "--headless=new", "--remote-debugging-pipe", "--user-data-dir=\(profile.path)", "--no-first-run",
            "--lang=en-US", "--window-size=1280,800", "--autoplay-policy=no-user-gesture-required", "--mute-audio",
            "--disable-gpu", "--disable-dev-shm-usage", "--disable-breakpad", "--disable-crash-reporter",
            "--disable-background-networking", "--disable-component-update", "--disable-default-apps",
            "--disable-extensions", "--password-store=basic",
            // Pages that find no microphone do not join. Without the file of silence the fake one beeps at everybody.
            "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
            "--use-file-for-fake-audio-capture=\(profile.silencePath)",
        ]
        // Chromium refuses to sandbox its processes as root.
        if geteuid() == 0 { arguments.append("--no-sandbox") }
        return arguments + ["about:blank"]
    }
}

/// The process of a browser, in a group of its own, with its profile folder. Belongs to the thread that made it, which
/// must live as long as the bot: the browser is killed when it ends.
final class BrowserProcess {
    private static let endMilliseconds = 2_000
    private static let endingMilliseconds = 1_000
    private static let pollMilliseconds = 10
    private static let longestLog = 65_536

    private let profile: BrowserProfile
    private let process: ChildProcess
    /// This side's ends of the pipes; not closed here.
    let input: Int32
    let output: Int32

    /// - Throws: `SystemError` naming the step that failed.
    init(_ program: BrowserProgram) throws(SystemError) {
        profile = try BrowserProfile(folder: program.folder, botID: program.botID, copying: program.profile)
        let (fromBrowser, itsOutput) = try Self.makePipe()
        let (itsInput, toBrowser): (Int32, Int32)
        do throws(SystemError) {
            (itsInput, toBrowser) = try Self.makePipe()
        } catch {
            close(fromBrowser)
            close(itsOutput)
            throw error
        }
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        let log = open(profile.logPath, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        defer { for descriptor in [itsInput, itsOutput, null, log] { close(descriptor) } }
        for descriptor in [fromBrowser, toBrowser] {
            _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        }
        (input, output) = (fromBrowser, toBrowser)
        do throws(SystemError) {
            process = try ChildProcess(
                starting: ChildProcess.Program(
                    path: program.path, arguments: program.arguments(profile: profile),
                    // Its own temporary files, such as the folder of its socket, go with the profile; by a short name,
                    // since a socket's may have 107 bytes.
                    environment: [
                        "PATH": "/usr/bin:/bin", "LANG": "en_US.UTF-8", "HOME": profile.path,
                        "TMPDIR": "/proc/self/cwd", "USHER_BOT_ID": program.botID,
                    ],
                    directory: profile.path,
                    descriptors: [null, null, log, itsInput, itsOutput], parentDeathSignal: SIGKILL))
        } catch {
            close(fromBrowser)
            close(toBrowser)
            throw error
        }
    }

    /// Of the profile.
    var folder: String { profile.path }

    /// How it ended, waited for for a moment, since its pipes close before it has; nil if it runs on.
    var ending: ExitStatus? {
        process.waitForExit(deadline: .now().advanced(byMilliseconds: Self.endingMilliseconds))
    }

    /// Why it gave up, as it said itself; nil if it did not.
    var complaint: String? {
        let file = open(profile.logPath, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        lseek(file, max(0, lseek(file, 0, SEEK_END) - Self.longestLog), SEEK_SET)
        var bytes = [UInt8](repeating: 0, count: Self.longestLog)
        let lines = String(decoding: bytes[..<max(0, read(file, &bytes, bytes.count))], as: UTF8.self).split(
            separator: "\n")
        guard let line = lines.last(where: { $0.contains(":FATAL:") }) else { return nil }
        if line.contains("No usable sandbox") {
            return
                "it finds no sandbox here: install one with `apt-get install chromium-sandbox`, or allow users to make "
                + "user namespaces"
        }
        return "it says \"\(line.prefix(200))\""
    }

    /// Waits for its end, which was asked for, kills its group after two seconds, and removes its profile.
    func end(on loop: EventLoop) async {
        let deadline = MonotonicTime.now().advanced(byMilliseconds: Self.endMilliseconds)
        while process.exitStatus == nil, .now() < deadline { await loop.wait(milliseconds: Self.pollMilliseconds) }
        process.signalGroup(SIGKILL)
        while process.exitStatus == nil { await loop.wait(milliseconds: Self.pollMilliseconds) }
        // A process of the group that has just been killed may still make a file.
        for _ in 0..<100 where !profile.remove() { await loop.wait(milliseconds: Self.pollMilliseconds) }
    }

    private static func makePipe() throws(SystemError) -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC) == 0 else { throw SystemError("make a pipe") }
        return (ends[0], ends[1])
    }
}
